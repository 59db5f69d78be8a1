"""What is asked of dbt Cloud, and what our small server answers, against the description that is published.

DBT_CLOUD_DESCRIPTION names a copy of openapi-v2.yaml of github.com/dbt-labs/dbt-cloud-openapi-spec.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.jobs.dbt import DbtRunner
from bot.jobs.place import Place
from bot.process.errors import JobRefused
from tests.jobs.on_dbt_cloud import JOB, TOKEN, Account, CloudWorld, _dbt_cloud, account, cloud_job

__all__ = ["_dbt_cloud", "account"]  # fixtures
WHERE = os.environ.get("DBT_CLOUD_DESCRIPTION", "")
pytestmark = [
    pytest.mark.integrations,
    pytest.mark.skipif(not WHERE, reason="no description of dbt Cloud: DBT_CLOUD_DESCRIPTION names none"),
]


@pytest.fixture(scope="module")
def described() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(Path(WHERE).read_text())
    return found


@pytest.fixture
def talked(account: Account, tmp_path: Path) -> Account:
    """All that Patrol ever asks: start, poll, results, cancel, log, runs, schedule off and on, its pace."""
    environ = {"PATROL_DBT_URL": account.url, "PATROL_DBT_TOKEN": TOKEN}
    world = CloudWorld(DbtRunner(environ, Place(tmp_path)), cloud_job(), account)
    world.start("k1")
    world.runner.tail(world.job, "101")
    account.end(101, 10)
    world.runner.poll(world.job, "101")
    world.start("k2")
    world.runner.cancel(world.job, "102")
    with suppress(JobRefused):
        world.runner.cancel(world.job, "999")
    world.runner.observe(world.job, datetime(2026, 1, 1, tzinfo=UTC))
    world.runner.pause(world.job, True)
    world.runner.pause(world.job, False)
    world.runner.every(world.job, timedelta(hours=6))
    world.runner.every(world.job, None)
    return account


def operation(described: Mapping[str, Any], asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """That of the description; one without places in its path before one with them."""
    for path in sorted(described["paths"], key=lambda p: p.count("{")):
        pattern = re.sub(
            r"\\\{remainder\\\}", ".+", re.sub(r"\\\{(?!remainder)\w+\\\}", r"\\d+", re.escape(path))
        )
        if re.fullmatch(pattern, asked["path"]) and asked["method"].lower() in described["paths"][path]:
            found: Mapping[str, Any] = described["paths"][path][asked["method"].lower()]
            return found
    raise AssertionError(f"the description has no {asked['method']} {asked['path']}")


def wrong(described: Mapping[str, Any], schema: Any, value: Any) -> Iterator[str]:
    whole = {**schema, "components": described["components"]}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        yield f"{error.json_path}: {error.message[:200]}"


def test_every_request_is_one_that_is_described(talked: Account, described: Mapping[str, Any]) -> None:
    bodies = 0
    for asked in talked.seen:
        one = operation(described, asked)
        known = {p["name"] for p in one.get("parameters", ()) if p["in"] == "query"}
        assert {*asked["query"]} <= known, asked
        if asked["body"] is not None:
            bodies += 1
            schema = one["requestBody"]["content"]["application/json"]["schema"]
            assert list(wrong(described, schema, asked["body"])) == [], asked
    assert bodies == 6  # two starts, the schedule off and on, at another pace and its own
    assert {asked["path"].split("/")[5] for asked in talked.seen} == {"runs", "jobs"}


def test_what_our_server_answers_is_as_it_is_described(talked: Account, described: Mapping[str, Any]) -> None:
    """But for null, which the description of no field allows and the API answers for many."""
    checked = 0
    for asked, answer in zip(talked.seen, talked.answers, strict=True):
        responses = operation(described, asked)["responses"]
        content = responses.get("200", {}).get("content")
        if content is None or answer.get("status", {}).get("code") == 404:
            continue
        found = wrong(described, content["application/json"]["schema"], _without_null(answer))
        missing = [f for f in found if "is a required property" not in f]
        assert missing == [], (asked, json.dumps(answer)[:500])
        checked += 1
    assert checked > 8


def test_what_is_sent_back_is_all_that_may_be_said_of_a_job(described: Mapping[str, Any]) -> None:
    from bot.jobs.dbt.cloud import SENT

    schema = described["components"]["schemas"]["HumanReadableJobDefinitionRequest"]
    assert {*SENT} == {*schema["properties"]}
    assert {*schema["required"]} <= {*JOB}


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_null(v) for k, v in value.items() if v is not None}
    return [_without_null(v) for v in value] if isinstance(value, list) else value
