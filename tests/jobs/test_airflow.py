"""Jobs of kind airflow: runs to their end, ended, read and seen, a DAG paused. Held against a server that
answers as Airflow does; tests/integrations holds the same against a real one."""
# ruff: noqa: E501 - a table of sentences reads better unbroken

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.job_run import Ability, JobState
from bot.jobs.airflow import words
from bot.jobs.config import problems
from bot.process.errors import JobRefused
from tests.jobs.following import ended, others_are_seen, until
from tests.jobs.on_airflow import Airflow, AirflowWorld, airflow_job


def test_a_run_is_followed_to_its_end(airflow_world: AirflowWorld) -> None:
    begun = airflow_world.start()
    assert begun.state is JobState.running
    assert begun.external_id == f"patrol__{airflow_world.mark}-k1"
    assert begun.link == f"{airflow_world.address}/dags/rescore/runs/{begun.external_id}"
    told = ended(airflow_world, begun.external_id)
    assert (told.state, told.outcome) == (JobState.succeeded, "success")
    assert airflow_world.start().state is JobState.succeeded, "the same key, also when it has ended"
    assert airflow_world.starts() == 1


def test_a_run_that_fails_says_in_which_task_and_its_log_says_why(airflow_world: AirflowWorld) -> None:
    begun = airflow_world.start(seller_id="nobody").external_id
    told = ended(airflow_world, begun)
    assert (told.state, told.outcome) == (JobState.failed, "failed in score")
    log = airflow_world.runner.tail(airflow_world.job, begun)
    assert log.startswith("score, attempt 1\n")
    assert "INFO working on nobody" in log
    assert "ERROR Task failed with exception ValueError: no such seller" in log


def test_a_run_is_cancelled_and_what_has_ended_stays_as_it_ended(airflow_world: AirflowWorld) -> None:
    runner, job = airflow_world.runner, airflow_world.job
    begun = airflow_world.start(seller_id="slow").external_id
    until(lambda: runner.poll(job, begun), lambda told: told.outcome == "running")
    assert runner.cancel(job, begun) == "ended the run in Airflow, as failed"
    told = ended(airflow_world, begun)
    assert (told.state, told.outcome) == (JobState.cancelled, "cancelled from Patrol")
    assert runner.cancel(job, begun) == "the run has ended already: failed"
    done = airflow_world.start("k2").external_id
    ended(airflow_world, done)
    assert runner.cancel(job, done) == "the run has ended already: success"
    assert runner.poll(job, done).state is JobState.succeeded


def test_a_run_that_has_no_log_yet_has_an_empty_one(airflow_world: AirflowWorld) -> None:
    airflow_world.runner.pause(airflow_world.job, True)
    begun = airflow_world.start().external_id
    assert airflow_world.runner.tail(airflow_world.job, begun) == ""
    airflow_world.runner.pause(airflow_world.job, False)


def test_a_dag_is_paused_and_goes_on_and_a_run_of_it_says_that_it_waits(airflow_world: AirflowWorld) -> None:
    runner, job, now = airflow_world.runner, airflow_world.job, datetime.now(UTC)
    assert runner.pause(job, True) == "paused the DAG rescore in Airflow"
    begun = airflow_world.start()
    assert begun.outcome == "queued: its DAG is paused in Airflow, and it waits for that to end"
    seen = runner.observe(job, now)
    assert (seen.schedule, seen.paused, seen.next_at) == ("0 3 * * * (At 03:00)", True, None)
    assert runner.pause(job, False) == "unpaused the DAG rescore in Airflow"
    assert ended(airflow_world, begun.external_id).state is JobState.succeeded
    on = runner.observe(job, now)
    assert on.paused is False
    assert on.next_at
    assert on.next_at > now


def test_runs_that_others_began_are_seen_too(airflow_world: AirflowWorld) -> None:
    others_are_seen(airflow_world)


def test_a_dag_that_airflow_does_not_have_is_named(airflow_world: AirflowWorld) -> None:
    airflow_world.configure(dag="rescor")
    with pytest.raises(JobRefused, match="Dag with dag_id: 'rescor' not found"):
        airflow_world.start()


def test_a_wrong_password_is_a_no_that_does_not_say_it(airflow_world: AirflowWorld) -> None:
    login = {"username": "cy", "password": "${PATROL_AIRFLOW_PASSWORD}"}
    airflow_world.configure(login=login)
    with pytest.raises(JobRefused, match="Invalid credentials"):
        airflow_world.start()


def test_what_would_be_sent_is_shown_without_secrets(airflow_world: AirflowWorld) -> None:
    said = airflow_world.runner.plan(airflow_world.job, {"seller_id": "s_1"})
    assert said == f'{airflow_world.address}: trigger rescore\n{{\n  "seller_id": "s_1"\n}}'
    assert airflow_world.starts() == 0


# ------------------------------------------------- what a real one cannot be asked to do


@pytest.fixture
def airflow(airflow_world: AirflowWorld) -> Airflow:
    assert airflow_world.airflow
    return airflow_world.airflow


