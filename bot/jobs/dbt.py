"""Jobs of kind dbt: dbt Core by command where the job names a project, else a job of dbt Cloud by its API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.job_run import Ability, Observed, Progress
from bot.jobs import Runner, config, fill
from bot.jobs.config.dbt import Config
from bot.jobs.dbt_cloud import Cloud
from bot.jobs.dbt_core import Core
from bot.jobs.place import Place
from bot.jobs.web import clear, masked
from sensors.model.job import Job

CORE = frozenset({Ability.cancel, Ability.tail, Ability.observe})
CLOUD = CORE | {Ability.pause}


class DbtRunner(Runner):
    """Which of the two, each job's config says."""

    def __init__(self, environ: Mapping[str, str], place: Place) -> None:
        self._environ = environ
        self._core = Core(environ, place)
        self._cloud = Cloud()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - a claim, or a look for the run of the key
        return True

    def abilities(self, job: Job) -> frozenset[Ability]:
        return CORE if job.on_host else CLOUD

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, idempotency_key))
        with masked(filler, job):
            if wanted.url:
                return clear(self._cloud.start(job, wanted, filler, idempotency_key), filler, job)
            return clear(self._core.start(job, wanted, filler, idempotency_key), filler, job)

    def poll(self, job: Job, external_id: str) -> Progress:
        wanted, filler = self._known(job)
        with masked(filler, job):
            if wanted.url:
                return clear(self._cloud.poll(wanted, filler, external_id), filler, job)
            return clear(self._core.poll(job, external_id), filler, job)

    def cancel(self, job: Job, external_id: str) -> str:
        wanted, filler = self._known(job)
        with masked(filler, job):
            return (
                self._cloud.cancel(wanted, filler, external_id)
                if wanted.url
                else self._core.cancel(external_id)
            )

    def tail(self, job: Job, external_id: str) -> str:
        wanted, filler = self._known(job)
        with masked(filler, job):
            said = (
                self._cloud.tail(wanted, filler, external_id) if wanted.url else self._core.tail(external_id)
            )
            return filler.mask(said, job.config)

    def observe(self, job: Job, since: datetime) -> Observed:
        wanted, filler = self._known(job)
        with masked(filler, job):
            return (
                self._cloud.observe(wanted, filler, since)
                if wanted.url
                else self._core.observe(wanted, since)
            )

    def pause(self, job: Job, paused: bool) -> str:
        wanted, filler = self._known(job)
        if not wanted.url:
            return super().pause(job, paused)
        with masked(filler, job):
            return self._cloud.pause(wanted, filler, paused)

    def _known(self, job: Job) -> tuple[Config, fill.Filler]:
        return config.of(job, Config), fill.Filler(self._environ, {})
