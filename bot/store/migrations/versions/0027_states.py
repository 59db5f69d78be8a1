"""States of upstreams, and what was run for which of them; one run of each policy may wait for late data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
WAITING = sa.text("status = 'waiting'")
GOOD = sa.text("state = 'succeeded'")


def upgrade() -> None:
    op.create_table(
        "states",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_states")),
        sa.UniqueConstraint("ref", "mark", name=op.f("uq_states_ref_mark")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_states_newest", "states", ["ref", "id"])
    op.create_table(
        "ran_for",
        sa.Column("id", ID, nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("states", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ran_for")),
        sa.UniqueConstraint("consumer", "stamp", name=op.f("uq_ran_for_consumer_stamp")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ran_for_newest", "ran_for", ["consumer", "id"])
    op.create_index(
        "uq_runs_one_waiting", "runs", ["policy"], unique=True, sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_index(
        "ix_job_runs_good", "job_runs", ["job", "id"], sqlite_where=GOOD, postgresql_where=GOOD
    )
