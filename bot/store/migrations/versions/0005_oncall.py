"""Covers and take-overs, notices that are about no alert, handoffs of shifts, members of Slack's user groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
BY_PEOPLE = sa.text("actor <> 'patrol'")
UNTOLD = sa.text("state = 'pending'")


def upgrade() -> None:
    op.create_table(
        "covers",
        sa.Column("id", ID, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("instead_of", sa.Text(), nullable=True),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_covers")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_covers_end", "covers", ["end"])
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("key", name=op.f("uq_notices_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notices_untold", "notices", ["id"], sqlite_where=UNTOLD, postgresql_where=UNTOLD
    )
    op.create_table(
        "handoffs",
        sa.Column("id", ID, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("shift", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("accepted_at", TIME, nullable=True),
        sa.Column("told_lead", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
        sa.UniqueConstraint("team", "shift", name=op.f("uq_handoffs_team_shift")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("read_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
    )
    with op.batch_alter_table("messages") as messages:
        messages.alter_column("alert_id", existing_type=ID, nullable=True)
        messages.add_column(sa.Column("notice_id", ID, nullable=True))
        messages.create_foreign_key(
            op.f("fk_messages_notice_id"), "notices", ["notice_id"], ["id"], ondelete="CASCADE"
        )
    op.create_index("uq_messages_notice", "messages", ["notice_id"], unique=True)
    op.create_index(
        "ix_history_people",
        "history",
        ["actor", "at"],
        sqlite_where=BY_PEOPLE,
        postgresql_where=BY_PEOPLE,
    )
