"""A world for jobs of dbt Cloud: a small server that answers as the description of its API says."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.core.job_run import Progress
from bot.jobs import Runner
from bot.jobs.dbt import DbtRunner
from bot.jobs.place import Place
from sensors.model.job import Job, Param
from tests.jobs.serving import serving

TOKEN = "dbtu-5d0e-very-secret"
JOB = {
    "id": 7,
    "account_id": 12,
    "project_id": 3,
    "environment_id": 4,
    "name": "Nightly",
    "dbt_version": None,
    "description": "",
    "execute_steps": ["dbt build"],
    "execution": {"timeout_seconds": 0},
    "generate_docs": False,
    "is_deferrable": False,
    "job_type": "scheduled",
    "lifecycle_webhooks": False,
    "run_compare_changes": False,
    "run_generate_sources": False,
    "run_lint": False,
    "errors_on_lint_failure": True,
    "settings": {"threads": 4, "target_name": "prod"},
    "state": 1,
    "triggers": {"github_webhook": False, "schedule": True, "on_merge": None},
    "schedule": {
        "date": {"type": "every_day"},
        "time": {"type": "at_exact_hours", "hours": [5]},
        "cron": "0 5 * * *",
    },
}
TIMES = {"every_hour": "interval", "at_exact_hours": "hours"}
RESULTS = {
    "metadata": {"generated_at": "2026-01-05T05:04:00Z", "invocation_id": "9f"},
    "elapsed_time": 3.5,
    "results": [
        {"unique_id": "model.shop.orders", "status": "success", "relation_name": "PROD.CORE.ORDERS"},
        {"unique_id": "test.shop.unique_orders_id.aa", "status": "pass"},
    ],
}


@dataclass
class Account:
    """Account 12 with job 7. What is asked is noted down, with what was answered."""

    mood: str = "well"  # well | refuse | break | slow | lost: it takes the request and never says so
    seen: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    results: Any = None
    job: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(JOB)))
    room: int = 1000  # characters of a description that it keeps, and says nothing of the rest
    forgets: bool = True  # a description that an update does not say; else it stays as it was
    log: str = f"\x1b[32m1 of 1 OK\x1b[0m\nwith {TOKEN}\n"
    url: str = ""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(101))

    async def take(self, request: Request) -> Response:
        body = await request.body()
        said = json.loads(body) if body else None
        path = request.url.path
        self.seen.append(
            {"method": request.method, "path": path, "query": dict(request.query_params), "body": said}
        )
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._said(
                {"status": {"code": 401, "is_success": False, "user_message": "Invalid token."}}, 401
            )
        if bad := self._bad(request.method, said):
            return bad
        inside = path.removeprefix("/api/v2/accounts/12/")
        for pattern, answer in self._ways(request.method).items():
            if found := re.fullmatch(pattern, inside):
                return answer(*found.groups(), said=said, query=request.query_params)
        return self._none()

    def _ways(self, method: str) -> dict[str, Any]:
        if method == "POST":
            return {
                r"jobs/7/run/": self._begin,
                r"jobs/7/": self._update,
                r"runs/(\d+)/cancel/": self._cancel,
            }
        return {
            r"jobs/7/": lambda **_: self._data(self.job),
            r"runs/": self._list,
            r"runs/(\d+)/": self._run,
            r"runs/(\d+)/artifacts/run_results\.json": self._artifact,
        }

    def begin(self, cause: str, steps: Any = None, at: datetime | None = None) -> dict[str, Any]:
        """A run, by whomever."""
        number, now = next(self._ids), (at or datetime.now(UTC)).isoformat(" ")
        trigger = {"cause": cause, "job_definition_id": 7}
        if steps:
            trigger["steps_override"] = steps
        self.runs[number] = {
            "id": number,
            "account_id": 12,
            "job_definition_id": 7,
            "status": 1,
            "status_humanized": "Queued",
            "created_at": now,
            "updated_at": now,
            "started_at": None,
            "finished_at": None,
            "status_message": None,
            "href": f"https://cloud.example/runs/{number}/",
            "trigger": trigger,
        }
        return self.runs[number]

    def end(self, number: int, status: int, message: str | None = None, results: Any = RESULTS) -> None:
        words = {10: "Success", 20: "Error", 30: "Cancelled"}[status]
        now = datetime.now(UTC).isoformat(" ")
        self.runs[number] |= {"status": status, "status_humanized": words, "status_message": message}
        self.runs[number] |= {"started_at": now, "finished_at": now}
        self.results = results

    def _begin(self, said: Any, **_: Any) -> Response:
        return self._data(self.begin(said["cause"], said.get("steps_override")))

    def _update(self, said: Any, **_: Any) -> Response:
        """As the API does it: nothing may be empty, and a time says its hours or its interval, not both."""
        time_ = said["schedule"]["time"]
        if "" in said.values() or {*time_} != {"type", TIMES[time_["type"]]}:
            message = "The request was invalid. Please double check the provided data and try again."
            return self._said({"status": {"code": 400, "is_success": False, "user_message": message}}, 400)
        self.job |= {"description": "" if self.forgets else self.job["description"]} | said
        self.job["description"] = self.job["description"][: self.room]
        self.job["schedule"] = said["schedule"] | {"cron": _cron(said["schedule"])}
        return self._data(self.job)

    def _cancel(self, number: str, **_: Any) -> Response:
        if int(number) not in self.runs:
            return self._none()
        if self.runs[int(number)]["status"] < 10:
            self.end(int(number), 30, results=None)
        return self._data(self.runs[int(number)])

    def _list(self, query: Any, **_: Any) -> Response:
        mine = [r for r in self.runs.values() if str(r["job_definition_id"]) == query["job_definition_id"]]
        return self._data(sorted(mine, key=lambda r: -r["id"])[: int(query["limit"])], many=True)

    def _run(self, number: str, query: Any, **_: Any) -> Response:
        if int(number) not in self.runs:
            return self._none()
        run = dict(self.runs[int(number)])
        if "run_steps" in query.get("include_related", ""):
            one = {"run_id": run["id"], "account_id": 12, "index": 1, "status": 10, "name": "Invoke dbt"}
            run["run_steps"] = [{**one, "logs": self.log}]
        return self._data(run)

    def _artifact(self, _number: str, **_: Any) -> Response:
        if self.results is None:
            return self._none()
        return self._said(self.results)

    def _bad(self, method: str, said: Any) -> Response | None:
        if self.mood == "slow":
            time.sleep(0.5)  # of the server's own: longer than the client waits
        if self.mood == "lost" and method == "POST":
            self.begin(said["cause"])
        if self.mood in ("break", "lost") and method == "POST":
            return PlainTextResponse("oops", 503)
        if self.mood == "break":
            return PlainTextResponse("oops", 503)
        if self.mood == "refuse":
            message = f"no such seller (asked with {TOKEN})"
            return self._said({"status": {"code": 400, "is_success": False, "user_message": message}}, 400)
        return None

    def _none(self) -> Response:
        status = {"code": 404, "is_success": False, "user_message": "Not found.", "developer_message": ""}
        return self._said({"status": status, "data": None}, 404)

    def _data(self, data: Any, many: bool = False) -> Response:
        status = {"code": 200, "is_success": True, "user_message": "Success!", "developer_message": ""}
        pages = {
            "filters": {},
            "order_by": "-id",
            "pagination": {"count": len(data), "total_count": len(data)},
        }
        return self._said({"status": status, "data": data, **({"extra": pages} if many else {})})

    def _said(self, data: Any, status: int = 200) -> Response:
        self.answers.append(data)
        return JSONResponse(data, status)


def _cron(schedule: dict[str, Any]) -> str:
    date, time_ = schedule["date"], schedule["time"]
    if date["type"] == "custom_cron":
        return str(date["cron"])
    hours = f"*/{time_['interval']}" if "interval" in time_ else ",".join(map(str, time_["hours"]))
    return f"0 {hours} * * {','.join(map(str, date.get('days', '*')))}"


@dataclass
class CloudWorld:
    runner: Runner
    job: Job
    account: Account
    secret = TOKEN

    def start(self, key: str = "k1", **params: Any) -> Progress:
        return self.runner.start(self.job, params or {"seller_id": "s_1"}, key)

    def starts(self) -> int:
        return len(self.account.runs)

    def refuse(self) -> None:
        self.account.mood = "refuse"

    def go_away(self) -> None:
        self.account.mood = "lost"

    def come_back(self) -> None:
        self.account.mood = "well"

    def long(self) -> str:
        return self.start().external_id or ""

    def loud(self) -> str:
        self.account.log = "so much work\n" * 900 + f"asked with {TOKEN}\n"
        return self.long()

    def be_slow(self) -> None:
        self.account.mood = "slow"
        self.job = replace(self.job, timeout=timedelta(seconds=0.3))

    def received(self) -> list[Any]:
        sent = [
            one["body"]["steps_override"][0] for one in self.account.seen if one["path"].endswith("/run/")
        ]
        return [json.loads(re.fullmatch(r"dbt build --vars '(.*)'", line)[1])["seller"] for line in sent]  # type: ignore[index]


def cloud_job(**config: Any) -> Job:
    whole = {
        "url": "${PATROL_DBT_URL}",
        "account": 12,
        "job": 7,
        "token": "${PATROL_DBT_TOKEN}",
        "vars": {"seller": "{seller_id}"},
    }
    params = (Param("seller_id", pattern=r"[^\n]{1,200}"),)
    return Job("dbt_nightly", "dbt", "Build by night", "data", {**whole, **config}, params)


@pytest.fixture(scope="session")
def _dbt_cloud() -> Iterator[Account]:
    account = Account()
    with serving([Route("/{rest:path}", account.take, methods=["GET", "POST"])]) as account.url:
        yield account


@pytest.fixture
def account(_dbt_cloud: Account) -> Account:
    """The same server for all tests, as it was at first."""
    fresh = Account()
    for name in ("mood", "seen", "answers", "runs", "results", "job", "room", "forgets", "log", "_ids"):
        setattr(_dbt_cloud, name, getattr(fresh, name))
    return _dbt_cloud


@pytest.fixture
def dbt_cloud_world(account: Account, tmp_path: Path) -> CloudWorld:
    environ = {"PATROL_DBT_URL": account.url, "PATROL_DBT_TOKEN": TOKEN}
    return CloudWorld(DbtRunner(environ, Place(tmp_path)), cloud_job(), account)
