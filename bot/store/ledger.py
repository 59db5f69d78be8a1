"""What each policy has looked at: the windows of good runs, and of those that were pruned since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from bot.core.ledger import Stretch, Stretches, merged
from bot.store.database import Database
from bot.store.tables import TICKS, policy_state, runs
from bot.store.tables import ledger as t
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.model.window import Window

SCHEDULED = (CauseKind.tick.value, CauseKind.upstream.value)
# A run that looked at a stretch of time. Failed ones saw nothing, empty ones had nothing to see.
LOOKED = and_(
    runs.c.status == RunStatus.succeeded.value,
    runs.c.window_start.is_not(None),
    runs.c.window_start < runs.c.window_end,
)


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    def covered(
        self,
        policy: str,
        *,
        since: datetime | None = None,
        contents: Collection[str] | None = None,
        asked: bool = True,
    ) -> Stretches:
        """What was looked at, oldest first, as far as it reaches past `since`.

        `contents`: only by runs of exactly these, as far back as runs are kept. `asked` False: only by its
        schedule, not by runs that people asked for.
        """
        mine = [runs.c.policy == policy, LOOKED]
        old: list[ColumnElement[bool]] = [t.c.policy == policy]
        if since is not None:
            mine.append(runs.c.window_end > since)
            old.append(t.c.end > since)
        if not asked:
            mine.append(runs.c.kind.in_(SCHEDULED))
            old.append(t.c.scheduled)
        if contents is not None:
            mine.append(runs.c.content.in_(contents))
        found: list[Stretch] = []
        with self._database.read() as c:
            found += (Stretch(*row) for row in c.execute(_islands(mine)))
            if contents is None:
                found += (Stretch(*row) for row in c.execute(select(t.c.start, t.c.end).where(*old)))
        return merged(found)

    def contents(self, policy: str, since: datetime) -> list[str]:
        """What the runs that looked past `since` were run with."""
        query = select(runs.c.content).where(runs.c.policy == policy, LOOKED, runs.c.window_end > since)
        with self._database.read() as c:
            return list(c.execute(query.distinct()).scalars())

    def ranges(self, policy: str) -> dict[str, tuple[RunStatus, Window | None]]:
        """The runs over a range that are remembered: how each ended, by its cause's detail."""
        columns = (runs.c.cause, runs.c.status, runs.c.window_start, runs.c.window_end)
        of_range = and_(runs.c.policy == policy, runs.c.kind == CauseKind.range.value)
        with self._database.read() as c:
            return {
                r.cause.partition(":")[2]: (
                    RunStatus(r.status),
                    Window(r.window_start, r.window_end) if r.window_end else None,
                )
                for r in c.execute(select(*columns).where(of_range))
            }

    def last_content(self, policy: str) -> str | None:
        """What the newest tick was run with."""
        newest = select(runs.c.content).where(runs.c.policy == policy, TICKS, runs.c.content != "")
        with self._database.read() as c:
            return c.execute(newest.order_by(runs.c.due.desc()).limit(1)).scalar()

    def step_back(self, policy: str, right: datetime) -> int:
        """Undoes the ticks that were begun or due after `right`, when the clock was ahead. How many.

        The watermark goes back to where it was before them, and all since then is looked at again: row
        memory makes that harmless. A run that still holds a lease of such a time has lost it.
        """
        with self._database.write() as c:
            held = select(policy_state.c.watermark).where(policy_state.c.policy == policy)
            watermark = c.execute(held.with_for_update()).scalar()
            ahead = and_(runs.c.policy == policy, TICKS, or_(runs.c.started_at > right, runs.c.due > right))
            its = (runs.c.id, runs.c.incremental, runs.c.from_watermark)
            gone = c.execute(select(*its).where(ahead)).all()
            for run in gone:
                c.execute(update(runs).where(runs.c.id == run.id).values(_undone(run.id, right)))
            began = [r.from_watermark for r in gone if r.incremental]
            if began and watermark is not None:
                before = None if None in began else min(began)  # None: its first look was of those
                of_it = update(policy_state).where(policy_state.c.policy == policy)
                c.execute(of_it.values(watermark=before))
            return len(gone)


def _undone(run: int, right: datetime) -> dict[str, Any]:
    cause = Cause(CauseKind.manual, f"tick {run} of a time to come")
    return {
        "kind": cause.kind.value,
        "cause": str(cause),  # so that the tick is run when its time has really come
        "status": RunStatus.skipped.value,
        "error": "the clock was ahead: what it looked at is looked at again",
        "ended_at": right,
        "lease_until": None,
        "retry_at": None,
    }


def _islands(which: Iterable[ColumnElement[bool]]) -> Select[datetime, datetime]:
    """The windows of these runs, merged where they lie: thousands of ticks are a few stretches."""
    start, end, order = runs.c.window_start, runs.c.window_end, (runs.c.window_start, runs.c.window_end)
    reached = func.max(end).over(order_by=order, rows=(None, -1)).label("reached")
    looked = select(start, end, reached).where(*which).subquery()
    begins = case((looked.c.reached >= looked.c.window_start, 0), else_=1)
    at = (looked.c.window_start, looked.c.window_end)
    counted = select(*at, func.sum(begins).over(order_by=at).label("island")).subquery()
    first, last = func.min(counted.c.window_start), func.max(counted.c.window_end)
    return select(first, last).group_by(counted.c.island)


def fold(c: Connection, gone: Iterable[ColumnElement[bool]]) -> None:
    """Keeps the windows of the runs that are about to be deleted, in as few stretches as can be."""
    columns = (runs.c.policy, runs.c.kind, runs.c.window_start, runs.c.window_end)
    fresh: dict[tuple[str, bool], list[Stretch]] = {}
    for r in c.execute(select(*columns).where(LOOKED, *gone)):
        stretch = Stretch(r.window_start, r.window_end)
        fresh.setdefault((r.policy, r.kind in SCHEDULED), []).append(stretch)
    for (policy, scheduled), stretches in sorted(fresh.items()):
        of_it = and_(t.c.policy == policy, t.c.scheduled.is_(scheduled))
        known = [Stretch(r.start, r.end) for r in c.execute(select(t.c.start, t.c.end).where(of_it))]
        c.execute(delete(t).where(of_it))
        c.execute(insert(t), list(_rows(policy, scheduled, merged([*known, *stretches]))))


def _rows(policy: str, scheduled: bool, stretches: Stretches) -> Iterator[dict[str, Any]]:
    for one in stretches:
        yield {"policy": policy, "scheduled": scheduled, "start": one.start, "end": one.end}
