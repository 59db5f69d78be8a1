"""A failed run may be tried again, at a time that is written down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
TO_BE_TRIED = sa.text("retry_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("retry_at", TIME, nullable=True))
    op.create_index(
        "ix_runs_retry", "runs", ["retry_at"], sqlite_where=TO_BE_TRIED, postgresql_where=TO_BE_TRIED
    )
