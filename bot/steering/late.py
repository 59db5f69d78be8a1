"""Tells a job's owner that it has not ended well in time, whoever starts it. core/job_due.py says when."""

from __future__ import annotations

from datetime import datetime

from bot.core.builtin import mended
from bot.core.job_due import LATE_JOB, Going, late_job, late_key, lateness, paused, upstream_prefix
from bot.core.job_run import JobRun, JobState, Seen
from bot.core.plan import last_due
from bot.engine.due import AHEAD
from bot.engine.engine import Engine
from bot.steering.due import DueJobs
from bot.watch.trouble import told
from sensors.graph import graph
from sensors.model.graph import job_ref
from sensors.model.job import Job

MOST = 1000  # alerts
LOOKED_AT = 50  # runs of a job


class LateJobs:
    """Judges all jobs that say `late_after`, by what was started here, what is seen, and what hooks told."""

    def __init__(self, due: DueJobs) -> None:
        self.due = due
        self.engine: Engine = due.engine
        self.store = due.store

    def once(self) -> int:
        """One round; how many alerts changed."""
        catalog, now = self.engine.catalog, self.engine.clock()
        expected = {job.name: job for job in catalog.jobs.values() if job.late_after}
        seen = self.store.sightings.seen(expected) if expected else {}
        changed = 0
        for name, job in expected.items():
            going = self._going(job, seen.get(name, Seen()), now)
            why = "" if self._rests(job, seen.get(name, Seen()), now) else lateness(job, going, now)
            hangs = self._hangs(job) if why else ()
            action = late_job(job, why, going, hangs, catalog.teams.get(job.owner), now)
            changed += told(self.store, self.engine.clock, LATE_JOB, late_key(name), action)
        for alert in self.store.alerts.open(policy=LATE_JOB, limit=MOST):
            if str(alert.key_values.get("job")) not in expected:
                changed += told(self.store, self.engine.clock, LATE_JOB, alert.key, mended(now))
        return changed

    def _rests(self, job: Job, seen: Seen, now: datetime) -> bool:
        return paused(job, self.engine.orders.on, now) or bool(seen.observed.paused)

    def _hangs(self, job: Job) -> tuple[str, ...]:
        whole = graph(self.engine.catalog)
        return whole.order(whole.below([job_ref(job.name)]))

    def _going(self, job: Job, seen: Seen, now: datetime) -> Going:
        runs = self.store.jobs.of_job(job.name, LOOKED_AT)
        there = seen.observed.runs
        running = [run.started_at or run.asked_at for run in runs if not run.state.ended]
        running += [one.started_at for one in there if not one.state.ended and one.started_at]
        return Going(
            since=self.due.since(job, now),
            due=self._due(job, runs, now),
            good_at=self._good_at(job, now),
            running_since=min(running, default=None),
            failed=_failed(runs, seen),
            trouble=seen.trouble,
        )

    def _due(self, job: Job, runs: list[JobRun], now: datetime) -> datetime | None:
        """The newest time at which it was due and has had all its time since."""
        latest = now - (job.late_after or now - now)
        if job.schedule is not None:
            return last_due(job.schedule, latest)
        began = [run for run in runs if run.idempotency_key.startswith(upstream_prefix(job.name))]
        return max((run.asked_at for run in began if run.asked_at <= latest), default=None)

    def _good_at(self, job: Job, now: datetime) -> datetime | None:
        """When it ended well for the last time, by whatever told of it; a time to come is a wrong clock's."""
        here, there = self.store.jobs.last_good(job.name), self.store.sightings.last_good(job.name)
        state = self.store.states.newest([job_ref(job.name)]).get(job_ref(job.name))
        ends = (here and here.ended_at, there and there.ended_at, state and state.at)
        return max((at for at in ends if at and at <= now + AHEAD), default=None)


def _failed(runs: list[JobRun], seen: Seen) -> str:
    """What its last run said, here or there, where that did not end well."""
    ended: list[tuple[datetime, JobState, str]] = [
        (run.ended_at, run.state, run.outcome) for run in runs if run.ended_at
    ]
    ended += [(one.ended_at, one.state, one.outcome) for one in seen.observed.runs if one.ended_at]
    last = max(ended, key=lambda one: one[0], default=None)
    return (last[2] or last[1].word) if last and last[1] is not JobState.succeeded else ""
