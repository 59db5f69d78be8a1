"""A world for jobs of kind dagster: a small server that answers as Dagster 1.13 does, and what is asked of
either, it or the real one (tests/integrations)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.jobs import Runner
from bot.jobs.dagster import DagsterRunner
from bot.jobs.dagster.documents import RUNS
from sensors.model.job import Job, Param
from tests.jobs.serving import closed, serving, silent

TOKEN = "dgr-71c2-very-secret"
ASKING = httpx.Client(timeout=30)  # as anybody asks, beside what is tested
LOCATION, REPOSITORY = "defs.py", "__repository__"
PLACE = {"repositoryName": REPOSITORY, "repositoryLocationName": LOCATION}


@dataclass
class Dagster:
    """One code location with the job rescore, its schedule and its sensor. The seller says how a run goes:
    nobody fails, slow goes on until it is ended, all others succeed."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)  # newest last
    on: dict[str, bool] = field(default_factory=lambda: {"rescore_nightly": False, "on_file": False})
    broken: str = ""  # what Dagster says of itself

    async def graphql(self, request: Request) -> Response:
        body = await request.json()
        name = re.search(r"(?:query|mutation) Patrol(\w+)", body["query"])
        if name is None:
            return JSONResponse({"data": None, "errors": [{"message": "Cannot query field."}]}, 400)
        if self.broken:
            return JSONResponse({"data": {_field(body["query"]): _error("PythonError", self.broken)}})
        answer = getattr(self, f"_{name[1]}")(**body["variables"])
        return JSONResponse({"data": answer})

    def _Launch(self, params: dict[str, Any]) -> dict[str, Any]:
        selector, given = params["selector"], params["runConfigData"]
        place = {k: selector[k] for k in PLACE}
        if (place, selector["jobName"]) != (PLACE, "rescore"):
            missing = f"Could not find Pipeline {selector['repositoryLocationName']}.{selector['jobName']}"
            return {"launchRun": _error("PipelineNotFoundError", missing)}
        told = given["ops"]["work"]["config"]
        if unknown := sorted(told.keys() - {"seller_id", "request"}):
            said = f'Received unexpected config entry "{unknown[0]}" at path root:ops:work:config.'
            return {"launchRun": {"__typename": "RunConfigValidationInvalid", "errors": [{"message": said}]}}
        run = {
            "runId": str(uuid.uuid4()),
            "status": "STARTING",
            "tags": params["executionMetadata"]["tags"],
            "creationTime": time.time(),
            "startTime": None,
            "endTime": None,
            "repositoryOrigin": PLACE,
            "runConfig": given,
        }
        self.runs[str(run["runId"])] = run
        return {"launchRun": {"__typename": "LaunchRunSuccess", "run": run}}

    def _Run(self, id: str) -> dict[str, Any]:
        return {"runOrError": self._moved(id)}

    def _FailedSteps(self, id: str) -> dict[str, Any]:
        steps = [{"stepKey": "work", "status": self._moved(id).get("status")}]
        return {"runOrError": {"__typename": "Run", "stepStats": steps}}

    def _Runs(self, filter: dict[str, Any], limit: int) -> dict[str, Any]:
        def fits(run: dict[str, Any]) -> bool:
            tagged = all(tag in run["tags"] for tag in filter.get("tags", ()))
            told = filter.get("statuses", (run["status"],))
            return tagged and run["status"] in told and run["creationTime"] > filter.get("createdAfter", 0)

        found = [run for run in reversed(self.runs.values()) if fits(self._moved(run["runId"]))]
        mine = found if filter["pipelineName"] == "rescore" else []
        return {"runsOrError": {"__typename": "Runs", "results": mine[:limit]}}

    def _Terminate(self, id: str) -> dict[str, Any]:
        run = self._moved(id)
        if run["status"] not in ("STARTING", "STARTED"):
            said = f"Run {id} could not be terminated due to having status {run['status']}."
            return {"terminateRun": _error("TerminateRunFailure", said)}
        run |= {"status": "CANCELED", "endTime": time.time()}
        return {"terminateRun": {"__typename": "TerminateRunSuccess", "run": {"status": "CANCELING"}}}

    def _Log(self, id: str, after: str | None, limit: int) -> dict[str, Any]:
        run, since = self._moved(id), int(after or 0)
        if "runId" not in run:
            return {"logsForRun": run}
        told = [("INFO", None, ""), ("DEBUG", None, 'Started execution of run for "rescore".')]
        told += [("INFO", "work", f"working on {_seller(run)}")]
        told += [("INFO", "work", f"row {n}") for n in range(run.get("rows", 0))]
        events: list[dict[str, Any]] = [
            {
                "timestamp": f"{run['creationTime'] * 1000:.0f}",
                "level": level,
                "stepKey": step,
                "message": said,
            }
            for level, step, said in told
        ]
        if run["status"] == "FAILURE":
            error = {"message": "dagster.Failure: no such seller\n", "causes": []}
            said = 'Execution of step "work" failed.'
            events.append({**events[0], "level": "ERROR", "stepKey": "work", "message": said, "error": error})
        more, page = since + limit < len(events), events[since : since + limit]
        page_of = {"__typename": "EventConnection", "events": page, "hasMore": more}
        return {"logsForRun": {**page_of, "cursor": str(since + limit)}}

    def _Places(self) -> dict[str, Any]:
        jobs = [{"name": "__ASSET_JOB"}, {"name": "rescore"}]
        node = {"name": REPOSITORY, "location": {"name": LOCATION}, "jobs": jobs}
        return {"repositoriesOrError": {"__typename": "RepositoryConnection", "nodes": [node]}}

    def _Schedules(self, of: dict[str, str]) -> dict[str, Any]:
        assert of == PLACE
        state = {
            name: {"id": f"id of {name}", "status": "RUNNING" if on else "STOPPED"}
            for name, on in self.on.items()
        }
        nightly = {
            "name": "rescore_nightly",
            "cronSchedule": "0 3 * * *",
            "executionTimezone": "Europe/Berlin",
            "pipelineName": "rescore",
            "scheduleState": state["rescore_nightly"],
            "futureTicks": {"results": [{"timestamp": time.time() + 3600}]},
        }
        other = {**nightly, "name": "cleaning", "pipelineName": "clean"}
        sensor = {
            "name": "on_file",
            "targets": [{"pipelineName": "rescore"}],
            "sensorState": state["on_file"],
        }
        return {
            "schedulesOrError": {"__typename": "Schedules", "results": [nightly, other]},
            "sensorsOrError": {"__typename": "Sensors", "results": [sensor]},
        }

    def _StartSchedule(self, of: dict[str, str]) -> dict[str, Any]:
        return self._turned(of["scheduleName"], True, "ScheduleStateResult")

    def _StopSchedule(self, id: str) -> dict[str, Any]:
        return self._turned(id.removeprefix("id of "), False, "ScheduleStateResult")

    def _StartSensor(self, of: dict[str, str]) -> dict[str, Any]:
        return self._turned(of["sensorName"], True, "Sensor")

    def _StopSensor(self, id: str) -> dict[str, Any]:
        return self._turned(id.removeprefix("id of "), False, "StopSensorMutationResult")

    def _turned(self, name: str, on: bool, kind: str) -> dict[str, Any]:
        assert name in self.on
        self.on[name] = on
        return {"done": {"__typename": kind}}

    def _moved(self, id: str) -> dict[str, Any]:
        """The run, gone on since it was last asked about."""
        run = self.runs.get(id)
        if run is None:
            return _error("RunNotFoundError", f"Pipeline run {id} could not be found.")
        if run["status"] == "STARTING":
            run |= {"__typename": "Run", "status": "STARTED", "startTime": time.time()}
        elif run["status"] == "STARTED" and _seller(run) != "slow":
            ended = "FAILURE" if _seller(run) == "nobody" else "SUCCESS"
            run |= {"status": ended, "endTime": time.time()}
        return run


