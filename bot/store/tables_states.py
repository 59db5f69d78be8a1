"""The tables of how upstreams are, and of what was run for which of their states."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from bot.store.columns import Json, Moment, Words
from bot.store.tables import Id, metadata

states = Table(  # of each upstream the newest few: its updates
    "states",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ref", Words, nullable=False),
    Column("mark", Words, nullable=False),
    Column("at", Moment, nullable=False),  # until when its data are there, or when it ended
    Column("seen_at", Moment, nullable=False),
    UniqueConstraint("ref", "mark"),
    sqlite_autoincrement=True,  # an id is never given twice
)
Index("ix_states_newest", states.c.ref, states.c.id)

ran_for = Table(  # the states that each run after an upstream was for
    "ran_for",
    metadata,
    Column("id", Id, primary_key=True),
    Column("consumer", Words, nullable=False),  # policy:x or job:x
    Column("stamp", Text, nullable=False),  # the detail of the run's cause
    Column("states", Json, nullable=False),  # [ref, mark, at, number] of each
    Column("at", Moment, nullable=False),
    UniqueConstraint("consumer", "stamp"),
    sqlite_autoincrement=True,  # an id is never given twice
)
Index("ix_ran_for_newest", ran_for.c.consumer, ran_for.c.id)
