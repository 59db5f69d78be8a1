"""Runs: claimed under a lease with a fencing token, begun again with their window, ended once.

`claims.py` has the claiming, `saving.py` how a run ends well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from bot.store.claims import NO_WINDOW, Claim, claim_all
from bot.store.database import Database
from bot.store.ledger import fold
from bot.store.tables import RETRIED, RUNNING, TICKS, WAITING, evidence, policy_state
from bot.store.tables import runs as t
from bot.store.values import Ask, DeadRun, RunRecord
from sensors.model.run import Cause, CauseKind, Run, RunStatus, Submitted
from sensors.model.window import Window


class Runs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, ask: Ask, now: datetime, lease: timedelta) -> Claim:
        """The right to run this cause, or who has it, or how it ended.

        A new run gets the window that `window_of` makes of the watermark; one whose lease ran out, or that
        is to be tried again, keeps the window and watermark that it began with.
        """
        return self.claim_all([ask], now, lease)[0]

    def claim_all(self, asks: Sequence[Ask], now: datetime, lease: timedelta) -> list[Claim]:
        """The same for many, in their order and in one transaction; what one gets harms no other."""
        if not asks:
            return []
        with self._database.write() as c:
            return claim_all(self._database, c, asks, now, lease)

    def extend(self, run: Run, now: datetime, lease: timedelta) -> bool:
        """A longer lease for a run that still is ours; False: it was taken over, stop."""
        return self._change(run, lease_until=now + lease)

    def submitted(self, run: Run, query: Submitted) -> bool:
        """Which query looks for the run now. False: it was taken over, stop."""
        return self._change(run, query_id=query.query_id, query_asks=query.asks)

    def fail(
        self,
        run: Run,
        status: RunStatus,
        error: str,
        now: datetime,
        elapsed_s: float = 0.0,
        retry_at: datetime | None = None,
    ) -> bool:
        """The end of a run that gave nothing, unless it is tried again. False: it was taken over, its new
        owner decides."""
        ended = {"status": status.value, "error": error, "ended_at": now, "retry_at": retry_at}
        mine = {"its_id": run.id, "its_token": run.token, "its_elapsed_s": elapsed_s}
        with self._database.write() as c:
            return c.execute(FAILED, {**mine, **ended}).rowcount == 1

    def wait(self, run: Run, why: str, now: datetime) -> bool:
        """That a run which had begun is to wait for late data, without a window. False: it was taken over."""
        waits = {**NO_WINDOW, "status": RunStatus.waiting.value, "lease_until": None, "error": why}
        return self._change(run, **waits, started_at=now)

    def waiting(self, policies: Iterable[str] | None = None) -> dict[str, RunRecord]:
        """By policy (of these, or of all) its run that waits for late data: `started_at` says since when, and
        `error` for which."""
        query = WAIT if policies is None else WAIT.where(t.c.policy.in_(list(policies)))
        with self._database.read() as c:
            return {r.policy: _record(r) for r in c.execute(query)}

    def give_up(self, policy: str, why: str, now: datetime) -> None:
        """Ends the policy's run that waits: nobody is to look any more."""
        over = {"status": RunStatus.skipped.value, "error": why, "ended_at": now}
        with self._database.write() as c:
            c.execute(update(t).where(t.c.policy == policy, WAITING).values(over))

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
        return self._left(select(t).where(RUNNING, t.c.lease_until <= now).order_by(t.c.lease_until), limit)

    def to_retry(self, now: datetime, limit: int = 50) -> list[DeadRun]:
        """Failed runs that are to be tried again by now, those that have waited longest first."""
        return self._left(select(t).where(RETRIED, t.c.retry_at <= now).order_by(t.c.retry_at), limit)

    def _left(self, query: Select[Any], limit: int) -> list[DeadRun]:
        with self._database.read() as c:
            return [
                DeadRun(r.policy, Cause.parse(r.cause), r.due, r.asked_by, r.alert_id)
                for r in c.execute(query.limit(limit))
            ]

    def last(self, policies: Iterable[str] | None = None) -> dict[str, RunRecord]:
        """How each policy (of these, or of all) is: its newest run that has come to something, or is tried
        again. What is looked at of the past says nothing of it."""
        query = LAST if policies is None else LAST.where(t.c.policy.in_(list(policies)))
        with self._database.read() as c:
            return {r.policy: _record(r) for r in c.execute(query)}

    def recent(self, policy: str, limit: int = 20, *, past: bool = True) -> list[RunRecord]:
        """Its newest runs; `past`: also those that look at the past."""
        query = select(t).where(t.c.policy == policy, *(() if past else (~_past(t),)))
        with self._database.read() as c:
            return [_record(r) for r in c.execute(query.order_by(t.c.id.desc()).limit(limit))]

    def newest_planned(self) -> dict[str, RunRecord]:
        """The newest run by schedule of each policy, one seek for each, however many runs there are."""
        with self._database.read() as c:
            return {r.policy: _record(r) for r in c.execute(NEWEST_PLANNED)}

    def good_look(self, policy: str, since: datetime, due_since: datetime) -> bool:
        """Whether a tick of the policy has succeeded since then; none due before `due_since` is read."""
        good = (TICKS, t.c.status == RunStatus.succeeded.value, t.c.ended_at >= since)
        query = select(t.c.id).where(t.c.policy == policy, t.c.due >= due_since, *good).limit(1)
        with self._database.read() as c:
            return c.execute(query).first() is not None

    def watermark(self, policy: str) -> datetime | None:
        with self._database.read() as c:
            return c.execute(WATERMARK, {"its_policy": policy}).scalar()

    def last_tick(self, policy: str) -> datetime | None:
        """The newest due time whose tick was claimed or skipped: what came after it was missed."""
        return self.last_ticks([policy]).get(policy)

    def last_ticks(self, policies: Sequence[str]) -> dict[str, datetime]:
        """The same for many; those that never ticked are left out."""
        with self._database.read() as c:
            return dict(c.execute(LAST_TICKS, {"policies": list(policies)}).all())

    def prune(self, before: datetime) -> int:
        """Forgets runs that ended before then, but not those behind an alert, a policy's newest, or the first
        of a version, which says since when it is there; what they looked at goes into the ledger."""
        newest = select(func.max(t.c.id)).group_by(t.c.policy)
        began = select(func.min(t.c.id)).where(t.c.content != "", t.c.started_at.is_not(None))
        newest_tick = select(func.max(t.c.id)).where(TICKS).group_by(t.c.policy)
        gone = (
            t.c.ended_at < before,
            t.c.alert_id.is_(None),
            ~exists().where(evidence.c.run_id == t.c.id),
            t.c.id.not_in(newest),
            t.c.id.not_in(newest_tick),
            t.c.id.not_in(began.group_by(t.c.policy, t.c.content)),
        )
        with self._database.write() as c:
            fold(c, gone)
            return c.execute(delete(t).where(*gone)).rowcount


