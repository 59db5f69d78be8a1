"""The tables of backfills that the bot carries out. Named by the migration 0029."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from bot.store.columns import Moment, Words
from bot.store.tables import Id, metadata

backfills = Table(
    "backfills",
    metadata,
    Column("id", Id, primary_key=True),
    Column("by", Words, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("team", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Words, nullable=False),
    Column("looked", Integer, nullable=False),  # windows
    Column("worked_s", Float, nullable=False),  # that they took
    Column("ended_at", Moment),
    Column("ended_by", Words, nullable=False),
    Column("token", Text, nullable=False),  # of the process that is at it
    Column("lease_until", Moment),
    sqlite_autoincrement=True,  # an id is never given twice
)
BEGUN = text("ended_at IS NULL")
Index("ix_backfills_begun", backfills.c.id, sqlite_where=BEGUN, postgresql_where=BEGUN)

backfill_stages = Table(  # one for each policy, in order
    "backfill_stages",
    metadata,
    Column("backfill_id", Id, ForeignKey("backfills.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("policy", Words, nullable=False),
    Column("content", Text, nullable=False),
    Column("start", Moment, nullable=False),
    Column("end", Moment, nullable=False),
    Column("each_s", Float),
    Column("windows", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("bad_rows", Integer, nullable=False),
    Column("held", Boolean, nullable=False),  # while its backfill runs: of a policy one at a time
)
HELD = text("held")
Index(
    "uq_backfill_stages_held",
    backfill_stages.c.policy,
    unique=True,
    sqlite_where=HELD,
    postgresql_where=HELD,
)
