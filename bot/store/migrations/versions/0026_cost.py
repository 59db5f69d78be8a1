"""A run says how much it brought, and runs are found by when they ended: what a policy costs is their sum."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("runs", sa.Column("bytes", sa.BigInteger(), nullable=True))
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index("ix_runs_ended", "runs", ["ended_at"], sqlite_where=ended, postgresql_where=ended)
