"""Bundles that lie in git repositories: what was pulled of each, and what it holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pulls",
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("since", TIME, nullable=True),
        sa.Column("pulled_at", TIME, nullable=True),
        sa.Column("tried_at", TIME, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bundle", name=op.f("pk_pulls")),
        sa.ForeignKeyConstraint(["hash"], ["contents.hash"], name=op.f("fk_pulls_hash")),
    )
