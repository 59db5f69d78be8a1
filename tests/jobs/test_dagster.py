"""Jobs of kind dagster: runs to their end, ended, read and seen, schedules stopped. Held against a server
that answers as Dagster does; tests/integrations holds the same against a real one."""
# ruff: noqa: E501 - a table of sentences reads better unbroken

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.job_run import Ability, JobState
from bot.jobs.config import problems
from bot.process.errors import JobRefused, JobUnknown
from tests.jobs.following import ended, others_are_seen, until
from tests.jobs.on_dagster import TOKEN, Dagster, DagsterWorld, dagster_job


def test_a_run_is_followed_to_its_end(dagster_world: DagsterWorld) -> None:
    begun = dagster_world.start()
    assert begun.state is JobState.running
    assert begun.link == f"{dagster_world.address}/runs/{begun.external_id}"
    told = ended(dagster_world, begun.external_id)
    assert (told.state, told.outcome) == (JobState.succeeded, "success")
    assert dagster_world.start().external_id == begun.external_id, "the same key, also when it has ended"


def test_a_run_that_fails_says_in_which_step_and_its_log_says_why(dagster_world: DagsterWorld) -> None:
    begun = dagster_world.start(seller_id="nobody")
    told = ended(dagster_world, begun.external_id)
    assert (told.state, told.outcome) == (JobState.failed, "failed in work")
    log = dagster_world.runner.tail(dagster_world.job, begun.external_id)
    assert "INFO work: working on nobody" in log
    assert 'ERROR work: Execution of step "work" failed.' in log
    assert "no such seller" in log


def test_a_run_is_cancelled_once_or_again(dagster_world: DagsterWorld) -> None:
    runner, job = dagster_world.runner, dagster_world.job
    begun = dagster_world.start(seller_id="slow").external_id
    until(lambda: runner.poll(job, begun), lambda told: told.outcome == "started")
    assert runner.cancel(job, begun) == "asked Dagster to terminate the run"
    assert ended(dagster_world, begun).state is JobState.cancelled
    assert runner.cancel(job, begun).endswith("could not be terminated due to having status CANCELED.")


def test_runs_that_others_began_are_seen_too(dagster_world: DagsterWorld) -> None:
    others_are_seen(dagster_world)


def test_its_schedule_is_seen_and_stopped_and_goes_on(dagster_world: DagsterWorld) -> None:
    runner, job, now = dagster_world.runner, dagster_world.job, datetime.now(UTC)
    assert runner.pause(job, False) == "started the schedule rescore_nightly in Dagster"
    seen = runner.observe(job, now)
    assert (seen.schedule, seen.paused) == ("0 3 * * * Europe/Berlin (rescore_nightly)", False)
    assert seen.next_at
    assert seen.next_at > now
    assert runner.pause(job, True) == "stopped the schedule rescore_nightly in Dagster"
    assert runner.pause(job, True) == "stopped the schedule rescore_nightly in Dagster"
    stopped = runner.observe(job, now)
    assert (stopped.paused, stopped.next_at) == (True, None)


def test_a_sensor_is_stopped_as_a_schedule_is(dagster_world: DagsterWorld) -> None:
    dagster_world.configure(schedule="on_file")
    runner, job, now = dagster_world.runner, dagster_world.job, datetime.now(UTC)
    assert runner.pause(job, False) == "started the sensor on_file in Dagster"
    assert (runner.observe(job, now).schedule, runner.observe(job, now).paused) == ("sensor (on_file)", False)
    assert runner.pause(job, True) == "stopped the sensor on_file in Dagster"
    assert runner.observe(job, now).paused


def test_of_several_schedules_the_job_says_which_is_paused(dagster_world: DagsterWorld) -> None:
    dagster_world.configure(schedule=None)
    with pytest.raises(JobRefused, match=r"several in Dagster \(rescore_nightly, on_file\): say by schedule"):
        dagster_world.runner.pause(dagster_world.job, True)
    dagster_world.configure(schedule="rescore_nighly")
    with pytest.raises(JobRefused, match='no schedule or sensor "rescore_nighly" that starts Rescore seller'):
        dagster_world.runner.pause(dagster_world.job, True)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"job": "rescor"}, 'no job "rescor" in defs.py (__repository__); did you mean "rescore"?'),
        ({"location": "def.py"}, 'no code location "def.py" that is loaded; did you mean "defs.py"?'),
    ],
)
def test_a_job_that_dagster_does_not_have_is_named(
    dagster_world: DagsterWorld, config: dict[str, str], said: str
) -> None:
    dagster_world.configure(**config)
    with pytest.raises(JobRefused) as refused:
        dagster_world.start()
    assert said in str(refused.value)


def test_a_run_that_is_gone_has_failed(dagster_world: DagsterWorld) -> None:
    told = dagster_world.runner.poll(dagster_world.job, "00000000-0000-0000-0000-000000000000")
    assert (told.state, told.outcome) == (
        JobState.failed,
        "Dagster no longer has its run: look there.",
    )


