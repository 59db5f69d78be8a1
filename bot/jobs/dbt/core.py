"""dbt Core as a command on Patrol's host, begun, followed and ended as every command is; and its results."""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.core.job_run import JobState, Observed, Progress, Sighted
from bot.jobs import argument, fill
from bot.jobs.command import allowed, environment, progress
from bot.jobs.command.kept import How, Order, Runs
from bot.jobs.config.dbt import Config, options
from bot.jobs.dbt.results import Results, results, unnamed
from bot.jobs.place import Place
from sensors.model.job import Job

MADE = "run_results.json"
MARK = "DBT_ENV_CUSTOM_ENV_PATROL_RUN"  # dbt writes what such variables hold into its results
MOST, LITTLE = 16_000_000, 5_000_000  # bytes of its results, and of its manifest, that are read


@dataclass(frozen=True)
class Core:
    """One conversation about a job that names a `project`, with what the environment and a start give it."""

    place: Place
    runs: Runs
    environ: Mapping[str, str]
    job: Job
    wanted: Config
    filler: fill.Filler

    def start(self, key: str) -> Progress:
        allowed(self.job, self.place)
        run = self.runs.name(self.job.name, key)
        order = Order(
            self._arguments(),
            self._project,
            self._environment | {MARK: run},
            self.job.timeout,
            signal=signal.SIGINT,  # on which dbt cancels its queries
            keep={MADE: self._target / MADE},
        )
        self.runs.begin(self.job.name, key, order)
        return self.poll(run)

    def plan(self) -> str:
        return shlex.join(self._arguments())

    def poll(self, run: str) -> Progress:
        kept = self.runs.look(run)
        said = progress(self.job, run, kept, self.filler)
        ended = kept.how is How.ended
        found = _told(self.runs.file(run, MADE), self._target / "manifest.json") if ended else None
        if found is None or found.run != run:
            return said
        whole = not kept.why and (kept.code == 0 or found.failed)
        told = found.said if whole else f"{said.outcome}; {found.said}"
        return replace(said, outcome=told, updated=found.updated)

    def cancel(self, run: str) -> str:
        self.runs.cancel(run)
        return "asked to end: dbt cancels its queries; what is left of it after five seconds is killed"

    def tail(self, run: str) -> str:
        return self.runs.tail(run)

    def observe(self, since: datetime) -> Observed:
        """The newest invocation in the project, whoever began it: dbt keeps the results of one."""
        found = _newest(self._target / MADE)
        if found is None or found.ended_at is None or found.ended_at < since:
            return Observed()
        seen = Sighted(
            external_id=found.run or found.invocation,
            state=JobState.failed if found.failed else JobState.succeeded,
            started_at=found.ended_at - found.took,
            ended_at=found.ended_at,
            by="Patrol" if found.run else "",
            outcome=found.said,
            updated=found.updated,
        )
        return Observed((seen,))

    @property
    def _project(self) -> Path:
        return self.place.project / (self.wanted.project or "")

    @property
    def _environment(self) -> dict[str, str]:
        return environment(self.wanted.environment, self.filler, self.environ)

    @property
    def _target(self) -> Path:
        """Where dbt writes what came of its newest invocation."""
        return self._project / self._environment.get("DBT_TARGET_PATH", "target")

    def _arguments(self) -> list[str]:
        """The whole command. Paths are seen from Patrol's project; a bare name is looked for in PATH."""
        wanted, seen_from = self.wanted, self.place.project.absolute()
        program = str(seen_from / wanted.program) if "/" in wanted.program else wanted.program
        said = argument.filled([program, "--no-use-colors", *options(wanted)], self.filler.values)
        said += ["--project-dir", str(self._project.absolute())]
        if wanted.profiles:
            said += ["--profiles-dir", str(seen_from / wanted.profiles)]
        if wanted.target:
            said += ["--target", wanted.target]
        if wanted.vars:
            said += ["--vars", json.dumps(self.filler.json(wanted.vars), ensure_ascii=False)]
        return said


def _told(said: Path, manifest: Path) -> Results | None:
    """What dbt wrote of an invocation. Its manifest is asked for tables that the results do not name; a large
    one is not: to read it takes more memory than all of Patrol."""
    found = _json(said, MOST)
    return results(found, _json(manifest, LITTLE) if unnamed(found) else None)


def _newest(said: Path) -> Results | None:
    """The same, read when it has changed only: it is looked at again and again."""
    try:
        stat = said.stat()
    except OSError:
        return None
    return _as_it_was(said, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _as_it_was(said: Path, _mtime_ns: int, _size: int) -> Results | None:
    return results(_json(said, MOST))


def _json(path: Path, most: int) -> Any:
    try:
        return json.loads(path.read_bytes()) if path.stat().st_size <= most else None
    except (OSError, ValueError, RecursionError):
        return None
