"""Jobs of kind dbt: dbt Core by command where the job names a project, else a job of dbt Cloud by its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from bot.core.job_run import Ability, Observed, Progress
from bot.jobs import TAIL, Runner, config, fill
from bot.jobs.answer import last_lines
from bot.jobs.command.kept import Runs
from bot.jobs.config.dbt import Config
from bot.jobs.dbt.cloud import Cloud
from bot.jobs.dbt.core import Core
from bot.jobs.place import Place
from bot.jobs.web import Web, clear, masked
from sensors.model.job import KEY, Job

CORE = frozenset({Ability.cancel, Ability.tail, Ability.observe})
CLOUD = CORE | {Ability.pause, Ability.every}


class DbtRunner(Runner):
    """Which of the two, each job's config says."""

    def __init__(self, environ: Mapping[str, str], place: Place) -> None:
        self._environ = environ
        self._place = place
        self._runs = Runs(place.state)
        self._web = Web()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - a claim, or a look for the run of the key
        return True

    def abilities(self, job: Job) -> frozenset[Ability]:
        return CORE if job.on_host else CLOUD

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        config.of(job, Config)  # what is wrong with the job is said before what is wrong with the values
        filler = fill.Filler(self._environ, fill.values(job, params, idempotency_key))
        with self._asked(job, filler) as way:
            return clear(way.start(idempotency_key), filler, job)

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, f"{{{KEY}}}")).open()
        with self._asked(job, filler) as way:
            return way.plan()

    def poll(self, job: Job, external_id: str) -> Progress:
        with self._asked(job) as way:
            return clear(way.poll(external_id), way.filler, job)

    def cancel(self, job: Job, external_id: str) -> str:
        with self._asked(job) as way:
            return way.cancel(external_id)

    def tail(self, job: Job, external_id: str) -> str:
        with self._asked(job) as way:
            return last_lines(way.filler.mask(way.tail(external_id), job.config), TAIL)

    def observe(self, job: Job, since: datetime) -> Observed:
        with self._asked(job) as way:
            return way.observe(since)

    def pause(self, job: Job, paused: bool) -> str:
        with self._asked(job) as way:  # who starts it by a schedule, dbt Core does not know
            return way.pause(paused) if isinstance(way, Cloud) else super().pause(job, paused)

    def every(self, job: Job, interval: timedelta | None) -> str:
        with self._asked(job) as way:
            return way.every(interval) if isinstance(way, Cloud) else super().every(job, interval)

    @contextmanager
    def _asked(self, job: Job, filler: fill.Filler | None = None) -> Iterator[Core | Cloud]:
        wanted, filler = config.of(job, Config), filler or fill.Filler(self._environ, {})
        with masked(filler, job):
            if wanted.url:
                yield Cloud(self._web, job, wanted, filler)
            else:
                yield Core(self._place, self._runs, self._environ, job, wanted, filler)
