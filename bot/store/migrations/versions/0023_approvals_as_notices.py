"""Approvals are told as notices: what stands of each in Slack moves to the messages of its notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

SHOWN = ("channel", "ts", "said", "shown", "sending_since", "retry_at", "shows_all")
SAYS = ("card", "decided", "ended")
OPEN = sa.text("(state = 'waiting' OR told <> state)")
NOTICES = sa.table(
    "notices",
    *(sa.column(name) for name in ("id", "key", "team", "to", "seq", "since", "state", "result")),
    sa.column("body", sa.JSON()),
)
MESSAGES = sa.table(
    "messages",
    *(sa.column(name) for name in ("delivery", "channel", "ts", "state", "shown_seq", "sending_since")),
    *(sa.column(name) for name in ("thread_ts", "attempts", "error", "notice_id")),
)
UNSHOWN = """
    SELECT a.*, r.ended_at AS job_ended FROM approvals a
    LEFT JOIN job_runs r ON r.idempotency_key = 'approval-' || a.id WHERE NOT a.shows_all ORDER BY a.id
"""


def upgrade() -> None:
    for row in op.get_bind().execute(sa.text(UNSHOWN)).mappings().all():
        _told_as_notices(dict(row))
    op.execute("UPDATE approvals SET told = state WHERE alert_id IS NULL AND state <> 'waiting'")
    op.drop_index("ix_approvals_shown", table_name="approvals")
    for name in SHOWN:
        op.drop_column("approvals", name)
    op.create_index("ix_approvals_open", "approvals", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)


def _told_as_notices(row: Mapping[str, Any]) -> None:
    """One for each message that stands, is under way, or is to be sent. What is under way is looked for."""
    there = (True, row["state"] != "waiting", row["job_ended"] is not None)
    for number, says in enumerate(SAYS):
        stands, sending = number < row["said"], number == row["said"] and row["sending_since"] is not None
        if not there[number]:
            continue
        line = bool(number)
        card = f"approval-{row['id']}"
        body = {"approval": row["id"], "says": says} | ({"under": card} if line else {})
        values = {"key": f"{card}-{says}" if line else card, "team": "", "to": "", "body": body, "seq": 1}
        values |= {"since": row["asked_at"], "result": "", "state": "done" if stands and line else "pending"}
        made = op.get_bind().execute(NOTICES.insert().values(values).returning(NOTICES.c.id)).scalar_one()
        if sending or (stands and not line):
            _message(row, f"{card}-{number}", made, stands, line)


def _message(row: Mapping[str, Any], delivery: str, notice: int, stands: bool, line: bool) -> None:
    op.execute(
        MESSAGES.insert().values(
            delivery=delivery,
            channel=row["channel"],
            thread_ts=row["ts"] if line else None,
            ts=row["ts"] if stands else None,
            state="posted" if stands else "sending",
            shown_seq=0 if stands else -1,
            sending_since=None if stands else row["sending_since"],
            attempts=0 if stands else 1,
            error="",
            notice_id=notice,
        )
    )
