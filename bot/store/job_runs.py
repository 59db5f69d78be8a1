"""Starts of jobs: asked for once per idempotency key, moved on by compare and set on their state."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select, update

from bot.core.approval import Says, approval_of, notice_of
from bot.core.job_run import JobRun, JobState
from bot.core.upstream import State
from bot.store.codec import pack_values, unpack_values
from bot.store.columns import NOW, free
from bot.store.database import Database
from bot.store.notices import add_notices, changed
from bot.store.states import record_in
from bot.store.tables import NOT_OVER
from bot.store.tables import job_runs as t

NAMES = {"asked_by": "by", "alert_id": "alert"}  # columns that are called otherwise in a JobRun
COLUMNS = [column.name for column in t.c if column.name not in ("lease_until", "token")]
OF_CANCEL = ("cancel_by", "cancel_at", "cancel_said")  # written by those who ask for its end alone
RECORDED = [name for name in COLUMNS if name not in ("id", *OF_CANCEL)]

# Asked twice a second, so built once.
RIPE = or_(t.c.poll_at <= NOW, and_(t.c.ended_at.is_(None), or_(t.c.poll_at.is_(None), t.c.deadline <= NOW)))
DUE = select(t).where(NOT_OVER, RIPE, free(t.c.lease_until)).order_by(t.c.id).limit(bindparam("limit"))


class JobRuns:
    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
        self,
        job: str,
        by: str,
        params: Mapping[str, Any],
        alert: int | None,
        idempotency_key: str,
        now: datetime,
        deadline: datetime,
        poll_at: datetime | None = None,
    ) -> JobRun:
        """Records that a job should start; the run that exists already where the key is known."""
        run = JobRun(0, job, by, idempotency_key, now, deadline, poll_at=poll_at)
        with self._database.write() as c:
            return ask_in(self._database, c, run, params, alert)

    def take(
        self, run_id: int, was_state: JobState, to_state: JobState, now: datetime, lease: timedelta
    ) -> bool:
        """The right to move the run on until the lease runs out. False: another has it."""
        mine = update(t).where(t.c.id == run_id, t.c.state == was_state.value, free(t.c.lease_until, now))
        taken = mine.values(state=to_state.value, lease_until=now + lease, attempts=t.c.attempts + 1)
        with self._database.write() as c:
            return c.execute(taken).rowcount == 1

    def record(self, run: JobRun, was: JobState, made: Sequence[State] = ()) -> bool:
        """What the run now is, where it still is in the state that it `was` in, and the states of assets that
        it has made; ends the lease."""
        values = {name: getattr(run, NAMES.get(name, name)) for name in RECORDED}
        values |= {"state": run.state.value, "params": pack_values(run.params), "lease_until": None}
        with self._database.write() as c:
            before = c.execute(select(t.c.outcome).where(t.c.id == run.id)).scalar()
            change = update(t).where(t.c.id == run.id, t.c.state == was.value)
            if c.execute(change.values(values)).rowcount != 1:
                return False
            record_in(self._database, c, made, run.ended_at or run.asked_at)
            if approval := approval_of(run.idempotency_key):
                self._show(c, approval, run, was, before)
            return True

    def _show(self, c: Connection, approval: int, run: JobRun, was: JobState, before: str | None) -> None:
        """What a second person agreed to shows how it goes; under its card stands what came of it, once."""
        if (was, before) != (run.state, run.outcome):
            changed(c, run.idempotency_key)
        if run.state.ended:
            over = notice_of(approval, Says.ended, "")
            add_notices(self._database, c, [over], run.ended_at or run.asked_at)

    def due(self, now: datetime, limit: int = 50) -> list[JobRun]:
        """Runs to start, to ask after, to end because their time is up, or of whose end is still to be told
        (ended, with a `poll_at`); oldest first. Nobody else has a lease on them."""
        return self._all(DUE, {"now": now, "limit": limit})

    def of_alert(self, alert_id: int) -> list[JobRun]:
        return self._all(select(t).where(t.c.alert_id == alert_id).order_by(t.c.id))

    def of_job(self, job: str, limit: int = 20) -> list[JobRun]:
        """Newest first."""
        return self._all(select(t).where(t.c.job == job).order_by(t.c.id.desc()).limit(limit))

    def unended(self, job: str) -> list[JobRun]:
        """Those that have not ended, oldest first."""
        return self._all(select(t).where(NOT_OVER, t.c.job == job, t.c.ended_at.is_(None)).order_by(t.c.id))

    def last_key(self, job: str, prefix: str) -> str | None:
        """The newest idempotency key of the job's that begins so."""
        mine = (t.c.job == job, t.c.idempotency_key.startswith(prefix, autoescape=True))
        with self._database.read() as c:
            return c.execute(
                select(t.c.idempotency_key).where(*mine).order_by(t.c.id.desc()).limit(1)
            ).scalar()

    def last_good(self, job: str) -> JobRun | None:
        """The one that succeeded last."""
        good = select(t).where(t.c.job == job, t.c.state == JobState.succeeded.value)
        return next(iter(self._all(good.order_by(t.c.ended_at.desc(), t.c.id.desc()).limit(1))), None)

    def ask_end(self, run_id: int, by: str, now: datetime) -> bool:
        """Records that somebody asks for its end, and that it is looked at now. False where somebody has
        asked already, or it has ended."""
        open_ = (t.c.id == run_id, t.c.ended_at.is_(None), t.c.cancel_at.is_(None))
        values = {"cancel_by": by, "cancel_at": now, "poll_at": now}
        with self._database.write() as c:
            return c.execute(update(t).where(*open_).values(values)).rowcount == 1

    def end_said(self, run_id: int, words: str, *, goes_on: bool = False) -> None:
        """What the outside system said to that. `goes_on`: it refused, and may be asked again."""
        values: dict[str, Any] = {"cancel_said": words}
        values |= {"cancel_at": None, "cancel_by": None} if goes_on else {}
        with self._database.write() as c:
            c.execute(update(t).where(t.c.id == run_id).values(values))

    def recent(self, limit: int = 20) -> list[JobRun]:
        """Newest first."""
        return self._all(select(t).order_by(t.c.id.desc()).limit(limit))

    def of_key(self, key: str) -> JobRun | None:
        return next(iter(self._all(select(t).where(t.c.idempotency_key == key))), None)

    def get(self, run_id: int) -> JobRun | None:
        return next(iter(self._all(select(t).where(t.c.id == run_id))), None)

    def token(self, key: str) -> tuple[int, str] | None:
        """The number of the run of this key, and the secret with which its end may be told: the same for
        whoever asks, made when that is done first. None where there is no such run."""
        mine, new = t.c.idempotency_key == key, secrets.token_urlsafe(24)
        with self._database.write() as c:
            c.execute(update(t).where(mine, t.c.token.is_(None)).values(token=new))
            row = c.execute(select(t.c.id, t.c.token).where(mine)).first()
            return (row.id, row.token) if row else None

    def of_token(self, run_id: int, token: str) -> JobRun | None:
        """The run of this number, if that is its secret."""
        row = None
        with self._database.read() as c:
            row = c.execute(select(t).where(t.c.id == run_id)).first()
        right = (row.token if row else None) or ""
        same = hmac.compare_digest(right.encode(), token.encode("utf-8", "replace"))
        return run_of(row) if row and right and same else None

    def _all(self, query: Any, asked: Mapping[str, Any] | None = None) -> list[JobRun]:
        with self._database.read() as c:
            return [run_of(row) for row in c.execute(query, asked)]


def ask_in(
    database: Database, c: Connection, run: JobRun, params: Mapping[str, Any], alert: int | None
) -> JobRun:
    """`JobRuns.ask` as a part of another transaction."""
    values = {
        "job": run.job,
        "asked_by": run.by,
        "idempotency_key": run.idempotency_key,
        "asked_at": run.asked_at,
        "deadline": run.deadline,
        "params": pack_values(params),
        "alert_id": alert,
        "state": JobState.asked.value,
        "outcome": "",
        "poll_at": run.poll_at,
        "attempts": 0,
    }
    c.execute(database.insert(t).values(values).on_conflict_do_nothing())
    return run_of(c.execute(select(t).where(t.c.idempotency_key == run.idempotency_key)).one())


def run_of(row: Row[Any]) -> JobRun:
    values = {NAMES.get(name, name): getattr(row, name) for name in COLUMNS}
    return JobRun(**{**values, "state": JobState(row.state), "params": unpack_values(row.params)})
