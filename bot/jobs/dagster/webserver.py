"""A Dagster that answers GraphQL, asked for one job. What it says is passed on as it is, or raised."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.jobs import answer
from bot.jobs.config import meant
from bot.jobs.config.dagster import Config
from bot.jobs.dagster import documents, words
from bot.jobs.web import Site
from bot.process.errors import JobRefused, JobUnknown

EVENTS, PAGES = 250, 40  # of a log that are read at once, and how often


@dataclass(frozen=True)
class Webserver:
    """Raises JobRefused and JobUnknown, with Dagster's own sentence."""

    site: Site
    job: Config
    launching: timedelta  # how long a launch has

    @property
    def repository(self) -> dict[str, str]:
        return {
            "repositoryName": self.job.repository,
            "repositoryLocationName": self.job.location,
        }

    def launch(self, run_config: Any, tags: Mapping[str, str]) -> Mapping[str, Any]:
        """The run that it began."""
        params = {
            "selector": {"jobName": self.job.job, **self.repository},
            "runConfigData": run_config,
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        patient = replace(self, site=replace(self.site, limit=self.launching))
        got = patient._ask(documents.LAUNCH, "launchRun", params=params)
        match got["__typename"]:
            case "LaunchRunSuccess":
                return dict(got["run"])
            case "PythonError":  # of Dagster itself: the run may have been made, so it is looked for first
                raise JobUnknown(f"Dagster could not start it: {answer.one_line(got.get('message'))}")
            case "PipelineNotFoundError":
                raise JobRefused(self._which())
        said = "; ".join(str(answer.at(e, "message")) for e in got.get("errors") or ())
        raise JobRefused(f"Dagster refused: {answer.one_line(said or got.get('message'), 600)}")

    def known(self, key: str) -> Mapping[str, Any] | None:
        """The run that was begun with this key, if there is one."""
        return next(iter(self.runs(1, tags=[{"key": words.KEY, "value": key}])), None)

    def runs(self, limit: int, **narrowed: Any) -> list[Mapping[str, Any]]:
        """Runs of the job, newest first."""
        asked = {"pipelineName": self.job.job, **narrowed}
        found = self._ask(documents.RUNS, "runsOrError", "Runs", filter=asked, limit=limit)
        ours = (None, self.repository)  # a run whose origin it does not say is the job's by its name
        return [run for run in found["results"] if run.get("repositoryOrigin") in ours]

    def run(self, run: str) -> Mapping[str, Any] | None:
        """A run by its id, None where Dagster knows none."""
        got = self._ask(documents.RUN_OF, "runOrError", "Run", "RunNotFoundError", id=run)
        return None if got["__typename"] == "RunNotFoundError" else got

    def failed_steps(self, run: str) -> list[str]:
        got = self._ask(documents.FAILED_STEPS, "runOrError", "Run", id=run)
        return [str(s["stepKey"]) for s in got.get("stepStats") or () if s.get("status") == "FAILURE"]

    def terminate(self, run: str) -> Mapping[str, Any]:
        return self._ask(
            documents.TERMINATE, "terminateRun", "TerminateRunSuccess", "TerminateRunFailure", id=run
        )

    def log(self, run: str) -> str:
        """The end of its events. They are told from the first on, so of a very long log there is no end."""
        kept: deque[str] = deque(maxlen=EVENTS)
        after = None
        for _ in range(PAGES):
            got = self._ask(documents.LOG, "logsForRun", "EventConnection", id=run, after=after, limit=EVENTS)
            kept.extend(words.lines(got["events"]))
            if not got["hasMore"]:
                return "\n".join(kept)
            after = got["cursor"]
        raise JobRefused(f"Its log has more than {EVENTS * PAGES} events, too many to be read: look there.")

    def clocks(self) -> list[words.Clock]:
        """The schedules and sensors that start the job."""
        data = self._data(documents.SCHEDULES, of=self.repository)
        return list(words.clocks(data, self.job.job))

    def steer(self, clock: words.Clock, running: bool) -> None:
        """Starts or stops a schedule or a sensor."""
        if running and clock.sensor:
            self._done(documents.START_SENSOR, of={**self.repository, "sensorName": clock.name})
        elif running:
            self._done(documents.START_SCHEDULE, of={**self.repository, "scheduleName": clock.name})
        else:
            stop = documents.STOP_SENSOR if clock.sensor else documents.STOP_SCHEDULE
            self._done(stop, id=clock.id)

    def _done(self, document: str, **variables: Any) -> None:
        self._ask(document, "done", "ScheduleStateResult", "Sensor", "StopSensorMutationResult", **variables)

    def _ask(self, document: str, field: str, *wanted: str, **variables: Any) -> Mapping[str, Any]:
        """What stands in the field of the answer, if it is of one of the types that are wanted."""
        got = self._data(document, **variables).get(field)
        if not isinstance(got, dict) or "__typename" not in got:
            raise JobUnknown(f"Dagster answered without {field}.")
        if not wanted or got["__typename"] in wanted:
            return got
        said = answer.one_line(got.get("message") or got["__typename"])
        if got["__typename"] == "PythonError":
            raise JobUnknown(f"Dagster could not answer: {said}")
        raise JobRefused(f"Dagster refused: {said}")

    def _data(self, document: str, **variables: Any) -> Mapping[str, Any]:
        got = self.site.ask("POST", "/graphql", {"query": document, "variables": variables})
        data = answer.at(got.data, "data")
        if not isinstance(data, dict):
            raise JobUnknown(f"Dagster could not answer: {got.said() or 'nothing came'}")
        return data

    def _which(self) -> str:
        """What it has, where it has not what the job names."""
        found = self._ask(documents.PLACES, "repositoriesOrError", "RepositoryConnection")
        jobs: dict[str, list[str]] = {}
        for one in found["nodes"]:
            jobs.setdefault(str(answer.at(one, "location.name")), []).extend(j["name"] for j in one["jobs"])
        location, job = self.job.location, self.job.job
        if location not in jobs:
            return f'Dagster has no code location "{location}" that is loaded{meant(location, jobs)}.'
        return (
            f'Dagster has no job "{job}" in {location} ({self.job.repository}){meant(job, jobs[location])}.'
        )
