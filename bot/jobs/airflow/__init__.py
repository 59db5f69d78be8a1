"""Jobs of kind airflow: a run of a DAG whose id is our key, so it is started once. Airflow 3 (API v2)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.job_run import SIGHTED, Ability, JobState, Observed, Progress
from bot.jobs import TAIL, Runner, config, fill, web
from bot.jobs.airflow import words
from bot.jobs.airflow.server import Server, Tokens
from bot.jobs.answer import last_lines, one_line
from bot.jobs.config.airflow import Config
from sensors.model.job import KEY, Job

EVERY = 5.0  # seconds until a run is asked about again
NOTHING: Mapping[str, Any] = {}
ABILITIES = frozenset({Ability.cancel, Ability.tail, Ability.observe, Ability.pause})


class AirflowRunner(Runner):
    """Airflow itself holds that a run of an id is there once; one that is there already is ours."""

    def __init__(self, environ: Mapping[str, str], patience: timedelta = web.PATIENCE) -> None:
        self._environ = environ
        self._patience = patience
        self._web = web.Web()
        self._tokens = Tokens()

    def repeatable(self, job: Job) -> bool:  # noqa: ARG002 - the key is the run's id
        return True

    def abilities(self, job: Job) -> frozenset[Ability]:  # noqa: ARG002 - all jobs of the kind
        return ABILITIES

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        with self._asking(job, fill.values(job, params, idempotency_key)) as (airflow, filler):
            conf = filler.json(config.of(job, Config).conf)
            run = airflow.trigger(words.run_id(idempotency_key), conf)
            return _progress(airflow, run, filler, job)

    def poll(self, job: Job, external_id: str) -> Progress:
        with self._asking(job) as (airflow, filler):
            return _progress(airflow, airflow.run(external_id), filler, job)

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, fill.values(job, params, f"{{{KEY}}}")).open()
        said = json.dumps(filler.json(wanted.conf), ensure_ascii=False, indent=2)
        return f"{filler.text(wanted.url)}: trigger {wanted.dag}\n{said}"

    def cancel(self, job: Job, external_id: str) -> str:
        with self._asking(job) as (airflow, _):
            run = airflow.run(external_id)
            if run.get("state") not in words.OPEN:  # it would be made a failed one
                return f"the run has ended already: {one_line(run.get('state'), 40)}"
            airflow.fail(external_id, words.CANCELLED)
            return "ended the run in Airflow, as failed"

    def tail(self, job: Job, external_id: str) -> str:
        with self._asking(job) as (airflow, filler):
            return last_lines(filler.mask(airflow.log(external_id), job.config), TAIL)

    def observe(self, job: Job, since: datetime) -> Observed:
        with self._asking(job) as (airflow, filler):
            dag, after = airflow.about(), since.astimezone(UTC).isoformat()
            found = [
                *airflow.runs(SIGHTED, run_after_gte=after),
                *airflow.runs(SIGHTED, state=words.OPEN),
            ]
            newest = sorted(found, key=lambda run: str(run.get("run_after")), reverse=True)
            address = web.shown(airflow.site.url, filler, job)
            runs = {web.id_of(run["dag_run_id"]): words.sighted(run, address) for run in newest}
            schedule, paused = words.schedule(dag), bool(dag.get("is_paused"))
            return Observed(
                runs=tuple(runs.values())[:SIGHTED],
                schedule=schedule,
                paused=paused if schedule or paused else None,
                next_at=None if paused else words.moment(dag.get("next_dagrun_run_after")),
            )

    def pause(self, job: Job, paused: bool) -> str:
        with self._asking(job) as (airflow, _):
            airflow.pause(paused)
            return f"{'paused' if paused else 'unpaused'} the DAG {airflow.dag} in Airflow"

    @contextmanager
    def _asking(self, job: Job, values: Mapping[str, Any] = NOTHING) -> Iterator[tuple[Server, fill.Filler]]:
        wanted = config.of(job, Config)
        filler = fill.Filler(self._environ, values)
        with web.masked(filler, job), web.shaped("Airflow"):
            site = web.site(self._web, wanted.url, wanted.headers, filler, job, self._patience)
            said = wanted.login
            login = (filler.text(said.username), filler.text(said.password)) if said else None
            yield Server(site, wanted.dag, login, self._tokens), filler


def _progress(airflow: Server, run: Mapping[str, Any], filler: fill.Filler, job: Job) -> Progress:
    state, name = words.state(run), web.id_of(run["dag_run_id"])
    said = one_line(run.get("state") or "", 40)
    if state is JobState.failed and (tasks := airflow.failed_tasks(name)):
        said = f"failed in {one_line(', '.join(tasks))}"
    elif state is JobState.cancelled:
        said = "cancelled from Patrol"
    elif said == "queued" and airflow.about().get("is_paused"):
        said = "queued: its DAG is paused in Airflow, and it waits for that to end"
    link = airflow.site.url + words.page(airflow.dag, name)
    return web.clear(Progress(state, name, said, link, EVERY), filler, job)
