"""How upstreams are, the newest few states of each; and for which of them each consumer has run.

A consumer is `policy:x` or `job:x`. That a state is new is found by its mark, which stands once for each ref.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, not_, or_, select

from bot.core.job_run import JobState
from bot.core.upstream import DELIVERY, SEEN, State
from bot.store.database import Database
from bot.store.tables import PLANNED, job_runs, runs
from bot.store.tables_states import ran_for, states
from sensors.model.graph import JOB, kind_of, name_of
from sensors.model.run import RunStatus

KEPT = 20  # updates of each upstream, and runs of each consumer
TOLD = or_(*(states.c.mark.startswith(word, autoescape=True) for word in (DELIVERY, SEEN)))


class UpstreamStates:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, ref: str, mark: str, at: datetime, now: datetime) -> bool:
        """That the upstream has been updated. False: it is known to have been in that state."""
        return bool(self.record_all([State(ref, mark, at)], now))

    def record_all(self, found: Sequence[State], now: datetime) -> int:
        """The same for many at once; how many of them are new."""
        if not found:
            return 0
        with self._database.write() as c:
            return record_in(self._database, c, found, now)

    def record_seen(self, found: Sequence[State], now: datetime) -> int:
        """How far tables are, as they were seen at `now`. One that is back where it was before is updated as
        much, unless somebody has seen it since. How many have moved."""
        newest = {ref: (mark, at) for ref, mark, at in self._last_seen([one.ref for one in found])}
        moved = [one for one in found if newest.get(one.ref, ("", now))[0] != one.mark]
        if not moved:
            return 0
        back = [one for one in moved if one.ref in newest and newest[one.ref][1] < now]
        with self._database.write() as c:
            for one in back:
                c.execute(delete(states).where(states.c.ref == one.ref, states.c.mark == one.mark))
            return record_in(self._database, c, moved, now)

    def _last_seen(self, refs: Collection[str]) -> list[tuple[str, str, datetime]]:
        """Of each table: how far it was when it was seen last, and when that was."""
        mine = (states.c.ref.in_(list(refs)), not_(TOLD))
        newest = select(func.max(states.c.id)).where(*mine).group_by(states.c.ref)
        query = select(states.c.ref, states.c.mark, states.c.seen_at).where(states.c.id.in_(newest))
        with self._database.read() as c:
            return [(r.ref, r.mark, r.seen_at) for r in c.execute(query)]

    def newest(self, refs: Collection[str] | None = None) -> dict[str, State]:
        """The newest state of each of these, or of all; those of which nothing is known are left out."""
        newest = select(func.max(states.c.id)).group_by(states.c.ref)
        if refs is not None:
            newest = newest.where(states.c.ref.in_(list(refs)))
        with self._database.read() as c:
            return {r.ref: _state(r) for r in c.execute(select(states).where(states.c.id.in_(newest)))}

    def history(self, ref: str, limit: int = KEPT) -> list[tuple[State, datetime]]:
        """Its last updates, newest first, each with when it was seen."""
        query = select(states).where(states.c.ref == ref).order_by(states.c.id.desc()).limit(limit)
        with self._database.read() as c:
            return [(_state(r), r.seen_at) for r in c.execute(query)]

    def seen_at(self, refs: Collection[str]) -> dict[str, datetime]:
        """When the newest state of each was seen."""
        newest = select(func.max(states.c.id)).where(states.c.ref.in_(list(refs))).group_by(states.c.ref)
        query = select(states.c.ref, states.c.seen_at).where(states.c.id.in_(newest))
        with self._database.read() as c:
            return dict(c.execute(query).all())

    def ran_for(self, consumers: Collection[str]) -> dict[str, dict[str, State]]:
        """By consumer: the states that its newest run was for; those that have never run are left out."""
        mine = ran_for.c.consumer.in_(list(consumers))
        newest = select(func.max(ran_for.c.id)).where(mine).group_by(ran_for.c.consumer)
        query = select(ran_for.c.consumer, ran_for.c.states).where(ran_for.c.id.in_(newest))
        with self._database.read() as c:
            return {r.consumer: {one.ref: one for one in _states(r.states)} for r in c.execute(query)}

    def of_run(self, consumer: str, stamp: str) -> tuple[State, ...]:
        """The states that this run was for; none where it was for none, or is no longer known."""
        stamp = stamp.partition("+")[0]  # a later part of it was for the same
        query = select(ran_for.c.states).where(ran_for.c.consumer == consumer, ran_for.c.stamp == stamp)
        with self._database.read() as c:
            return _states(c.execute(query).scalar() or [])

    def begin(self, consumer: str, stamp: str, found: Iterable[State], now: datetime) -> None:
        """Records that the consumer has a run for these states, where none is claimed in this store."""
        with self._database.write() as c:
            begin_in(self._database, c, [(consumer, stamp, tuple(found))], now)

    def of_runs(self, refs: Iterable[str]) -> list[State]:
        """The states that the newest good runs of policies and jobs made, recorded or not."""
        found = []
        with self._database.read() as c:
            for ref in sorted(refs):
                query = GOOD_JOB if kind_of(ref) == JOB else GOOD_RUN
                if row := c.execute(query, {"its_name": name_of(ref)}).first():
                    found.append(State(ref, str(row.id), row.ended_at))
        return found

    def prune(self) -> int:
        """Forgets all but the newest few of each. What others told never takes the place of what is found in
        the store: forgotten, it would be found there again, as if it were new."""
        gone = 0
        with self._database.write() as c:
            for table, names in ((states, (states.c.ref, TOLD)), (ran_for, (ran_for.c.consumer,))):
                nth = func.row_number().over(partition_by=names, order_by=table.c.id.desc()).label("nth")
                each = select(table.c.id, nth).subquery()
                old = select(each.c.id).where(each.c.nth > KEPT)
                gone += c.execute(delete(table).where(table.c.id.in_(old))).rowcount
        return gone


def record_in(database: Database, c: Connection, found: Sequence[State], now: datetime) -> int:
    """`UpstreamStates.record_all` as a part of another transaction."""
    made = 0
    for one in found:
        values = {"ref": one.ref, "mark": one.mark, "at": one.at, "seen_at": now}
        made += c.execute(database.insert_or_leave(states), values).first() is not None
    return made


def begin_in(
    database: Database,
    c: Connection,
    begun: Iterable[tuple[str, str, tuple[State, ...]]],
    now: datetime,
) -> None:
    """Consumers, stamps and states of runs that begin in this transaction. A run that waited, and begins for
    newer states than it was first due for, is for the newer."""
    for consumer, stamp, found in begun:
        body = [[one.ref, one.mark, one.at.isoformat(), one.number] for one in found]
        mine = delete(ran_for).where(ran_for.c.consumer == consumer, ran_for.c.stamp == stamp)
        c.execute(mine)
        values = {"consumer": consumer, "stamp": stamp, "states": body, "at": now}
        c.execute(database.insert_or_leave(ran_for), values)


GOOD_RUN = (
    select(runs.c.id, runs.c.ended_at)
    .where(runs.c.policy == bindparam("its_name"), runs.c.status == RunStatus.succeeded.value, PLANNED)
    .order_by(runs.c.id.desc())
    .limit(1)
)
GOOD_JOB = (
    select(job_runs.c.id, job_runs.c.ended_at)
    .where(job_runs.c.job == bindparam("its_name"), job_runs.c.state == JobState.succeeded.value)
    .order_by(job_runs.c.id.desc())
    .limit(1)
)


def _state(r: Row[Any]) -> State:
    return State(r.ref, r.mark, r.at, r.id)


def _states(body: list[list[Any]]) -> tuple[State, ...]:
    return tuple(State(ref, mark, datetime.fromisoformat(at), number) for ref, mark, at, number in body)
