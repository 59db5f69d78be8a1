"""Pages that ask for somebody are found at once; pictures that were uploaded are remembered, to be deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

TIME = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
ASKING = sa.text("effect_id IS NOT NULL AND shown_seq > 0")


def upgrade() -> None:
    op.create_index(
        "ix_messages_asking", "messages", ["effect_id"], sqlite_where=ASKING, postgresql_where=ASKING
    )
    op.create_table(
        "pictures",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_pictures")),
    )