def _seller(run: Mapping[str, Any]) -> str:
    return str(run["runConfig"]["ops"]["work"]["config"]["seller_id"])


def _error(kind: str, said: str) -> dict[str, Any]:
    return {"__typename": kind, "message": said}


def _field(document: str) -> str:
    found = re.search(r"Patrol\w+(?:\([^)]*\))? \{\s*(\w+)", document)
    assert found
    return found[1]


@dataclass
class DagsterWorld:
    """What the contract says, in GraphQL. Keys are this world's own: a real Dagster outlives a test."""

    runner: Runner
    job: Job
    address: str
    closing: ExitStack
    dagster: Dagster | None = None  # where it is ours
    there: Runner | None = None  # while it is away
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    secret = TOKEN

    def start(self, key: str = "k1", **params: Any) -> Any:
        return self.runner.start(self.job, params or {"seller_id": "s_1"}, f"{self.mark}-{key}")

    def starts(self) -> int:
        return len(self._runs())

    def received(self) -> list[Any]:
        return [_seller(run) for run in reversed(self._runs())]

    def refuse(self) -> None:
        self.configure(run_config={"ops": {"work": {"config": {"no such seller": "{seller_id}"}}}})

    def go_away(self) -> None:
        self.there, self.runner = self.runner, self._at(closed())

    def come_back(self) -> None:
        self.runner = self.there or self.runner

    def long(self) -> str:
        return str(self.start(seller_id="slow").external_id)

    def loud(self) -> str:
        run = str(self.start(seller_id=f"who asks with {TOKEN}").external_id)
        if self.dagster:
            self.dagster.runs[run]["rows"] = 100
        return self.ended(run)

    def ended(self, run: str) -> str:
        deadline = time.monotonic() + 60
        while not self.runner.poll(self.job, run).state.ended:
            assert time.monotonic() < deadline, f"{run} does not end"
            time.sleep(0.01)
        return run

    def be_slow(self) -> None:
        self.runner = self._at(self.closing.enter_context(silent()))
        self.job = replace(self.job, timeout=timedelta(seconds=0.3))

    def configure(self, **config: Any) -> None:
        self.job = replace(self.job, config={**self.job.config, **config})

    def _at(self, address: str) -> Runner:
        return DagsterRunner({"PATROL_DAGSTER_URL": address, "PATROL_DAGSTER_TOKEN": TOKEN})

    def _runs(self) -> list[dict[str, Any]]:
        """Of this world, newest first, as Dagster tells of them to anybody."""
        asked = RUNS.replace("runId status", "runId status runConfig", 1)
        variables = {"filter": {"pipelineName": "rescore"}, "limit": 200}
        body = {"query": asked, "variables": variables}
        told = ASKING.post(f"{self.address}/graphql", json=body).json()
        found: list[dict[str, Any]] = told["data"]["runsOrError"]["results"]
        return [run for run in found if any(tag["value"].startswith(self.mark) for tag in run["tags"])]