def test_tags_of_the_job_go_with_the_run(dagster_world: DagsterWorld) -> None:
    dagster_world.configure(tags={"team": "risk", "seller": "{seller_id}"})
    dagster_world.start(seller_id="s_7")
    (run,) = dagster_world._runs()
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert (tags["team"], tags["seller"]) == ("risk", "s_7")


def test_what_would_be_sent_is_shown_without_secrets(dagster_world: DagsterWorld) -> None:
    said = dagster_world.runner.plan(dagster_world.job, {"seller_id": "s_1"})
    assert said.startswith(f"{dagster_world.address}: launch rescore of defs.py")
    assert '"seller_id": "s_1"' in said
    assert dagster_world.starts() == 0


# ------------------------------------------------- what a real one cannot be asked to do


@pytest.fixture
def dagster(dagster_world: DagsterWorld) -> Dagster:
    assert dagster_world.dagster
    return dagster_world.dagster


def test_trouble_of_dagsters_own_is_tried_again(dagster_world: DagsterWorld, dagster: Dagster) -> None:
    dagster.broken = "DagsterUserCodeUnreachableError: could not reach the code server"
    with pytest.raises(JobUnknown, match="could not reach the code server"):
        dagster_world.start()
    dagster.broken = ""
    dagster_world.start()
    assert dagster_world.starts() == 1


def test_the_end_of_a_log_is_read_through_its_pages(dagster_world: DagsterWorld, dagster: Dagster) -> None:
    begun = dagster_world.start().external_id
    dagster.runs[begun]["rows"] = 700
    lines = dagster_world.runner.tail(dagster_world.job, begun).splitlines()
    assert lines[-1].endswith("INFO work: row 699")
    assert len("\n".join(lines)) <= 4000
    dagster.runs[begun]["rows"] = 11_000
    with pytest.raises(JobRefused, match="more than 10000 events"):
        dagster_world.runner.tail(dagster_world.job, begun)


def test_who_began_a_run_is_told_from_its_tags(dagster_world: DagsterWorld, dagster: Dagster) -> None:
    begun = dagster_world.start().external_id
    marks = {"dagster/schedule_name": "rescore_nightly", "user": "bo"}
    for n, (key, value) in enumerate(marks.items()):
        run = {**dagster.runs[begun], "runId": f"r{n}", "tags": [{"key": key, "value": value}]}
        dagster.runs[f"r{n}"] = run
    elsewhere = {"repositoryName": "other", "repositoryLocationName": "other.py"}
    dagster.runs["r9"] = {**dagster.runs[begun], "runId": "r9", "repositoryOrigin": elsewhere}
    seen = dagster_world.runner.observe(dagster_world.job, datetime.now(UTC) - timedelta(hours=1))
    by = {run.external_id: run.by for run in seen.runs}
    assert by == {begun: "Patrol", "r0": "schedule rescore_nightly", "r1": "bo"}


def test_what_the_environment_holds_is_in_nothing_that_is_read(
    dagster_world: DagsterWorld, dagster: Dagster
) -> None:
    begun = dagster_world.start(seller_id=TOKEN).external_id
    assert "${PATROL_DAGSTER_TOKEN}" in dagster_world.runner.tail(dagster_world.job, begun)
    dagster.broken = f"who are you, {TOKEN}?"
    with pytest.raises(JobUnknown, match=r"who are you, \$\{PATROL_DAGSTER_TOKEN\}"):
        dagster_world.start("k2")


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"url": "https://dagster.example/graphql"}, "url: is the address of Dagster itself; take /graphql away"),
    ({"url": "https://dagster.example/{seller_id}"}, "url: takes ${VARIABLES} only, no parameters"),
    ({"url": "dagster.example"}, "url: must begin with https:// or a ${VARIABLE} that does, not 'dagster.example'"),
    ({"url": "https://dagster.example?x=1"}, "url: is the address of the whole system, without ? or #"),
    ({"locaton": "x"}, 'locaton: is not a key of a job of kind dagster; did you mean "location"?'),
    ({"job": "{seller_id}"}, "job: is fixed; parameters go into run_config or tags"),
    ({"run_config": {"a": "{selr_id}{seller_id}"}}, 'run_config: there is no parameter "selr_id"; did you mean "seller_id"?'),
    ({"run_config": {}}, "params.seller_id: the job asks for it and does not use it"),
    ({"run_config": "{seller_id}"}, "run_config: must be a mapping"),
    ({"tags": {"patrol/key": "x"}}, "tags.patrol/key: names that begin so are set by Dagster and Patrol"),
    ({"tags": {"a": 1}}, 'tags.a: must be text; put quotes around it: "1"'),
    ({"headers": {"Host": "x"}}, "headers.Host: Patrol sets this header itself"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "sentence"), MISTAKES)
def test_each_mistake_has_its_sentence(config: dict[str, Any], sentence: str) -> None:
    assert problems(dagster_job(**config)) == [sentence]


def test_what_it_can_is_said(dagster_world: DagsterWorld) -> None:
    told = dagster_world.runner.abilities(dagster_world.job)
    assert told == {Ability.cancel, Ability.tail, Ability.observe, Ability.pause}
