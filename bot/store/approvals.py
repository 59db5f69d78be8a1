"""Jobs that wait for a second person: asked for once a key, decided once, each with what Slack is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from bot.core.approval import Approval, ApprovalState, Says, approval_of, notice_of
from bot.core.job_run import JobRun
from bot.core.trail import Line
from bot.store.codec import pack_values, unpack_values
from bot.store.columns import free
from bot.store.database import Database
from bot.store.job_runs import ask_in
from bot.store.notices import add_notices, changed
from bot.store.tables_of_people import STILL_OPEN
from bot.store.tables_of_people import approvals as t
from bot.store.trail import add_lines

WAITING = ApprovalState.waiting.value
NAMES = {"asked_by": "by", "alert_id": "alert"}  # columns that are called otherwise in an Approval
COLUMNS = [
    *("id", "job", "title", "binding", "asked_by", "asked_at", "expires_at", "alert_id"),
    *("decided_by", "decided_at", "why"),
]

# Asked twice a second, so built once.
STILL_WAITING = select(t).where(STILL_OPEN, t.c.state == WAITING).order_by(t.c.id).limit(bindparam("limit"))
UNTOLD = (
    select(t)
    .where(STILL_OPEN, t.c.told != t.c.state, t.c.alert_id.is_not(None), free(t.c.lease_until))
    .order_by(t.c.id)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True)
class Order:
    """A job that somebody asks for, and what makes it the same asking."""

    key: str
    job: str
    title: str
    params: Mapping[str, Any]
    binding: str
    by: str
    alert: int | None
    asked_at: datetime
    expires_at: datetime
    team: str = ""  # whose job it is


class Approvals:
    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, order: Order) -> Approval:
        """Records that it is asked for; the approval that exists already where the key is known, or where the
        same waits for the same alert: two askers start it once."""
        values = {
            **{
                name: getattr(order, name)
                for name in ("key", "job", "title", "binding", "asked_at", "expires_at")
            },
            "params": pack_values(order.params),
            "asked_by": order.by,
            "alert_id": order.alert,
            "state": WAITING,
            **dict.fromkeys(("decided_by", "why"), ""),
            "told": WAITING,
        }
        same = (t.c.binding == order.binding, t.c.alert_id.is_not_distinct_from(order.alert))
        waits = select(t).where(STILL_OPEN, t.c.state == WAITING, t.c.expires_at > order.asked_at, *same)
        with self._database.write() as c:
            if (found := c.execute(waits.order_by(t.c.id).limit(1)).first()) is not None:
                return _approval(found)
            c.execute(self._database.insert(t).values(values).on_conflict_do_nothing())
            asked = _approval(c.execute(select(t).where(t.c.key == order.key)).one())
            card = notice_of(asked.id, Says.card, order.team)
            add_notices(self._database, c, [card], order.asked_at)
            return asked

    def decide(self, decided: Approval, run_until: timedelta | None = None, line: Line | None = None) -> bool:
        """What became of it, where nothing had yet. With `run_until` its job is asked for in the same
        transaction, to end within that time: approved is started, once, whoever dies meanwhile. `line` is
        the audit's."""
        assert decided.decided_at
        values = {
            "state": decided.state.value,
            "decided_by": decided.decided_by,
            "decided_at": decided.decided_at,
            "why": decided.why,
        }
        values |= {} if decided.alert else {"told": decided.state.value}  # there is no history to tell
        with self._database.write() as c:
            change = update(t).where(t.c.id == decided.id, t.c.state == WAITING)
            if c.execute(change.values(values)).rowcount != 1:
                return False
            add_lines(c, [line] if line else [])
            changed(c, decided.key)
            add_notices(self._database, c, [notice_of(decided.id, Says.decided, "")], decided.decided_at)
            if run_until is not None:
                now = decided.decided_at
                run = JobRun(0, decided.job, decided.by, decided.key, now, now + run_until, poll_at=now)
                ask_in(self._database, c, run, decided.params, decided.alert)
            return True

    def get(self, approval_id: int) -> Approval | None:
        return next(iter(self._all(select(t).where(t.c.id == approval_id))), None)

    def of_run(self, key: str) -> Approval | None:
        """The one that allowed the start with this idempotency key."""
        number = approval_of(key)
        return self.get(number) if number else None

    def waiting(self, limit: int = 100) -> list[Approval]:
        """Oldest first."""
        return self._all(STILL_WAITING, {"limit": limit})

    def untold(self, now: datetime, limit: int = 50) -> list[Approval]:
        """Decided, and the history of their alert does not say so yet."""
        return self._all(UNTOLD, {"now": now, "limit": limit})

    def take(self, approval_id: int, now: datetime, lease: timedelta) -> bool:
        """The right to tell its alert, until the lease runs out. False: another has it."""
        mine = update(t).where(t.c.id == approval_id, t.c.told != t.c.state, free(t.c.lease_until, now))
        with self._database.write() as c:
            return c.execute(mine.values(lease_until=now + lease)).rowcount == 1

    def told(self, approval: Approval) -> None:
        with self._database.write() as c:
            change = update(t).where(t.c.id == approval.id)
            c.execute(change.values(told=approval.state.value, lease_until=None))

    def _all(self, query: Any, asked: Mapping[str, Any] | None = None) -> list[Approval]:
        with self._database.read() as c:
            return [_approval(row) for row in c.execute(query, asked)]


def _approval(row: Row[Any]) -> Approval:
    values = {NAMES.get(name, name): getattr(row, name) for name in COLUMNS}
    return Approval(**values, params=unpack_values(row.params), state=ApprovalState(row.state))
