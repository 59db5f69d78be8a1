"""The tables of shifts: covers, handoffs, and members of user groups. Named by the migration 0005."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text, UniqueConstraint

from bot.store.columns import Json, Moment, Words
from bot.store.tables import Id, metadata

covers = Table(  # who is on call for a while instead of who would be
    "covers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("team", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("instead_of", Words),
    Column("start", Moment, nullable=False),
    Column("end", Moment, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),  # before its time
    Column("ended_by", Words),
    sqlite_autoincrement=True,  # an id is never given twice
)
Index("ix_covers_end", covers.c.end)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("team", Words, nullable=False),
    Column("shift", Text, nullable=False),  # which one: once each
    Column("at", Moment, nullable=False),
    Column("accepted_by", Words),
    Column("accepted_at", Moment),
    Column("told_lead", Boolean, nullable=False),
    Column("body", Json, nullable=False),
    UniqueConstraint("team", "shift"),
    sqlite_autoincrement=True,  # an id is never given twice
)

groups = Table(  # members of Slack's user groups, as they were last read
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("members", Json, nullable=False),
    Column("read_at", Moment, nullable=False),
)
