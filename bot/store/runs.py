"""Runs: claimed under a lease with a fencing token, taken over with their window, ended once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, or_, select, update

from bot.store.database import Database
from bot.store.ledger import fold
from bot.store.tables import ONE_RUNNING, RUNNING, TICKS, evidence, policy_state
from bot.store.tables import runs as t
from bot.store.values import DeadRun, Done, Held, RunRecord
from sensors.model.run import Cause, Run, RunStatus
from sensors.model.window import Window

Claim = Run | Held | Done


class Runs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self,
        policy: str,
        cause: Cause,
        due: datetime,
        *,
        window_of: Callable[[datetime | None], Window],
        incremental: bool,
        content: str,
        now: datetime,
        lease: timedelta,
        by: str | None = None,
        alert: int | None = None,
    ) -> Claim:
        """The right to run this cause, or who has it, or how it ended.

        A new run gets the window that `window_of` makes of the watermark; one whose lease ran out is taken
        over with the window and watermark that it began with. `window_of` must be quick: it is called inside
        the transaction.
        """
        with self._database.write() as c:
            mine, other = _known(c, policy, cause, incremental)
            if mine:
                return _taken_over(c, mine, now, lease)
            if other:
                return Held(other.lease_until, Cause.parse(other.cause))
            watermark = _watermark(c, policy, hold=incremental)
            run = Run(0, policy, cause, due, window_of(watermark), token_hex(8), watermark, 1, by, alert)
            values = {**_claim_columns(run, now + lease, now), "incremental": incremental, "content": content}
            run_id = c.execute(self._database.insert_or_leave(t), values).scalar()
            if run_id is None:  # somebody was quicker between our look and our insert
                return _who_has_it(c, policy, cause, now)
            return replace(run, id=run_id)

    def extend(self, run: Run, now: datetime, lease: timedelta) -> bool:
        """A longer lease for a run that still is ours; False: it was taken over, stop."""
        return self._change(run, lease_until=now + lease)

    def fail(self, run: Run, status: RunStatus, error: str, now: datetime, elapsed_s: float = 0.0) -> bool:
        """The end of a run that gave nothing. False: it was taken over, its new owner decides."""
        return self._change(run, status=status.value, error=error, ended_at=now, elapsed_s=elapsed_s)

    def _change(self, run: Run, **values: Any) -> bool:
        with self._database.write() as c:
            return change_run(c, run, **values)

    def skip(self, policy: str, cause: Cause, due: datetime, why: str, now: datetime) -> None:
        """Records that a cause was not run, and why. A cause that is known already stays as it is."""
        values = {
            "policy": policy,
            "cause": str(cause),
            "kind": cause.kind.value,
            "due": due,
            "status": RunStatus.skipped.value,
            "incremental": False,
            "attempt": 0,
            "content": "",
            "ended_at": now,
            "error": why,
        }
        with self._database.write() as c:
            c.execute(self._database.insert_or_leave(t), values)

    def dead(self, now: datetime, limit: int = 50) -> list[DeadRun]:
        """Runs whose lease ran out, longest dead first."""
        query = select(t).where(RUNNING, t.c.lease_until <= now).order_by(t.c.lease_until).limit(limit)
        with self._database.read() as c:
            return [
                DeadRun(r.policy, Cause.parse(r.cause), r.due, r.asked_by, r.alert_id)
                for r in c.execute(query)
            ]

    def last(self, policies: Iterable[str] | None = None) -> dict[str, RunRecord]:
        """The newest run of each policy (of these, or of all)."""
        newest = select(func.max(t.c.id)).group_by(t.c.policy)
        if policies is not None:
            newest = newest.where(t.c.policy.in_(list(policies)))
        with self._database.read() as c:
            return {r.policy: _record(r) for r in c.execute(select(t).where(t.c.id.in_(newest)))}

    def recent(self, policy: str, limit: int = 20) -> list[RunRecord]:
        query = select(t).where(t.c.policy == policy).order_by(t.c.id.desc()).limit(limit)
        with self._database.read() as c:
            return [_record(r) for r in c.execute(query)]

    def watermark(self, policy: str) -> datetime | None:
        with self._database.read() as c:
            return _watermark(c, policy)

    def last_tick(self, policy: str) -> datetime | None:
        """The newest due time whose tick was claimed or skipped: what came after it was missed."""
        with self._database.read() as c:
            return c.execute(select(func.max(t.c.due)).where(t.c.policy == policy, TICKS)).scalar()

    def prune(self, before: datetime) -> int:
        """Forgets runs that ended before then, but not those behind an alert or a policy's newest; what they
        looked at goes into the ledger."""
        newest = select(func.max(t.c.id)).group_by(t.c.policy)
        newest_tick = select(func.max(t.c.id)).where(TICKS).group_by(t.c.policy)
        gone = (
            t.c.ended_at < before,
            t.c.alert_id.is_(None),
            ~exists().where(evidence.c.run_id == t.c.id),
            t.c.id.not_in(newest),
            t.c.id.not_in(newest_tick),
        )
        with self._database.write() as c:
            fold(c, gone)
            return c.execute(delete(t).where(*gone)).rowcount


# Statements are built once: what they cost is mostly their building.
KNOWN = select(t).where(t.c.policy == bindparam("its_policy"))
OF_CAUSE = KNOWN.where(t.c.cause == bindparam("its_cause"))
OR_INCREMENTAL = KNOWN.where(or_(t.c.cause == bindparam("its_cause"), ONE_RUNNING))
WATERMARK = select(policy_state.c.watermark).where(policy_state.c.policy == bindparam("its_policy"))
HELD_WATERMARK = WATERMARK.with_for_update()
MINE = update(t).where(t.c.id == bindparam("its_id"), t.c.token == bindparam("its_token"), RUNNING)
MOVE = update(policy_state).where(
    policy_state.c.policy == bindparam("its_policy"), policy_state.c.watermark == bindparam("was")
)


def change_run(c: Connection, run: Run, **values: Any) -> bool:
    """Changes a run only while it is running under its token."""
    return c.execute(MINE, {"its_id": run.id, "its_token": run.token, **values}).rowcount == 1


def move_watermark(database: Database, c: Connection, run: Run, end: datetime) -> bool:
    """Forward only, and only from where the run began; a run that moves nothing still needs it there."""
    was = run.from_watermark
    aim = max(was or end, end) if run.cause.moves_watermark else was
    if was is not None:
        return c.execute(MOVE, {"its_policy": run.policy, "was": was, "watermark": aim}).rowcount == 1
    first = database.insert(policy_state).values(policy=run.policy, watermark=aim)
    upsert = first.on_conflict_do_update(
        index_elements=[policy_state.c.policy],
        set_={"watermark": aim},
        where=policy_state.c.watermark.is_(None),
    )
    return c.execute(upsert.returning(policy_state.c.policy)).first() is not None


def _known(
    c: Connection, policy: str, cause: Cause, incremental: bool
) -> tuple[Row[Any] | None, Row[Any] | None]:
    """The run of this cause; and, for an incremental one, the policy's run that stands in its way."""
    name = str(cause)
    query = OR_INCREMENTAL if incremental else OF_CAUSE
    found = c.execute(query, {"its_policy": policy, "its_cause": name}).all()
    return (
        next((row for row in found if row.cause == name), None),
        next((row for row in found if row.cause != name), None),
    )


