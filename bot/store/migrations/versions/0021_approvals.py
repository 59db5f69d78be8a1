"""Jobs that wait for a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
SHOWN = sa.text("NOT shows_all")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("key", "job", "title")),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("binding", "asked_by")),
        *(sa.Column(name, TIME, nullable=False) for name in ("asked_at", "expires_at")),
        sa.Column("alert_id", ID, nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "decided_by")),
        sa.Column("decided_at", TIME, nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("why", "told")),
        sa.Column("lease_until", TIME, nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("channel", "ts")),
        sa.Column("said", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        *(sa.Column(name, TIME, nullable=True) for name in ("sending_since", "retry_at")),
        sa.Column("shows_all", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_approvals_alert_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("key", name=op.f("uq_approvals_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_approvals_shown"), "approvals", ["id"], sqlite_where=SHOWN, postgresql_where=SHOWN
    )
