"""A run says what its query asks, so that who takes it over can take up the query that runs already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("runs", sa.Column("query_asks", sa.Text(), nullable=True))