def _watermark(c: Connection, policy: str, hold: bool = False) -> datetime | None:
    return c.execute(HELD_WATERMARK if hold else WATERMARK, {"its_policy": policy}).scalar()


def _taken_over(c: Connection, found: Row[Any], now: datetime, lease: timedelta) -> Claim:
    cause = Cause.parse(found.cause)
    if found.status != RunStatus.running:
        return Done(RunStatus(found.status))
    if found.lease_until > now:
        return Held(found.lease_until, cause)
    token, attempt = token_hex(8), found.attempt + 1
    mine = update(t).where(t.c.id == found.id, t.c.token == found.token, RUNNING, t.c.lease_until <= now)
    taken = mine.values(token=token, attempt=attempt, lease_until=now + lease, started_at=now)
    if c.execute(taken).rowcount != 1:
        return _who_has_it(c, found.policy, cause, now)
    return Run(
        found.id,
        found.policy,
        cause,
        found.due,
        Window(found.window_start, found.window_end, found.baseline_start),
        token,
        found.from_watermark,
        attempt,
        found.asked_by,
        found.alert_id,
    )


def _who_has_it(c: Connection, policy: str, cause: Cause, now: datetime) -> Held | Done:
    """Who was quicker. Where even he is gone already, `Held` until now: ask again."""
    mine, other = _known(c, policy, cause, True)
    if mine and mine.status != RunStatus.running:
        return Done(RunStatus(mine.status))
    holder = mine or other
    return Held(holder.lease_until, Cause.parse(holder.cause)) if holder else Held(now, cause)


def _claim_columns(run: Run, until: datetime, now: datetime) -> dict[str, Any]:
    return {
        "policy": run.policy,
        "cause": str(run.cause),
        "kind": run.cause.kind.value,
        "due": run.due,
        "status": RunStatus.running.value,
        **_window_columns(run.window),
        "from_watermark": run.from_watermark,
        "token": run.token,
        "lease_until": until,
        "attempt": run.attempt,
        "asked_by": run.by,
        "alert_id": run.alert,
        "started_at": now,
    }


def _window_columns(window: Window) -> dict[str, datetime | None]:
    return {
        "window_start": window.start,
        "window_end": window.end,
        "baseline_start": window.baseline_start,
    }


def ended_columns(window: Window, now: datetime) -> dict[str, Any]:
    """The columns of a run that succeeded over this window."""
    return {**_window_columns(window), "status": RunStatus.succeeded.value, "ended_at": now}


def _record(r: Row[Any]) -> RunRecord:
    return RunRecord(
        r.policy,
        Cause.parse(r.cause),
        RunStatus(r.status),
        r.due,
        None if r.window_end is None else Window(r.window_start, r.window_end, r.baseline_start),
        r.started_at,
        r.ended_at,
        r.rows or 0,
        r.violations or 0,
        r.error or "",
        r.query_id,
        r.elapsed_s or 0.0,
        r.attempt,
        r.content,
    )
