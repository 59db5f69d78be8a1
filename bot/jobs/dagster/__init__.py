"""Jobs of kind dagster: a run over there, known by the tag patrol/key, so that it is started once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.job_run import SIGHTED, Ability, JobState, Observed, Progress
from bot.jobs import TAIL, Runner, config, fill, web
from bot.jobs.answer import last_lines, one_line
from bot.jobs.config.dagster import Config
from bot.jobs.dagster import words
from bot.jobs.dagster.webserver import Webserver
from bot.process.errors import JobRefused
from sensors.model.job import KEY, Job

EVERY = 5.0  # seconds until a run is asked about again
# A launch that was given up might be recorded after the next look for it, and so be made twice.
LAUNCHING = timedelta(minutes=1)
NOTHING: Mapping[str, Any] = {}
ABILITIES = frozenset({Ability.cancel, Ability.tail, Ability.observe, Ability.pause})


class DagsterRunner(Runner):
    """A run of the key is looked for before one is started; nobody starts the same key twice at once."""

    def __init__(self, environ: Mapping[str, str], patience: timedelta = web.PATIENCE) -> None:
        self._environ = environ
        self._patience = patience
        self._web = web.Web()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - the key that goes with every run makes it so
        return True

    def abilities(self, job: Job) -> frozenset[Ability]:  # noqa: ARG002 - all jobs of the kind
        return ABILITIES

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        with self._asking(job, fill.values(job, params, idempotency_key)) as (dagster, filler):
            tags = {name: one_line(text) for name, text in filler.json(dagster.job.tags).items()}
            run = dagster.known(idempotency_key) or dagster.launch(
                filler.json(dagster.job.run_config), {**tags, words.KEY: idempotency_key}
            )
            return self._progress(dagster, run, filler, job)

    def poll(self, job: Job, external_id: str) -> Progress:
        with self._asking(job) as (dagster, filler):
            run = dagster.run(external_id)
            if run is None:
                return Progress(JobState.failed, external_id, "Dagster no longer has its run: look there.")
            return self._progress(dagster, run, filler, job)

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, f"{{{KEY}}}")).open()
        given = {"run_config": filler.json(wanted.run_config), "tags": filler.json(wanted.tags)}
        said = json.dumps({k: v for k, v in given.items() if v}, ensure_ascii=False, indent=2)
        return f"{filler.text(wanted.url)}: launch {wanted.job} of {wanted.location}\n{said}"

    def cancel(self, job: Job, external_id: str) -> str:
        with self._asking(job) as (dagster, filler):
            answered = dagster.terminate(external_id)
            if answered["__typename"] == "TerminateRunSuccess":
                return "asked Dagster to terminate the run"
            return filler.mask(one_line(answered["message"]), job.config)

    def tail(self, job: Job, external_id: str) -> str:
        with self._asking(job) as (dagster, filler):
            return last_lines(filler.mask(dagster.log(external_id), job.config), TAIL)

    def observe(self, job: Job, since: datetime) -> Observed:
        with self._asking(job) as (dagster, filler):
            after = since.astimezone(UTC).timestamp()
            found = [
                *dagster.runs(SIGHTED, createdAfter=after),
                *dagster.runs(SIGHTED, statuses=list(words.OPEN)),
            ]
            newest = sorted(found, key=lambda run: float(run.get("creationTime") or 0), reverse=True)
            address = web.shown(dagster.site.url, filler, job)
            runs = {web.id_of(run["runId"]): words.sighted(run, address) for run in newest}
            clocks = _steered(dagster)
            return Observed(
                runs=tuple(runs.values())[:SIGHTED],
                schedule=", ".join(f"{clock.rule} ({clock.name})" for clock in clocks),
                paused=not any(clock.running for clock in clocks) if clocks else None,
                next_at=min((c.next_at for c in clocks if c.running and c.next_at), default=None),
            )

    def pause(self, job: Job, paused: bool) -> str:
        with self._asking(job) as (dagster, _):
            clocks = _steered(dagster)
            if len(clocks) != 1:
                raise JobRefused(_which_one(job, clocks))
            dagster.steer(clocks[0], running=not paused)
            kind = "sensor" if clocks[0].sensor else "schedule"
            return f"{'stopped' if paused else 'started'} the {kind} {clocks[0].name} in Dagster"

    @contextmanager
    def _asking(
        self, job: Job, values: Mapping[str, Any] = NOTHING
    ) -> Iterator[tuple[Webserver, fill.Filler]]:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, values)
        with web.masked(filler, job), web.shaped("Dagster"):
            site = web.site(self._web, wanted.url, wanted.headers, filler, job, self._patience)
            yield Webserver(site, wanted, min(job.timeout, LAUNCHING)), filler

    def _progress(
        self, dagster: Webserver, run: Mapping[str, Any], filler: fill.Filler, job: Job
    ) -> Progress:
        state, said, external_id = words.state(run), words.word(run), web.id_of(run["runId"])
        if state is JobState.failed and (steps := dagster.failed_steps(external_id)):
            said = f"failed in {one_line(', '.join(steps))}"
        link = f"{dagster.site.url}/runs/{external_id}"
        return web.clear(Progress(state, external_id, said, link, EVERY), filler, job)


def _steered(dagster: Webserver) -> list[words.Clock]:
    """The schedule that the job names, else all schedules and sensors that start it."""
    named = dagster.job.schedule
    return [clock for clock in dagster.clocks() if named in (None, clock.name)]


def _which_one(job: Job, clocks: list[words.Clock]) -> str:
    if named := job.config.get("schedule"):
        return f'Dagster has no schedule or sensor "{named}" that starts {job.title}.'
    if not clocks:
        return f"{job.title} has no schedule and no sensor in Dagster."
    names = ", ".join(clock.name for clock in clocks)
    return f"{job.title} has several in Dagster ({names}): say by schedule: in _jobs.yml which is meant."