def test_a_token_that_has_passed_is_renewed(airflow_world: AirflowWorld, airflow: Airflow) -> None:
    begun = airflow_world.start().external_id
    given = airflow.tokens
    airflow_world.runner.poll(airflow_world.job, begun)
    assert airflow.tokens == given, "a token is kept"
    airflow.passed = airflow.tokens
    assert airflow_world.runner.poll(airflow_world.job, begun).external_id == begun
    assert airflow_world.starts() == 1


def test_a_header_of_the_environment_is_enough_where_a_token_lasts(
    airflow_world: AirflowWorld, airflow: Airflow
) -> None:
    headers = {"Authorization": "Bearer ${PATROL_AIRFLOW_PASSWORD}"}
    airflow_world.configure(login=None, headers=headers)
    with pytest.raises(JobRefused, match="Invalid JWT token"):
        airflow_world.start()
    assert airflow.tokens == 0


def test_the_end_of_a_long_log_is_read(airflow_world: AirflowWorld, airflow: Airflow) -> None:
    airflow.rows = 5000
    begun = airflow_world.start(seller_id="nobody").external_id
    ended(airflow_world, begun)
    log = airflow_world.runner.tail(airflow_world.job, begun)
    assert log.splitlines()[-1].endswith("ValueError: no such seller")
    assert "row 4999" in log
    assert len(log) <= 4000


def test_a_log_holds_nothing_of_the_environment(airflow_world: AirflowWorld) -> None:
    begun = airflow_world.start(seller_id=airflow_world.password).external_id
    ended(airflow_world, begun)
    log = airflow_world.runner.tail(airflow_world.job, begun)
    assert "working on ${PATROL_AIRFLOW_PASSWORD}" in log


@pytest.mark.parametrize(
    ("told", "words_of_it"),
    [
        ({"timetable_summary": "0 3 * * *", "timetable_description": "At 03:00"}, "0 3 * * * (At 03:00)"),
        ({"timetable_summary": None, "timetable_description": "Never, external triggers only"}, ""),
        ({"timetable_summary": "None"}, ""),
        ({"timetable_summary": "Asset", "timetable_description": "Asset"}, "Asset"),
    ],
)
def test_the_words_of_a_schedule(told: Mapping[str, Any], words_of_it: str) -> None:
    assert words.schedule(told) == words_of_it


def test_the_task_that_failed_last_says_most() -> None:
    def task(name: str, state: str, began: str | None) -> dict[str, Any]:
        return {"task_id": name, "state": state, "start_date": began, "try_number": 1}

    tasks = [task("a", "failed", "2"), task("b", "success", "9"), task("c", "failed", "3")]
    tasks += [task("d", "upstream_failed", None), task("e", "running", "5")]
    assert (words.telling(tasks) or {})["task_id"] == "c"
    assert (words.telling([tasks[1], tasks[4]]) or {})["task_id"] == "e"
    assert words.telling([tasks[3]]) is None


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_every_key_has_its_one_id_that_airflow_takes(one: str, other: str) -> None:
    ids = words.run_id(one), words.run_id(other)
    assert all(len(each) <= 250 and set(each) <= set(ALLOWED) for each in ids)
    assert (ids[0] == ids[1]) == (one == other)


ALLOWED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~:+-"


@given(st.lists(st.one_of(st.text(), st.sampled_from(['{"event": 3}', "[]", '{"error_detail": [7]}']))))
def test_any_log_can_be_read(lines: list[str]) -> None:
    assert all(isinstance(line, str) for line in words.lines("\n".join(lines)))


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"url": "https://airflow.example/api/v2"}, "url: is the address of Airflow itself; take /api/v2 away"),
    ({"dag": "{seller_id}"}, "dag: is fixed; parameters go into conf"),
    ({"daag": "x"}, 'daag: is not a key of a job of kind airflow; did you mean "dag"?'),
    ({"conf": {"a": "{selr_id}{seller_id}"}}, 'conf: there is no parameter "selr_id"; did you mean "seller_id"?'),
    ({"conf": ["{seller_id}"]}, "conf: must be a mapping"),
    ({"login": "admin"}, "login: must be a mapping with username and password"),
    ({"login": {"username": "a"}}, "login.password: is missing; a job of kind airflow needs it"),
    ({"login": {"username": "a", "password": "b"}}, "login.password: must be a ${VARIABLE}; secrets do not stand in files"),
    ({"headers": {"Authorization": "Bearer ${A}"}}, "login: and headers.Authorization say the same; take one away"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "sentence"), MISTAKES)
def test_each_mistake_has_its_sentence(config: dict[str, Any], sentence: str) -> None:
    assert problems(airflow_job(**config)) == [sentence]


def test_what_it_can_is_said(airflow_world: AirflowWorld) -> None:
    told = airflow_world.runner.abilities(airflow_world.job)
    assert told == {Ability.cancel, Ability.tail, Ability.observe, Ability.pause}