def dagster_job(**config: Any) -> Job:
    whole = {
        "url": "${PATROL_DAGSTER_URL}",
        "location": LOCATION,
        "job": "rescore",
        "headers": {"Dagster-Cloud-Api-Token": "${PATROL_DAGSTER_TOKEN}"},
        "run_config": {"ops": {"work": {"config": {"seller_id": "{seller_id}"}}}},
        "schedule": "rescore_nightly",
    }
    seller = Param("seller_id", pattern=r"[^\n]{1,200}")
    return Job("rescore_seller", "dagster", "Rescore seller", "accounts", {**whole, **config}, (seller,))


@pytest.fixture(scope="session")
def dagster_address() -> Iterator[tuple[str, Dagster | None]]:
    """Where a Dagster answers."""
    ours = Dagster()
    with serving([Route("/graphql", ours.graphql, methods=["POST"])]) as address:
        yield address, ours


@pytest.fixture
def dagster_world(dagster_address: tuple[str, Dagster | None]) -> Iterator[DagsterWorld]:
    address, ours = dagster_address
    if ours:
        fresh = Dagster()
        ours.runs, ours.on, ours.broken = fresh.runs, fresh.on, fresh.broken
    environ = {"PATROL_DAGSTER_URL": address, "PATROL_DAGSTER_TOKEN": TOKEN}
    runner = DagsterRunner(environ, timedelta(minutes=1))  # a real one takes its time on a busy machine
    with ExitStack() as closing:
        yield DagsterWorld(runner, dagster_job(), address, closing, ours)
