"""Starts of jobs can be cancelled and keep the end of their log; what is seen of jobs that others start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    for name, kind in (
        ("cancel_by", sa.Text()),
        ("cancel_at", TIME),
        ("cancel_said", sa.Text()),
        ("tail", sa.Text()),
    ):
        op.add_column("job_runs", sa.Column(name, kind, nullable=True))
    op.create_index("ix_job_runs_job", "job_runs", ["job", "id"])
    op.create_table(
        "sightings",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("link", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.PrimaryKeyConstraint("job", "external_id", name="pk_sightings"),
    )
    op.create_index("ix_sightings_newest", "sightings", ["job", "first_seen"])
    op.create_table(
        "watched_jobs",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("due_by", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("looked_at", TIME),
        sa.Column("seen_at", TIME),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean()),
        sa.Column("next_at", TIME),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("trouble_since", TIME),
        sa.PrimaryKeyConstraint("job", name="pk_watched_jobs"),
    )
