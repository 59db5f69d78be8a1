"""Jobs of kind sagemaker: begun once by their name or token, followed, stopped, read and seen over there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.job_run import Ability, Observed, Progress
from bot.jobs import TAIL, Runner, config, fill
from bot.jobs.answer import last_lines
from bot.jobs.config.sagemaker import Config
from bot.jobs.sagemaker import schedule
from bot.jobs.sagemaker.client import Aws, Clients
from bot.jobs.sagemaker.kinds import KINDS
from bot.jobs.sagemaker.name import MARK, name_of, prefix_of
from bot.jobs.sagemaker.request import fitted
from bot.jobs.web import PATIENCE, clear, masked
from sensors.model.job import KEY, Job


class SageMakerRunner(Runner):
    """Credentials, and other addresses than AWS's own, are those that botocore finds where Patrol runs."""

    def __init__(self, environ: Mapping[str, str], patience: timedelta = PATIENCE) -> None:
        self._environ = environ
        self._patience = patience
        self._clients = Clients()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - the key is in the name or the token
        return True

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        filler = fill.Filler(self._environ, fill.values(job, params, idempotency_key))
        with self._asking(job, filler) as (wanted, aws):
            thing = KINDS[wanted.starts]
            name = name_of(prefix_of(job, wanted.prefix), idempotency_key)
            request = fitted(thing.creates, filler.json(wanted.request))
            return clear(thing.begin(aws, name, request, job.timeout), filler, secrets(job))

    def poll(self, job: Job, external_id: str) -> Progress:
        filler = fill.Filler(self._environ, {})
        with self._asking(job, filler) as (wanted, aws):
            return clear(KINDS[wanted.starts].progress(aws, external_id), filler, secrets(job))

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, f"{{{KEY}}}")).open()
        thing, name = KINDS[wanted.starts], f"{prefix_of(job, wanted.prefix)}{MARK}{{{KEY}}}"
        with masked(filler, secrets(job)):
            request = thing.whole(name, fitted(thing.creates, filler.json(wanted.request)), job.timeout)
            where = f" in {filler.text(wanted.region)}" if wanted.region else ""
        return f"{thing.creates}{where}\n{json.dumps(request, ensure_ascii=False, indent=2, default=str)}"

    def abilities(self, job: Job) -> frozenset[Ability]:
        able = {Ability.cancel, Ability.tail, Ability.observe}
        return frozenset(able | ({Ability.pause, Ability.every} if job.config.get("schedule") else set()))

    def cancel(self, job: Job, external_id: str) -> str:
        filler = fill.Filler(self._environ, {})
        with self._asking(job, filler) as (wanted, aws):
            return filler.mask(KINDS[wanted.starts].stop(aws, external_id), job.config)

    def tail(self, job: Job, external_id: str) -> str:
        filler = fill.Filler(self._environ, {})
        with self._asking(job, filler) as (wanted, aws):
            said = KINDS[wanted.starts].log(aws, external_id)
        return last_lines(filler.mask(said, job.config), TAIL)  # masked before it is cut

    def observe(self, job: Job, since: datetime) -> Observed:
        filler = fill.Filler(self._environ, {})
        with self._asking(job, filler) as (wanted, aws):
            prefix = prefix_of(job, wanted.prefix)
            runs = KINDS[wanted.starts].runs(aws, prefix, since, filler.json(wanted.request))
            said, paused = schedule.seen(aws, wanted.schedule) if wanted.schedule else ("", None)
        shown = (replace(run, outcome=filler.mask(run.outcome, job.config)) for run in runs)
        return Observed(tuple(shown), said, paused)

    def pause(self, job: Job, paused: bool) -> str:
        if Ability.pause not in self.abilities(job):
            return super().pause(job, paused)
        with self._asking(job, fill.Filler(self._environ, {})) as (wanted, aws):
            return schedule.pause(aws, str(wanted.schedule), paused)

    def every(self, job: Job, interval: timedelta | None) -> str:
        if Ability.every not in self.abilities(job):
            return super().every(job, interval)
        with self._asking(job, fill.Filler(self._environ, {})) as (wanted, aws):
            return schedule.every(aws, str(wanted.schedule), interval)

    @contextmanager
    def _asking(self, job: Job, filler: fill.Filler) -> Iterator[tuple[Config, Aws]]:
        """The job's config and its region; what is said of trouble holds nothing of the environment."""
        wanted = config.of(job, Config)
        with masked(filler, secrets(job)):
            region = filler.text(wanted.region) if wanted.region else None
            yield wanted, Aws(self._clients, region, min(job.timeout, self._patience))


def secrets(job: Job) -> Job:
    """The job without its region, which is no secret though a variable may hold it: every link has it."""
    return replace(job, config={key: value for key, value in job.config.items() if key != "region"})
