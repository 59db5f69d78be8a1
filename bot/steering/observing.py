"""Asks outside systems what they know of our jobs, each job by itself beside the others, and keeps it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from bot.core.job_run import SIGHTED, Ability, Sighted
from bot.core.upstream import SEEN, State, made
from bot.process.errors import JobRefused, JobUnknown, StoreAway
from bot.process.log import get
from bot.starting import Starting
from sensors.model.graph import job_ref
from sensors.model.job import Job

log = get("observing")

APART = timedelta(seconds=45)  # between two looks at a job, of all processes together
LOOKS_BACK = timedelta(days=2)  # at runs that are over
DAY = timedelta(days=1)  # that a run may have waited before it began
BESIDE = 4  # jobs that are looked at side by side


class Observing:
    """A look that takes long holds up no other; what cannot be seen stays as it was, with the reason."""

    def __init__(self, starting: Starting) -> None:
        self.starting = starting
        self.engine = starting.engine
        self.store = starting.store
        self._pool = ThreadPoolExecutor(BESIDE, thread_name_prefix="observing")
        self._at_it: set[str] = set()
        self._watched: set[str] = set()
        self._told: dict[str, str] = {}  # by job: the trouble that was logged

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def once(self) -> int:
        """Begins to look at each job whose turn it is; how many those were."""
        begun = 0
        for job in self.engine.catalog.jobs.values():
            if job.name in self._at_it or Ability.observe not in self.starting.abilities(job):
                continue
            if self._mine(job):
                self._at_it.add(job.name)
                self._pool.submit(self._safely, job)
                begun += 1
        return begun

    def _mine(self, job: Job) -> bool:
        now = self.engine.clock()
        if job.name not in self._watched:
            self.store.sightings.watch(job.name, repr(job.schedule), now)
            self._watched.add(job.name)
        return self.store.sightings.take(job.name, now, APART)

    def _safely(self, job: Job) -> None:
        try:
            self.look(job)
        except StoreAway:
            pass  # the scheduler says so once
        except Exception:
            log.exception("failed", job=job.name)
        finally:
            self._at_it.discard(job.name)

    def look(self, job: Job) -> None:
        """What is there now; a run that has ended well, and was not started here, is a state of the job."""
        now = self.engine.clock()
        back = now - LOOKS_BACK
        first = self.store.sightings.oldest(job.name)  # its end is news however long it took
        try:
            observed = self.starting.runners(job.kind).observe(job, min(first - DAY, back) if first else back)
        except (JobRefused, JobUnknown) as trouble:
            self._fails(job, str(trouble))
            return
        self._told.pop(job.name, None)
        ours = self.store.jobs.of_job(job.name, 200)
        known = {run.external_id for run in ours} | {run.idempotency_key for run in ours}

        def states_of(new: list[Sighted]) -> list[State]:
            """Of those that were not started here: of the others the store knows already."""
            others = [n for n in new if n.external_id not in known and (n.key or None) not in known]
            return self._states(job, others, now)

        whole = len(observed.runs) < SIGHTED  # else it may be one of those that are left out
        self.store.sightings.saw(job.name, observed, now, states_of, back, whole=whole)

    def _states(self, job: Job, good: list[Sighted], now: datetime) -> list[State]:
        """Of the job, by the last of its good runs, and of what they have made."""
        found: dict[str, State] = {}
        for one in sorted(good, key=_ended):
            mark, at = f"{SEEN}{one.external_id}", min(one.ended_at or now, now)
            found[job_ref(job.name)] = State(job_ref(job.name), mark, at)
            assets = self.engine.catalog.assets
            found |= {state.ref: state for state in made(job.name, mark, one.updated, assets, at)}
        return list(found.values())

    def _fails(self, job: Job, why: str) -> None:
        self.store.sightings.failed(job.name, why, self.engine.clock())
        if self._told.get(job.name) != why:
            self._told[job.name] = why
            log.warning("job not seen", job=job.name, why=why)


def _ended(one: Sighted) -> float:
    return one.ended_at.timestamp() if one.ended_at else 0.0
