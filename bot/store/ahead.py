"""Times that lie further ahead than they ever should: written while the clock was ahead, and it is no more.

Left alone they would be waited for: leases of the dead, slots, retries. What was looked at by such a clock is
undone by `Ledger.step_back`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select, update

from bot.store.codec import microseconds
from bot.store.database import Database
from bot.store.tables import (
    NOT_OVER,
    RUNNING,
    UNDONE,
    effects,
    job_runs,
    messages,
    pacing,
    runs,
)
from bot.store.tables_backfills import BEGUN, backfills
from bot.store.tables_of_people import STILL_OPEN, approvals

APART = timedelta(minutes=5)  # by so much the clocks of two processes may differ
LONGEST = timedelta(minutes=15)  # of leases and pauses: longer than the longest of them
LONG_AGO = timedelta(days=1)  # a message sent by a wrong clock is looked for so far back
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def set_right(database: Database, now: datetime) -> int:
    """Brings every such time back to `now`; how many there were. Safe at any time: whose lease is ended by it
    cannot save, as after any takeover."""
    with database.write() as c:
        return sum(
            (
                _back(c, runs, runs.c.lease_until, now, RUNNING, after=APART),
                _back(c, runs, runs.c.retry_at, now),
                _back(c, effects, effects.c.lease_until, now, UNDONE),
                _back(c, effects, effects.c.due_at, now, UNDONE),
                _back(c, approvals, approvals.c.lease_until, now, STILL_OPEN),
                _back(c, approvals, approvals.c.expires_at, now, STILL_OPEN),  # it is over: ask again
                _back(c, backfills, backfills.c.lease_until, now, BEGUN, after=APART),
                _back(c, messages, messages.c.lease_until, now, after=APART),
                _back(c, messages, messages.c.retry_at, now),
                _back(c, messages, messages.c.look_again_at, now, after=APART),
                _back(c, messages, messages.c.absent_at, now, after=APART),
                _back(c, messages, messages.c.sending_since, now, after=APART, to=now - LONG_AGO),
                _slots(c, now),
                _jobs(c, now),
            )
        )


def _back(
    c: Connection,
    table: Table,
    column: Column[Any],
    now: datetime,
    *where: Any,
    after: timedelta = LONGEST,
    to: datetime | None = None,
) -> int:
    ahead = update(table).where(column > now + after, *where)
    return c.execute(ahead.values({column.name: to or now})).rowcount


def _slots(c: Connection, now: datetime) -> int:
    far = microseconds(now + LONGEST - EPOCH)
    return c.execute(delete(pacing).where(pacing.c.free_at_us > far)).rowcount


def _jobs(c: Connection, now: datetime) -> int:
    """A job that was asked for ahead of now was asked for now, and has its whole time from here."""
    mended = 0
    for run in c.execute(select(job_runs).where(NOT_OVER)).all():
        by = max(timedelta(), run.asked_at - now)
        deadline = run.deadline - by
        values: dict[str, Any] = {"asked_at": run.asked_at - by, "deadline": deadline} if by > APART else {}
        if run.poll_at and run.poll_at > now + LONGEST:
            values["poll_at"] = now
        if run.lease_until and run.lease_until > max(deadline, now) + LONGEST:
            values["lease_until"] = now
        if values:
            mended += c.execute(update(job_runs).where(job_runs.c.id == run.id).values(values)).rowcount
    return mended
