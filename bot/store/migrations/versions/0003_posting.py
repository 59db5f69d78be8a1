"""Files that are sent, and evidence that no run has found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("messages", sa.Column("file_id", sa.Text(), nullable=True))
    with op.batch_alter_table("evidence", table_kwargs={"sqlite_autoincrement": True}) as evidence:
        evidence.alter_column("run_id", existing_type=ID, nullable=True)
