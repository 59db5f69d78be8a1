"""What is seen of jobs in outside systems, and since when a job's own schedule holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from bot.core.job_run import ENDED, JobState, Observed, Seen, Sighted
from bot.core.upstream import State
from bot.store.ahead import APART
from bot.store.database import Database
from bot.store.states import record_in
from bot.store.tables_jobs import sightings as t
from bot.store.tables_jobs import watched_jobs as w

KEPT = 50  # runs of a job
FIELDS = ("state", "started_at", "ended_at", "by", "link", "outcome", "key")
BEGAN = func.coalesce(t.c.started_at, t.c.first_seen)
NEWEST = BEGAN.desc()


class Sightings:
    def __init__(self, database: Database) -> None:
        self._database = database

    def watch(self, job: str, due_by: str, now: datetime) -> datetime:
        """Since when the job has had this schedule (as text): now, where it had none or another, or where a
        clock that was ahead said so."""
        with self._database.write() as c:
            new = {"job": job, "due_by": due_by, "since": now, "schedule": "", "trouble": ""}
            c.execute(self._database.insert(w).values(new).on_conflict_do_nothing())
            other = update(w).where(w.c.job == job, or_(w.c.due_by != due_by, w.c.since > now + APART))
            c.execute(other.values(due_by=due_by, since=now))
            since: datetime = c.execute(select(w.c.since).where(w.c.job == job)).scalar_one()
            return since

    def take(self, job: str, now: datetime, apart: timedelta) -> bool:
        """The right to look at the job now: nobody has begun to for so long."""
        ripe = or_(w.c.looked_at.is_(None), w.c.looked_at <= now - apart, w.c.looked_at > now + apart)
        with self._database.write() as c:
            return c.execute(update(w).where(w.c.job == job, ripe).values(looked_at=now)).rowcount == 1

    def saw(
        self,
        job: str,
        observed: Observed,
        now: datetime,
        states_of: Callable[[list[Sighted]], Sequence[State]] = lambda _new: (),
        back: datetime | None = None,
        *,
        whole: bool = False,
    ) -> list[Sighted]:
        """Keeps what is seen. Those of its runs that are known to have succeeded only now, oldest first; the
        states of things that these are (`states_of`, which asks no store) are kept with them. What ended
        before `back`, and was never seen to go on, is no news. Where the `whole` list is here, a run that
        went on, began before `back` and is not in it is forgotten: what came of it nobody says."""
        with self._database.write() as c:
            seen = {
                "seen_at": now,
                "schedule": observed.schedule,
                "paused": observed.paused,
                "next_at": observed.next_at,
                "trouble": "",
                "trouble_since": None,
            }
            c.execute(update(w).where(w.c.job == job).values(seen))
            known = {row.external_id: row.state for row in c.execute(select(t).where(t.c.job == job))}
            runs = {one.external_id: one for one in reversed(observed.runs)}  # whatever is listed twice
            for name, one in runs.items():
                _keep(c, job, one, name in known, now)
            if back and whole:
                lost = and_(*_goes_on(job), t.c.external_id.not_in(list(runs)), back > BEGAN)
                c.execute(delete(t).where(lost))
            _forget(c, job)
            new = [one for one in runs.values() if _succeeded(one, known.get(one.external_id), back)]
            record_in(self._database, c, states_of(new), now)
        return new

    def oldest(self, job: str) -> datetime | None:
        """When the oldest of its runs that go on over there was there for the first time."""
        with self._database.read() as c:
            rows = c.execute(select(t.c.started_at, t.c.first_seen).where(*_goes_on(job))).all()
        return min((min(row.started_at or row.first_seen, row.first_seen) for row in rows), default=None)

    def prune(self, jobs: Iterable[str], before: datetime) -> None:
        """Forgets other jobs than these, when nobody has looked at them since then."""
        kept = list(jobs)
        with self._database.write() as c:
            unseen = and_(w.c.since < before, or_(w.c.looked_at.is_(None), w.c.looked_at < before))
            c.execute(delete(w).where(unseen, w.c.job.not_in(kept)))
            c.execute(delete(t).where(t.c.job.not_in(kept), t.c.job.not_in(select(w.c.job))))

    def failed(self, job: str, why: str, now: datetime) -> None:
        """It could not be looked at; what was seen before stays."""
        with self._database.write() as c:
            since = func.coalesce(w.c.trouble_since, now)
            c.execute(update(w).where(w.c.job == job).values(trouble=why, trouble_since=since))

    def seen(self, jobs: Iterable[str]) -> dict[str, Seen]:
        """Of each of these jobs that is watched, what was seen of it; its runs newest first."""
        names = list(jobs)
        with self._database.read() as c:
            rows = c.execute(select(w).where(w.c.job.in_(names))).all()
            return {row.job: _seen(row, self._runs(c, row.job)) for row in rows}

    def last_good(self, job: str) -> Sighted | None:
        """The one that succeeded last."""
        good = select(t).where(t.c.job == job, t.c.state == JobState.succeeded.value)
        with self._database.read() as c:
            row = c.execute(
                good.order_by(func.coalesce(t.c.ended_at, t.c.first_seen).desc()).limit(1)
            ).first()
        return _sighted(row) if row else None

    def _runs(self, c: Connection, job: str) -> tuple[Sighted, ...]:
        query = select(t).where(t.c.job == job).order_by(NEWEST, t.c.external_id.desc()).limit(KEPT)
        return tuple(_sighted(row) for row in c.execute(query))


def _succeeded(one: Sighted, before: str | None, back: datetime | None) -> bool:
    old = before is None and back and one.ended_at and one.ended_at < back
    return one.state is JobState.succeeded and before != JobState.succeeded.value and not old


def _keep(c: Connection, job: str, one: Sighted, known: bool, now: datetime) -> None:
    """What has ended does not go on again, whatever an old answer says."""
    values: dict[str, Any] = {name: getattr(one, name) for name in FIELDS} | {"state": one.state.value}
    if not known:
        c.execute(insert(t).values(job=job, external_id=one.external_id, first_seen=now, **values))
        return
    mine = and_(t.c.job == job, t.c.external_id == one.external_id)
    if not one.state.ended:
        mine = and_(t.c.external_id == one.external_id, *_goes_on(job))
    c.execute(update(t).where(mine).values(values))


def _goes_on(job: str) -> tuple[ColumnElement[bool], ...]:
    return t.c.job == job, t.c.state.not_in([state.value for state in ENDED])


def _forget(c: Connection, job: str) -> None:
    """All but the newest."""
    ids = select(t.c.external_id).where(t.c.job == job).order_by(NEWEST, t.c.external_id.desc()).limit(KEPT)
    old = and_(t.c.job == job, t.c.external_id.not_in(list(c.execute(ids).scalars())))
    c.execute(delete(t).where(old))


def _sighted(row: Row[Any]) -> Sighted:
    return Sighted(
        row.external_id,
        JobState(row.state),
        row.started_at,
        row.ended_at,
        row.by,
        row.link,
        row.outcome,
        row.key,
    )


def _seen(row: Row[Any], runs: tuple[Sighted, ...]) -> Seen:
    observed = Observed(runs, row.schedule, row.paused, row.next_at)
    return Seen(observed, row.seen_at, row.trouble, row.trouble_since)
