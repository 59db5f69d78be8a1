"""A world for jobs of kind airflow: a small server that answers as Airflow 3.3 does, and what is asked of
either, it or the real one (tests/integrations)."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.jobs import Runner
from bot.jobs.airflow import AirflowRunner
from bot.process.errors import JobUnknown
from sensors.model.job import Job, Param
from tests.jobs.serving import closed, serving, silent

PASSWORD = "afl-93b0-very-secret"
ASKING = httpx.Client(timeout=30)  # as anybody asks, beside what is tested
RUNS = "/api/v2/dags/rescore/dagRuns"


@dataclass
class Airflow:
    """One DAG, rescore, with one task, work. The seller says how a run goes: nobody fails, slow goes on until
    it is ended, all others succeed."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)  # newest last
    paused: bool = False
    tokens: int = 0  # that were given
    passed: int = 0  # of these, the first ones that no longer hold
    rows: int = 0  # lines of a log

    async def token(self, request: Request) -> Response:
        if (await request.json()) != {"username": "admin", "password": PASSWORD}:
            return JSONResponse({"detail": "Invalid credentials"}, 401)
        self.tokens += 1
        return JSONResponse({"access_token": f"token-{self.tokens}"}, 201)

    async def dag(self, request: Request) -> Response:
        if bad := self._bad(request):
            return bad
        if request.method == "PATCH":
            assert request.query_params["update_mask"] == "is_paused"
            self.paused = bool((await request.json())["is_paused"])
        return JSONResponse(
            {
                "dag_id": "rescore",
                "is_paused": self.paused,
                "timetable_summary": "0 3 * * *",
                "timetable_description": "At 03:00",
                "next_dagrun_run_after": "2031-01-02T02:00:00Z",
            }
        )

    async def list(self, request: Request) -> Response:
        if bad := self._bad(request):
            return bad
        if request.method == "POST":
            return self._begun(await request.json())
        assert request.query_params["order_by"] == "-run_after"
        states, after = request.query_params.getlist("state"), request.query_params.get("run_after_gte")
        found = [self._moved(run) for run in reversed(self.runs.values())]
        found = [run for run in found if not states or run["state"] in states]
        if after:
            since = datetime.fromisoformat(after)
            found = [run for run in found if datetime.fromisoformat(run["run_after"]) >= since]
        return JSONResponse({"dag_runs": found[: int(request.query_params["limit"])]})

    async def run(self, request: Request) -> Response:
        if bad := self._bad(request):
            return bad
        name = request.path_params["run"]
        if name not in self.runs:
            said = f"The DagRun with dag_id: `rescore` and run_id: `{name}` was not found"
            return JSONResponse({"detail": said}, 404)
        run = self._moved(self.runs[name])
        if request.method == "PATCH":
            run |= await request.json() | {"end_date": _now()}
        return JSONResponse(run)

    async def tasks(self, request: Request) -> Response:
        if bad := self._bad(request):
            return bad
        run = self._moved(self.runs[request.path_params["run"]])
        task = {"task_id": "score", "map_index": -1, "try_number": 1, "state": run["state"]}
        task |= {"start_date": run["start_date"]}
        states = request.query_params.getlist("state")
        shown = [task] if run["start_date"] and (not states or run["state"] in states) else []
        return JSONResponse({"task_instances": shown})

    async def log(self, request: Request) -> Response:
        if bad := self._bad(request):
            return bad
        assert request.headers["accept"] == "application/x-ndjson"
        run = self.runs[request.path_params["run"]]
        told: list[dict[str, Any]] = [
            {"timestamp": None, "event": "::group::Log message source details"},
            *({"timestamp": _now(), "level": "info", "event": f"row {n}"} for n in range(self.rows)),
            {"timestamp": _now(), "level": "info", "event": f"working on {_seller(run)}"},
        ]
        if run["state"] == "failed":
            error = {"exc_type": "ValueError", "exc_value": "no such seller", "frames": []}
            said = "Task failed with exception"
            told.append({"timestamp": _now(), "level": "error", "event": said, "error_detail": [error]})
        text = "".join(json.dumps(line) + "\n" for line in told)
        return Response(text, media_type="application/x-ndjson")

    def _begun(self, body: Mapping[str, Any]) -> Response:
        name, conf = body["dag_run_id"], body["conf"]
        assert body["logical_date"] is None
        if name in self.runs:
            return JSONResponse({"detail": {"reason": "Unique constraint violation"}}, 409)
        if conf["seller_id"] == "no such seller":
            said = "Invalid input for param seller_id: 'no such seller' should not be valid under {…}"
            return JSONResponse({"detail": said}, 400)
        self.runs[name] = {
            "dag_run_id": name,
            "dag_id": "rescore",
            "run_after": _now(),
            "queued_at": _now(),
            "start_date": None,
            "end_date": None,
            "run_type": "manual",
            "triggering_user_name": "admin",
            **{key: body.get(key) for key in ("conf", "note")},
            "state": "queued",
        }
        return JSONResponse(self.runs[name])

    def _moved(self, run: dict[str, Any]) -> dict[str, Any]:
        """The run, gone on since it was last asked about."""
        if run["state"] == "queued" and not self.paused:
            run |= {"state": "running", "start_date": _now()}
        elif run["state"] == "running" and _seller(run) != "slow":
            run |= {"state": "failed" if _seller(run) == "nobody" else "success", "end_date": _now()}
        return run

    def _bad(self, request: Request) -> Response | None:
        if request.path_params["dag"] != "rescore":
            said = f"Dag with dag_id: '{request.path_params['dag']}' not found"
            return JSONResponse({"detail": said}, 404)
        held = {f"Bearer token-{n}" for n in range(self.passed + 1, self.tokens + 1)}
        if request.headers.get("authorization") in held:
            return None
        return JSONResponse({"detail": "Invalid JWT token"}, 403)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _seller(run: Mapping[str, Any]) -> str:
    return str(run["conf"]["seller_id"])


