"""A real server for http jobs and a real database for sql jobs, both behind the same few words."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.jobs import Runner
from bot.jobs.http import HttpRunner
from bot.jobs.sql import SqlRunner
from sensors.model.job import Job, Param
from tests.jobs.on_airflow import airflow_address, airflow_job, airflow_world
from tests.jobs.on_dagster import dagster_address, dagster_job, dagster_world
from tests.jobs.on_dbt_cloud import _dbt_cloud, account, cloud_job, dbt_cloud_world
from tests.jobs.on_host import command_job, command_world, dbt_job, dbt_world, folder
from tests.jobs.on_sagemaker import (
    _amazon,
    amazon,
    sagemaker_job,
    sagemaker_pipeline_world,
    sagemaker_processing_world,
    sagemaker_world,
)
from tests.jobs.serving import serving

__all__ = [  # fixtures
    "_amazon",
    "_dbt_cloud",
    "account",
    "airflow_address",
    "airflow_world",
    "amazon",
    "command_world",
    "dagster_address",
    "dagster_world",
    "dbt_cloud_world",
    "dbt_world",
    "folder",
    "sagemaker_pipeline_world",
    "sagemaker_processing_world",
    "sagemaker_world",
]

SELLER = Param("seller_id", pattern=r"[^\n]{1,200}")
TOKEN = "tok-3f9a-very-secret"


@dataclass
class Risk:
    """A risk service that starts a run once for each key, and can be told to misbehave."""

    mood: str = "well"  # well | refuse | break | slow | redirect | away | huge | shapeless | busy
    seen: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)  # key -> run id
    state: dict[str, Any] = field(default_factory=lambda: {"state": "running"})
    log: bytes = b""
    ranges: bool = True  # whether it gives the end of a log alone
    listed: list[Any] = field(default_factory=list)  # runs, as their list tells of them
    url: str = ""

    async def rescore(self, request: Request) -> Response:
        self._note(request, (await request.body()).decode())
        key = request.headers.get("idempotency-key", "")
        if self.mood not in ("refuse", "busy", "redirect", "away"):
            self.runs.setdefault(key, f"r_{len(self.runs) + 1}")  # the work is done, whatever the answer
        if bad := self._bad():
            return bad
        run = self.runs[key]
        return JSONResponse({"id": run, "state": "running", "link": f"https://risk.example/runs/{run}"}, 202)

    async def run(self, request: Request) -> Response:
        self._note(request, "")
        return self._bad() or JSONResponse({"id": request.path_params["id"], **self.state})

    async def cancel(self, request: Request) -> Response:
        self._note(request, "")
        if bad := self._bad():
            return bad
        self.state = {"state": "canceled", "message": "stopped by request"}
        return JSONResponse({"message": f"{request.path_params['id']} is being stopped"}, 202)

    async def text(self, request: Request) -> Response:
        """As servers of files do: the end alone, where it is asked for."""
        self._note(request, "")
        if bad := self._bad():
            return bad
        last = request.headers.get("range", "").removeprefix("bytes=-")
        body = self.log[-int(last) :] if last.isdigit() and self.ranges else self.log
        return Response(body, 206 if last and self.ranges else 200, media_type="text/plain")

    async def list(self, request: Request) -> Response:
        self._note(request, "")
        return self._bad() or JSONResponse({"runs": self.listed})

    async def moved(self, _request: Request) -> Response:
        return RedirectResponse("/rescore", 307)

    def _note(self, request: Request, body: str) -> None:
        raw = request.scope["raw_path"].decode()
        query = request.scope["query_string"].decode()
        path = raw + (f"?{query}" if query else "")
        self.seen.append(
            {"path": path, "body": json.loads(body) if body else None, "headers": dict(request.headers)}
        )

    def _bad(self) -> Response | None:
        if self.mood == "slow":
            time.sleep(0.7)  # of the server's own: longer than the client waits
        answers: dict[str, Response] = {
            "refuse": JSONResponse({"error": f"no such seller\n(asked with {TOKEN})"}, 422),
            "break": PlainTextResponse("oops", 503),
            "busy": JSONResponse({}, 409, headers={"Retry-After": "1"}),
            "redirect": RedirectResponse("http://localhost:1/login", 302),
            "away": RedirectResponse("http://localhost:1/rescore", 307),
            "huge": Response(b'{"id": "' + b"x" * 400_000 + b'"}', media_type="application/json"),
            "shapeless": PlainTextResponse("<html>"),
        }
        return answers.get(self.mood)


@pytest.fixture(scope="session")
def _serving() -> Iterator[Risk]:
    risk = Risk()
    routes = [
        Route("/rescore", risk.rescore, methods=["POST", "PUT", "GET"]),
        Route("/moved", risk.moved, methods=["POST"]),
        Route("/sellers/{rest:path}", risk.rescore, methods=["POST", "GET"]),
        Route("/runs", risk.list),
        Route("/runs/{id}/cancel", risk.cancel, methods=["POST", "DELETE"]),
        Route("/runs/{id}/log", risk.text),
        Route("/runs/{id:path}", risk.run),
    ]
    with serving(routes) as risk.url:
        yield risk


@pytest.fixture
def risk(_serving: Risk) -> Risk:
    """The same server for all tests, as it was at first."""
    fresh = Risk()
    for name in ("mood", "seen", "runs", "state", "log", "ranges", "listed"):
        setattr(_serving, name, getattr(fresh, name))
    return _serving


@dataclass
class World:
    """A kind of job in its outside system: what the contract says, in words that hold for both."""

    runner: Runner
    job: Job

    def start(self, key: str = "k1", **params: Any) -> Any:
        return self.runner.start(self.job, params or {"seller_id": "s_1"}, key)

    def starts(self) -> int:
        """How often the work was really done."""
        raise AssertionError

    def refuse(self) -> None: ...
    def go_away(self) -> None: ...
    def be_slow(self) -> None: ...
    def come_back(self) -> None: ...
    def received(self) -> list[Any]:
        raise AssertionError


@dataclass
class HttpWorld(World):
    risk: Risk
    secret = TOKEN

    def starts(self) -> int:
        return len(self.risk.runs)

    def refuse(self) -> None:
        self.risk.mood = "refuse"

    def go_away(self) -> None:
        self.risk.mood = "break"

    def come_back(self) -> None:
        self.risk.mood = "well"

    def long(self) -> str:
        whole = {
            "cancel": {"url": "${PATROL_RISK_URL}/runs/{id}/cancel"},
            "log": "${PATROL_RISK_URL}/runs/{id}/log",
        }
        self.job = replace(self.job, config={**self.job.config, **whole})
        return str(self.start().external_id)

    def loud(self) -> str:
        self.risk.log = b"so much work\n" * 900 + f"asked with {TOKEN}\n".encode()
        return self.long()

    def be_slow(self) -> None:
        self.risk.mood = "slow"
        self.job = replace(self.job, timeout=timedelta(seconds=0.3))

    def received(self) -> list[Any]:
        return [seen["body"]["seller_id"] for seen in self.risk.seen]


@dataclass
class SqlWorld(World):
    file: Path

    def _rows(self, sql: str) -> list[Any]:
        with sqlite3.connect(self.file) as connection:
            return connection.execute(sql).fetchall()

    def starts(self) -> int:
        return int(self._rows("SELECT count(*) FROM payout_holds")[0][0])

    def refuse(self) -> None:
        self._rows(
            "CREATE TRIGGER no BEFORE INSERT ON payout_holds BEGIN SELECT RAISE(ABORT, 'no such seller'); END"
        )

    def go_away(self) -> None:
        self.file.rename(self.file.with_suffix(".away"))
        self.file = self.file.with_suffix(".away")

    def come_back(self) -> None:
        self.file.rename(self.file.with_suffix(".db"))
        self.file = self.file.with_suffix(".db")

    def long(self) -> str:
        pytest.skip("an sql job ends with its statement")

    loud = long

    def be_slow(self) -> None:
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        config = {
            **self.job.config,
            "statement": f"INSERT INTO payout_holds SELECT :idempotency_key, :seller_id, ({endless})",
        }
        self.job = replace(self.job, timeout=timedelta(seconds=0.3), config=config)

    def received(self) -> list[Any]:
        return [row[0] for row in self._rows("SELECT seller_id FROM payout_holds ORDER BY rowid")]


def http_job(**config: Any) -> Job:
    whole = {
        "url": "${PATROL_RISK_URL}/rescore",
        "headers": {"Authorization": "Bearer ${PATROL_RISK_TOKEN}"},
        "body": {"seller_id": "{seller_id}"},
        "poll": {"url": "${PATROL_RISK_URL}/runs/{id}"},
    }
    return Job("rescore_seller", "http", "Rescore seller", "accounts", {**whole, **config}, (SELLER,))


def sql_job(**config: Any) -> Job:
    whole = {
        "url": "${PATROL_OPS_URL}",
        "statement": "INSERT INTO payout_holds (key, seller_id) VALUES (:idempotency_key, :seller_id)"
        " ON CONFLICT (key) DO NOTHING",
        "idempotent": True,
    }
    return Job("hold_payouts", "sql", "Hold payouts", "payments", {**whole, **config}, (SELLER,))


@pytest.fixture
def ops(tmp_path: Path) -> Path:
    file = tmp_path / "ops.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE payout_holds (key TEXT UNIQUE, seller_id TEXT NOT NULL, n INTEGER)")
    return file


@pytest.fixture
def http_world(risk: Risk) -> HttpWorld:
    environ = {"PATROL_RISK_URL": risk.url, "PATROL_RISK_TOKEN": TOKEN}
    return HttpWorld(HttpRunner(environ), http_job(), risk)


@pytest.fixture
def sql_world(ops: Path) -> SqlWorld:
    return SqlWorld(SqlRunner({"PATROL_OPS_URL": f"sqlite:///{ops}"}), sql_job(), ops)


WORLDS = (
    *("http", "sql", "command", "dbt", "dbt_cloud", "dagster", "airflow"),
    *("sagemaker", "sagemaker_processing", "sagemaker_pipeline"),
)


@pytest.fixture
def whole_jobs() -> dict[str, Job]:
    """A job of each kind that says all that it may say, by its line in the table of the kinds."""
    runs = "https://x.example/runs"
    return {
        "`http`": http_job(cancel={"url": f"{runs}/{{id}}"}, log=f"{runs}/{{id}}/log", runs={"url": runs}),
        "`sql`": sql_job(),
        "`command`": command_job(),
        "`dbt` Core": dbt_job(),
        "`dbt` Cloud": cloud_job(),
        "`dagster`": dagster_job(),
        "`airflow`": airflow_job(),
        "`sagemaker`": sagemaker_job(schedule="nightly"),
    }


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    """Every kind in turn."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


def header(seen: Mapping[str, Any], name: str) -> str:
    return str(seen["headers"][name])
