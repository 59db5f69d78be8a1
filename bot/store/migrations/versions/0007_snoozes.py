"""Snoozes of entities and policies, whom alerts are about, what is asked for, what is ordered for a while."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
TEXT = sa.Text()


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.add_column("snoozes", sa.Column("ended_by", TEXT, nullable=True))
    op.add_column("snoozes", sa.Column("of_id", ID, nullable=True))
    op.create_index("ix_snoozes_scoped", "snoozes", ["ended_at"], **where("alert_id IS NULL"))
    op.create_index("ix_snoozes_copies", "snoozes", ["of_id"], **where("of_id IS NOT NULL"))
    op.create_table(
        "alert_entities",
        sa.Column("entity_hash", TEXT, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_entities_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entity_hash", "alert_id", name=op.f("pk_alert_entities")),
    )
    op.create_index("ix_alert_entities_alert", "alert_entities", ["alert_id"])
    op.create_table(
        "asks",
        sa.Column("id", ID, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asks")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "orders",
        sa.Column("id", ID, nullable=False),
        sa.Column("policy", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("interval_s", sa.Float(), nullable=True),
        sa.Column("until", TIME, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_orders_on", "orders", ["policy", "kind"], unique=True, **where("ended_at IS NULL"))
