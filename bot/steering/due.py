"""Starts jobs by their own schedule, and after what they come after: once for each due time and state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.core.action import MACHINE
from bot.core.approval import needed
from bot.core.job_due import (
    due_of,
    due_start,
    paused,
    schedule_of,
    tick_key,
    tick_prefix,
    upstream_key,
)
from bot.core.order import Order
from bot.core.upstream import due_upstream, stamp
from bot.engine.due import AHEAD
from bot.process.log import get
from bot.starting import Starting
from sensors.model.graph import job_ref
from sensors.model.job import Job

DECLARED = "declared"  # in the place of a stamp: no run, but what was there when the job came
log = get("due jobs")


class DueJobs:
    """One round after another. The key of a start is the same for all processes, so that it is made once."""

    def __init__(self, starting: Starting) -> None:
        self.starting = starting
        self.engine = starting.engine
        self.store = starting.store
        self._since: dict[str, tuple[str, datetime]] = {}  # by job: its schedule, and since when it holds
        self._done: dict[str, datetime] = {}  # by job: the last due time that is known to be done with

    def once(self) -> int:
        """How many starts were recorded."""
        jobs = [job for job in self.engine.catalog.jobs.values() if not needed(job)]
        orders, now = self.engine.orders.on, self.engine.clock()
        ticks = sum(self._tick(job, orders, now) for job in jobs if job.schedule and not job.outside)
        after = [job for job in jobs if job.after and not job.outside]
        return ticks + (self._after(after, orders, now) if after else 0)

    # ---------------------------------------------------------------------- schedules

    def _tick(self, job: Job, orders: Iterable[Order], now: datetime) -> bool:
        since = self.since(job, now)
        schedule = schedule_of(job, orders, now)
        if schedule is None:
            return False
        due = due_start(schedule, since, _come(self._done.get(job.name), now), now)
        if due is None or self._goes_on(job):
            return False
        last = due_of(self.store.jobs.last_key(job.name, tick_prefix(job.name)), job.name)
        self._done[job.name] = due
        if due_start(schedule, since, _come(last, now), now) is None:
            return False
        return self._start(job, tick_key(job.name, due))

    def since(self, job: Job, now: datetime) -> datetime:
        """Since when its schedule holds: for all processes, and over restarts."""
        said = repr(job.schedule)
        known = self._since.get(job.name)
        if known is None or known[0] != said or _come(known[1], now) is None:
            known = self._since[job.name] = (said, self.store.sightings.watch(job.name, said, now))
            self._done.pop(job.name, None)
        return known[1]

    # ---------------------------------------------------------------------- upstreams

    def _after(self, jobs: list[Job], orders: Iterable[Order], now: datetime) -> int:
        """A job that is new is not started for what was updated before it was there."""
        newest = self.store.states.newest({ref for job in jobs for ref in job.after})
        ran_for = self.store.states.ran_for([job_ref(job.name) for job in jobs])
        begun = 0
        for job in jobs:
            if job_ref(job.name) not in ran_for:
                there = [newest[ref] for ref in job.after if ref in newest]
                self.store.states.begin(job_ref(job.name), DECLARED, there, now)
                continue
            if paused(job, orders, now):
                continue
            found = due_upstream(job.after, newest, ran_for.get(job_ref(job.name), {}))
            if found is None or self._goes_on(job):
                continue
            mark = stamp(found)
            begun += self._start(job, upstream_key(job.name, mark))
            self.store.states.begin(
                job_ref(job.name), mark, found, now
            )  # after it: who dies between does both
        return begun

    # ---------------------------------------------------------------------- both

    def _goes_on(self, job: Job) -> bool:
        """Two runs that nobody asked for are never side by side: the next waits for the end of the last."""
        return any(run.by == MACHINE and run.alert is None for run in self.store.jobs.unended(job.name))

    def _start(self, job: Job, key: str) -> bool:
        if self.store.jobs.of_key(key) is not None:
            return False
        params: Mapping[str, object]
        params, problems = job.fill({}, {})
        if problems:
            log.error("job not started", job=job.name, why="; ".join(problems))
            return False
        self.starting.ask(job, MACHINE, params, None, key)
        log.info("job due", job=job.name, key=key)
        return True


def _come(at: datetime | None, now: datetime) -> datetime | None:
    """What a clock that was ahead has written down of a time that is still to come counts for nothing."""
    return at if at is not None and at <= now + AHEAD else None
