"""Dagster and Airflow answering anything at all: what comes of it is a value, a no or a not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.core.job_run import Observed, Progress
from bot.jobs import Runner
from bot.jobs.airflow import AirflowRunner
from bot.jobs.dagster import DagsterRunner
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job
from tests.jobs.on_airflow import airflow_job
from tests.jobs.on_dagster import dagster_job
from tests.jobs.serving import serving

LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
WORDS = st.sampled_from(
    ["SUCCESS", "FAILURE", "failed", "queued", "running", "r1", "2026-01-05T12:00:00Z", ""]
)


def any_of(keys: list[str], types: list[str]) -> st.SearchStrategy[Any]:
    """JSON whose mappings have the names that are looked for, with values that they should not have."""
    named = st.sampled_from([*keys, "__typename"])
    return st.recursive(
        LEAF | WORDS | st.sampled_from(types),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(named, inner, max_size=8),
        max_leaves=20,
    )


FIELDS = ["launchRun", "runOrError", "runsOrError", "terminateRun", "logsForRun", "repositoriesOrError"]
FIELDS += ["schedulesOrError", "sensorsOrError", "done"]
PARTS = [
    "run",
    "runId",
    "status",
    "tags",
    "key",
    "value",
    "results",
    "message",
    "errors",
    "creationTime",
    "name",
]
PARTS += ["startTime", "events", "hasMore", "cursor", "timestamp", "error", "causes", "stepStats", "stepKey"]
PARTS += ["nodes", "location", "jobs", "pipelineName", "scheduleState", "id", "futureTicks", "targets"]
TYPES = ["Run", "Runs", "LaunchRunSuccess", "PipelineNotFoundError", "RunNotFoundError", "EventConnection"]
TYPES += ["RepositoryConnection", "PythonError", "TerminateRunSuccess", "TerminateRunFailure"]


@st.composite
def from_dagster(draw: st.DrawFn) -> Any:
    inner = any_of(PARTS, TYPES)
    of_a_type = st.fixed_dictionaries(
        {"__typename": st.sampled_from(TYPES)}, optional=dict.fromkeys(PARTS, inner)
    )
    fields = draw(st.dictionaries(st.sampled_from(FIELDS), of_a_type | inner, min_size=3))
    return draw(st.sampled_from([{"data": fields}, {"data": fields}, {"errors": fields}, fields]))


KEYS = [
    "access_token",
    "dag_run_id",
    "dag_id",
    "state",
    "note",
    "run_type",
    "start_date",
    "queued_at",
    "run_after",
]
KEYS += ["dag_runs", "task_instances", "task_id", "try_number", "map_index", "is_paused", "timetable_summary"]
KEYS += ["event", "error_detail", "timestamp", "triggering_user_name", "detail"]


@st.composite
def from_airflow(draw: st.DrawFn) -> Any:
    inner = any_of(KEYS, ["r1"])
    known = {"access_token": st.just("t"), "dag_run_id": st.just("r1")}
    answer = st.fixed_dictionaries({}, optional={**dict.fromkeys(KEYS, inner), **known})
    return draw(answer | inner)


@dataclass
class Anything:
    said: Any = None

    async def answer(self, _request: Request) -> Response:
        return Response(_json(self.said), media_type="application/json")


def _json(said: Any) -> bytes:
    try:
        return bytes(JSONResponse(said).body)
    except ValueError:  # a number that JSON has not
        return b'{"nan": NaN}'


@pytest.fixture(scope="module")
def anything() -> Iterator[tuple[Anything, dict[str, Runner]]]:
    ours = Anything()
    route = Route("/{rest:path}", ours.answer, methods=["GET", "POST", "PATCH"])
    with serving([route]) as address:
        dagster = DagsterRunner({"PATROL_DAGSTER_URL": address, "PATROL_DAGSTER_TOKEN": "t"})
        airflow = AirflowRunner({"PATROL_AIRFLOW_URL": address, "PATROL_AIRFLOW_PASSWORD": "p"})
        yield ours, {"dagster": dagster, "airflow": airflow}


def asked(runner: Runner, job: Job) -> list[tuple[Callable[[], Any], type]]:
    since = datetime.now(UTC) - timedelta(hours=1)
    return [
        (lambda: runner.start(job, {"seller_id": "s_1"}, "k1"), Progress),
        (lambda: runner.poll(job, "r1"), Progress),
        (lambda: runner.cancel(job, "r1"), str),
        (lambda: runner.tail(job, "r1"), str),
        (lambda: runner.observe(job, since), Observed),
        (lambda: runner.pause(job, True), str),
    ]


def held(runner: Runner, job: Job) -> None:
    for call, kind in asked(runner, job):
        with suppress(JobRefused, JobUnknown):
            assert isinstance(call(), kind)


@example(said={"data": {"runsOrError": {"__typename": "Runs", "results": [7]}}})
@given(said=from_dagster())
def test_dagster_may_answer_anything(anything: tuple[Anything, dict[str, Runner]], said: Any) -> None:
    ours, runners = anything
    ours.said = said
    held(runners["dagster"], dagster_job())


@example(said={"access_token": "t", "dag_run_id": ["r1"], "dag_runs": 7})
@given(said=from_airflow())
def test_airflow_may_answer_anything(anything: tuple[Anything, dict[str, Runner]], said: Any) -> None:
    ours, runners = anything
    ours.said = said
    held(runners["airflow"], airflow_job())
