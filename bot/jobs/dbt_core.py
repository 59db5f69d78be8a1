"""dbt Core as a command on Patrol's host: begun, followed and ended as every command; its results are read."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.core.job_run import JobState, Observed, Progress, Sighted
from bot.jobs import argument, dbt_results, fill
from bot.jobs.command import allowed, environment, progress
from bot.jobs.config.dbt import Config, options
from bot.jobs.dbt_results import Results
from bot.jobs.kept import How, Order, Runs
from bot.jobs.place import Place
from sensors.model.job import Job

RESULTS = "run_results.json"
MARK = "DBT_ENV_CUSTOM_ENV_PATROL_RUN"  # dbt writes what such variables hold into its results
MOST = 50_000_000  # bytes of its results that are read


class Core:
    """Of a job that names a `project`."""

    def __init__(self, environ: Mapping[str, str], place: Place) -> None:
        self._environ = environ
        self._place = place
        self._runs = Runs(place.state)

    def start(self, job: Job, wanted: Config, filler: fill.Filler, key: str) -> Progress:
        allowed(job, self._place)
        project = self._project(wanted)
        run = self._runs.name(job.name, key)
        order = Order(
            arguments(wanted, project, self._place.project, filler),
            project,
            environment(wanted.environment, filler, self._environ) | {MARK: run},
            job.timeout,
            signal.SIGINT,  # on which dbt cancels its queries
            {RESULTS: project / wanted.environment.get("DBT_TARGET_PATH", "target") / RESULTS},
        )
        self._runs.begin(job.name, key, order)
        return self.poll(job, run)

    def poll(self, job: Job, run: str) -> Progress:
        kept = self._runs.look(run)
        said = progress(job, run, kept)
        found = _read(self._runs.file(run, RESULTS)) if kept.how is How.ended else None
        if found is None or found.run != run or said.state is JobState.cancelled:
            return said
        outcome = (
            found.said
            if not kept.why and (kept.code == 0 or found.failed)
            else f"{said.outcome}; {found.said}"
        )
        return replace(said, outcome=outcome, updated=found.updated)

    def cancel(self, run: str) -> str:
        self._runs.cancel(run)
        return "asked to end: dbt cancels its queries; what is left of it after five seconds is killed"

    def tail(self, run: str) -> str:
        return self._runs.tail(run)

    def observe(self, wanted: Config, since: datetime) -> Observed:
        """The newest invocation in the project, whoever began it: dbt keeps the results of one."""
        project = self._project(wanted)
        found = _read(project / wanted.environment.get("DBT_TARGET_PATH", "target") / RESULTS)
        if found is None or found.ended_at is None or found.ended_at < since:
            return Observed()
        state = JobState.failed if found.failed else JobState.succeeded
        seen = Sighted(
            external_id=found.run or found.invocation,
            state=state,
            started_at=found.ended_at - found.took,
            ended_at=found.ended_at,
            by="Patrol" if found.run else "",
            outcome=found.said,
            updated=found.updated,
        )
        return Observed((seen,))

    def _project(self, wanted: Config) -> Path:
        return self._place.project / (wanted.project or "")


def arguments(wanted: Config, project: Path, seen_from: Path, filler: fill.Filler) -> list[str]:
    """The whole command. Paths are seen from Patrol's project; a bare name is looked for in PATH."""
    program = str(seen_from / wanted.program) if "/" in wanted.program else wanted.program
    said = argument.filled([program, "--no-use-colors", *options(wanted)], filler.values)
    said += ["--project-dir", str(project.absolute())]
    if wanted.profiles:
        said += ["--profiles-dir", str((seen_from / wanted.profiles).absolute())]
    if wanted.target:
        said += ["--target", wanted.target]
    if wanted.vars:
        said += ["--vars", json.dumps(filler.json(wanted.vars), ensure_ascii=False)]
    return said


def _read(path: Path) -> Results | None:
    try:
        if path.stat().st_size > MOST:
            return None
        return dbt_results.results(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None
