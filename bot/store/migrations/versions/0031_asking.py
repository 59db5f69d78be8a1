"""Pages that ask for somebody are found at once, to take their button away when they are answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

ASKING = sa.text("effect_id IS NOT NULL AND shown_seq > 0")


def upgrade() -> None:
    op.create_index(
        "ix_messages_asking", "messages", ["effect_id"], sqlite_where=ASKING, postgresql_where=ASKING
    )