# Statements are built once: what they cost is mostly their building.
WAIT = select(t).where(WAITING)
WATERMARK = select(policy_state.c.watermark).where(policy_state.c.policy == bindparam("its_policy"))
LAST_TICKS = (
    select(t.c.policy, func.max(t.c.due))
    .where(t.c.policy.in_(bindparam("policies", expanding=True)), TICKS)
    .group_by(t.c.policy)
)


def in_all(took: BindParameter[float]) -> ColumnElement[float]:
    """What a run's attempts took in all, this one too: each of them was paid for."""
    return func.coalesce(t.c.elapsed_s, 0.0) + took


MINE = update(t).where(t.c.id == bindparam("its_id"), t.c.token == bindparam("its_token"), RUNNING)
FAILED = MINE.values(elapsed_s=in_all(bindparam("its_elapsed_s", type_=t.c.elapsed_s.type)))


def _kinds(table: FromClause, which: Callable[[Cause], bool]) -> ColumnElement[bool]:
    return table.c.kind.in_([kind.value for kind in CauseKind if which(Cause(kind, ""))])


def _past(table: FromClause) -> ColumnElement[bool]:
    return _kinds(table, lambda cause: cause.of_the_past)


def _newest(which: Callable[[FromClause], ColumnElement[bool]]) -> Select[Any]:
    """Each policy is found by a seek from the one before it: a GROUP BY would read every run."""
    other, its = t.alias("other"), t.alias("its")
    each = select(func.min(t.c.policy).label("policy")).cte("each", recursive=True)
    following = select(func.min(other.c.policy)).where(other.c.policy > each.c.policy)
    each = each.union_all(select(following.scalar_subquery()).where(each.c.policy.is_not(None)))
    mine = (its.c.policy == each.c.policy, which(its))
    newest = select(its.c.id).where(*mine).order_by(its.c.id.desc()).limit(1)
    return select(t).join_from(each, t, t.c.id == newest.scalar_subquery())


def _tells(its: FromClause) -> ColumnElement[bool]:
    began = and_(its.c.status == RunStatus.running.value, its.c.attempt == 1)
    return and_(~_past(its), ~began)


NEWEST_PLANNED = _newest(lambda its: _kinds(its, lambda cause: cause.moves_watermark))
LAST = _newest(_tells)


def change_run(c: Connection, run: Run, **values: Any) -> bool:
    """Changes a run only while it is running under its token."""
    return c.execute(MINE, {"its_id": run.id, "its_token": run.token, **values}).rowcount == 1


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
        r.retry_at,
        r.bytes,
    )
