"""Backfills that the bot carries out: how far each policy's is, one at a time of a policy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", ID, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("worked_s", sa.Float(), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("lease_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfills")),
        sqlite_autoincrement=True,
    )
    begun = sa.text("ended_at IS NULL")
    op.create_index("ix_backfills_begun", "backfills", ["id"], sqlite_where=begun, postgresql_where=begun)
    op.create_table(
        "backfill_stages",
        sa.Column("backfill_id", ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME, nullable=False),
        sa.Column("each_s", sa.Float(), nullable=True),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("bad_rows", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("backfill_id", "n", name=op.f("pk_backfill_stages")),
        sa.ForeignKeyConstraint(
            ["backfill_id"],
            ["backfills.id"],
            name=op.f("fk_backfill_stages_backfill_id"),
            ondelete="CASCADE",
        ),
    )
    held = sa.text("held")
    op.create_index(
        "uq_backfill_stages_held",
        "backfill_stages",
        ["policy"],
        unique=True,
        sqlite_where=held,
        postgresql_where=held,
    )
