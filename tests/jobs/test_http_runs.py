"""What can be done about the runs of http jobs beside following them, against a real server."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.job_run import SIGHTED, Ability, JobState, Sighted
from bot.jobs import TAIL
from bot.jobs.answer import last_lines
from bot.process.errors import JobRefused, JobUnknown

TOKEN = "tok-3f9a-very-secret"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MORE = {
    "cancel": {"url": "${PATROL_RISK_URL}/runs/{id}/cancel"},
    "log": "${PATROL_RISK_URL}/runs/{id}/log",
    "runs": {"url": "${PATROL_RISK_URL}/runs"},
}


@pytest.fixture
def able(http_world: Any) -> Any:
    http_world.job = replace(http_world.job, config={**http_world.job.config, **MORE})
    return http_world


def test_abilities_are_those_that_the_job_says(able: Any, sql_world: Any) -> None:
    assert able.runner.abilities(able.job) == {Ability.cancel, Ability.tail, Ability.observe}
    bare = replace(able.job, config={k: v for k, v in able.job.config.items() if k not in MORE})
    assert able.runner.abilities(bare) == frozenset()
    assert sql_world.runner.abilities(sql_world.job) == frozenset()
    for ask in (able.runner.cancel, able.runner.tail):
        with pytest.raises(JobRefused):
            ask(bare, "r_1")
    with pytest.raises(JobRefused, match="cannot be seen"):
        able.runner.observe(bare, NOON)


def test_a_run_is_cancelled_and_polling_says_so(able: Any) -> None:
    able.start()
    assert able.runner.cancel(able.job, "r_1") == "r_1 is being stopped"
    [*_, asked] = able.risk.seen
    assert (asked["path"], asked["headers"]["authorization"]) == ("/runs/r_1/cancel", f"Bearer {TOKEN}")
    ended = able.runner.poll(able.job, "r_1")
    assert (ended.state, ended.outcome) == (JobState.cancelled, "stopped by request")


def test_a_cancel_that_is_refused_says_why_without_the_secret(able: Any) -> None:
    able.risk.mood = "refuse"
    with pytest.raises(JobRefused, match="no such seller") as refused:
        able.runner.cancel(able.job, "r_1")
    assert TOKEN not in str(refused.value)
    able.risk.mood = "break"
    with pytest.raises(JobUnknown):
        able.runner.cancel(able.job, "r_1")


@pytest.mark.parametrize("ranges", [True, False])
def test_the_end_of_a_log_is_read_however_long_it_is(able: Any, ranges: bool) -> None:
    able.risk.ranges = ranges
    able.risk.log = b"".join(f"line {n:06d}\n".encode() for n in range(60_000))
    end = able.runner.tail(able.job, "r_1")
    assert end.endswith("line 059999")
    assert len(end) <= TAIL
    assert all(line.startswith("line ") for line in end.splitlines())


def test_a_log_is_shown_without_secrets_colours_and_tricks(able: Any) -> None:
    hostile = f"\x1b[31mERROR\x1b[0m token {TOKEN}\r\n 10 %\r 90 %\rdone \u202egnp.exe\x07\n```\n<!channel>\n"
    able.risk.log = hostile.encode() + b"\xff\xfe not UTF-8"
    end = able.runner.tail(able.job, "r_1")
    assert TOKEN not in end
    assert "${PATROL_RISK_TOKEN}" in end
    assert end.splitlines()[:2] == ["ERROR token ${PATROL_RISK_TOKEN}", "done gnp.exe"]
    able.risk.log = b""
    assert able.runner.tail(able.job, "r_1") == ""


@example("\xad", 1)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.integers(1, 80))
def test_last_lines_are_short_and_hold_nothing_that_acts(text: str, limit: int) -> None:
    found = last_lines(text, limit)
    assert len(found) <= limit
    assert all(c == "\n" or c.isprintable() for c in found)
    assert not set(found) & set("\x1b\x07\r\u202e\u200b")


def test_runs_of_others_are_seen_with_who_started_them(able: Any) -> None:
    able.risk.listed = [
        {"id": "r_9", "state": "running", "started_at": "2026-01-05T11:00:00Z", "started_by": "cron"},
        {
            "id": 8,
            "state": "FAILED",
            "started_at": "2026-01-05T10:00:00+02:00",
            "ended_at": 1767600000,
            "started_by": f"bo\u202e {TOKEN}",
            "message": "no\nmemory",
            "link": "https://risk.example/runs/8",
            "idempotency_key": "effect-3",
        },
        {"id": "r_1", "state": "succeeded", "started_at": "2026-01-01T00:00:00Z"},
        {"state": "running"},
        "no run at all",
        {"id": True, "state": "running"},
    ]
    seen = able.runner.observe(able.job, NOON - timedelta(days=1)).runs
    assert seen[0] == Sighted("r_9", JobState.running, NOON - timedelta(hours=1), by="cron")
    assert [one.external_id for one in seen] == ["r_9", "8"], "what ended long ago is not told"
    assert (seen[1].state, seen[1].outcome, seen[1].key) == (JobState.failed, "no memory", "effect-3")
    assert seen[1].started_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert seen[1].ended_at == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert seen[1].by == "bo ${PATROL_RISK_TOKEN}"


def test_a_list_that_is_none_is_not_known_and_a_long_one_is_cut(able: Any) -> None:
    able.risk.mood = "shapeless"
    with pytest.raises(JobUnknown, match="without a list at runs"):
        able.runner.observe(able.job, NOON)
    able.risk.mood = "well"
    able.risk.listed = [{"id": n, "state": "running", "started_at": n} for n in range(SIGHTED + 9)]
    assert len(able.runner.observe(able.job, NOON).runs) == SIGHTED


def test_a_plan_shows_what_would_be_sent_and_sends_nothing(able: Any, sql_world: Any) -> None:
    plan = able.runner.plan(able.job, {"seller_id": "s_1"})
    first, header, *body = plan.splitlines()
    assert first == f"POST {able.risk.url}/rescore"
    assert header == "Authorization: Bearer ${PATROL_RISK_TOKEN}"
    assert json.loads("\n".join(body)) == {"seller_id": "s_1"}
    assert TOKEN not in plan
    assert able.risk.seen == []
    assert sql_world.runner.plan(sql_world.job, {"seller_id": "s'1"}).splitlines()[1:] == [
        ":idempotency_key = '{idempotency_key}'",
        ''':seller_id = "s'1"''',
    ]
    assert sql_world.starts() == 0
