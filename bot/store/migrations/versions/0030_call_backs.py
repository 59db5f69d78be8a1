"""The end of a job's run can be told by whoever knows its token."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("token", sa.Text(), nullable=True))
