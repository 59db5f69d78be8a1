"""The tables of what is known of jobs beside their starts: what is seen of them over there, and since when
their own schedule holds. A change needs its migration beside."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text

from bot.store.columns import Moment, Words
from bot.store.tables import metadata

sightings = Table(  # runs in the outside system, whoever started them
    "sightings",
    metadata,
    Column("job", Words, primary_key=True),
    Column("external_id", Words, primary_key=True),
    Column("state", Text, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("by", Words, nullable=False),
    Column("link", Words),
    Column("outcome", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("first_seen", Moment, nullable=False),
)
Index("ix_sightings_newest", sightings.c.job, sightings.c.first_seen)

watched_jobs = Table(
    "watched_jobs",
    metadata,
    Column("job", Words, primary_key=True),
    Column("due_by", Words, nullable=False),  # its schedule, as the files say it
    Column("since", Moment, nullable=False),  # when that began to hold
    Column("looked_at", Moment),  # when somebody began to look
    Column("seen_at", Moment),  # when that went well
    Column("schedule", Words, nullable=False),  # over there
    Column("paused", Boolean),
    Column("next_at", Moment),
    Column("trouble", Words, nullable=False),
    Column("trouble_since", Moment),
)