@dataclass
class AirflowWorld:
    """What the contract says, in REST. Keys are this world's own: a real Airflow outlives a test."""

    runner: Runner
    job: Job
    address: str
    password: str
    closing: ExitStack
    airflow: Airflow | None = None  # where it is ours
    there: Runner | None = None  # while it is away
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def secret(self) -> str:
        return self.password

    def start(self, key: str = "k1", **params: Any) -> Any:
        """Again where it is not known, as Patrol does: the SQLite below a real Airflow is locked at times."""
        for tries_left in (2, 1, 0):
            try:
                return self.runner.start(self.job, params or {"seller_id": "s_1"}, f"{self.mark}-{key}")
            except JobUnknown:
                if self.airflow or not tries_left:
                    raise
        raise AssertionError

    def starts(self) -> int:
        return len(self._runs())

    def received(self) -> list[Any]:
        return [_seller(run) for run in reversed(self._runs())]

    def refuse(self) -> None:
        self.configure(conf={"seller_id": "no such seller", "request": "{seller_id}"})

    def go_away(self) -> None:
        self.there, self.runner = self.runner, self._at(closed())

    def come_back(self) -> None:
        self.runner = self.there or self.runner

    def long(self) -> str:
        return str(self.start(seller_id="slow").external_id)

    def loud(self) -> str:
        if self.airflow:
            self.airflow.rows = 900
        run = str(self.start(seller_id=f"who asks with {self.password}").external_id)
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
        return AirflowRunner({"PATROL_AIRFLOW_URL": address, "PATROL_AIRFLOW_PASSWORD": PASSWORD})

    def _runs(self) -> list[dict[str, Any]]:
        """Of this world, newest first, as Airflow tells of them to anybody who may ask."""
        login = {"username": "admin", "password": self.password}
        token = ASKING.post(f"{self.address}/auth/token", json=login).json()["access_token"]
        told = ASKING.get(
            f"{self.address}{RUNS}?order_by=-run_after&limit=100",
            headers={"Authorization": f"Bearer {token}"},
        ).json()
        return [run for run in told["dag_runs"] if run["dag_run_id"].startswith(f"patrol__{self.mark}")]


def airflow_job(**config: Any) -> Job:
    whole = {
        "url": "${PATROL_AIRFLOW_URL}",
        "dag": "rescore",
        "conf": {"seller_id": "{seller_id}"},
        "login": {"username": "admin", "password": "${PATROL_AIRFLOW_PASSWORD}"},
    }
    seller = Param("seller_id", pattern=r"[^\n]{1,200}")
    return Job("rescore_seller", "airflow", "Rescore seller", "accounts", {**whole, **config}, (seller,))


@pytest.fixture(scope="session")
def airflow_address() -> Iterator[tuple[str, str, Airflow | None]]:
    """Where an Airflow answers, the admin's password there, and the Airflow if it is ours."""
    ours = Airflow()
    routes = [
        Route("/auth/token", ours.token, methods=["POST"]),
        Route("/api/v2/dags/{dag}", ours.dag, methods=["GET", "PATCH"]),
        Route("/api/v2/dags/{dag}/dagRuns", ours.list, methods=["GET", "POST"]),
        Route("/api/v2/dags/{dag}/dagRuns/{run}", ours.run, methods=["GET", "PATCH"]),
        Route("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances", ours.tasks),
        Route("/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/score/logs/1", ours.log),
    ]
    with serving(routes) as address:
        yield address, PASSWORD, ours


@pytest.fixture
def airflow_world(airflow_address: tuple[str, str, Airflow | None]) -> Iterator[AirflowWorld]:
    address, password, ours = airflow_address
    if ours:
        fresh = Airflow()
        for name in ("runs", "paused", "tokens", "passed", "rows"):
            setattr(ours, name, getattr(fresh, name))
    environ = {"PATROL_AIRFLOW_URL": address, "PATROL_AIRFLOW_PASSWORD": password}
    runner = AirflowRunner(environ, timedelta(minutes=1))  # a real one takes its time on a busy machine
    with ExitStack() as closing:
        yield AirflowWorld(runner, airflow_job(), address, password, closing, ours)
