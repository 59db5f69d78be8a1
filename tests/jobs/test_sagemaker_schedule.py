"""The schedule of EventBridge that starts a job: seen, stopped, given another pace and its own again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.job_run import Ability
from bot.jobs import own_pace
from bot.jobs.sagemaker.schedule import SPELLED, _rate
from bot.process.errors import JobRefused
from sensors.model.clock import parse_duration
from tests.jobs.amazon import ACCOUNT, ROLE, ago, model, unlike
from tests.jobs.on_sagemaker import SageMakerWorld

NIGHTLY = {
    "Name": "nightly",
    "Description": "Bo's model of the night.",
    "ScheduleExpression": "cron(0 3 * * ? *)",
    "ScheduleExpressionTimezone": "Europe/Berlin",
    "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
    "Target": {
        "Arn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/risk-rescore",
        "RoleArn": ROLE,
        "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Days", "Value": "28"}]},
    },
}


@pytest.fixture
def nightly(sagemaker_pipeline_world: SageMakerWorld) -> SageMakerWorld:
    world = sagemaker_pipeline_world
    world.amazon.schedules["risk", "nightly"] = dict(NIGHTLY)
    world.job = replace(world.job, config={**world.job.config, "schedule": "risk/nightly"})
    return world


def stands(world: SageMakerWorld) -> dict[str, Any]:
    return {k: v for k, v in world.amazon.schedules["risk", "nightly"].items() if k != "GroupName"}


def said(world: SageMakerWorld) -> tuple[str, bool | None]:
    seen = world.runner.observe(world.job, datetime.now(UTC))
    return seen.schedule, seen.paused


def test_without_a_schedule_there_is_none_to_pause(sagemaker_world: SageMakerWorld) -> None:
    world = sagemaker_world
    assert not world.runner.abilities(world.job) & {Ability.pause, Ability.every}
    assert said(world) == ("", None)
    with pytest.raises(JobRefused, match="has no schedule that can be paused"):
        world.runner.pause(world.job, True)
    with pytest.raises(JobRefused, match="has no schedule whose pace"):
        world.runner.every(world.job, timedelta(hours=2))


def test_it_is_stopped_and_goes_on_and_nothing_else_of_it_changes(nightly: SageMakerWorld) -> None:
    assert nightly.runner.abilities(nightly.job) == {*Ability}
    assert said(nightly) == ("cron(0 3 * * ? *) Europe/Berlin", False)
    assert nightly.runner.pause(nightly.job, True) == "The schedule risk/nightly is stopped."
    assert stands(nightly) == {**NIGHTLY, "State": "DISABLED"}
    assert said(nightly)[1] is True
    assert nightly.runner.pause(nightly.job, True) == "The schedule risk/nightly is stopped already."
    assert nightly.runner.pause(nightly.job, False) == "The schedule risk/nightly goes on."
    assert stands(nightly) == {**NIGHTLY, "State": "ENABLED"}


def test_it_has_another_pace_and_its_own_again(nightly: SageMakerWorld) -> None:
    asked = nightly.runner.every(nightly.job, timedelta(hours=2))
    assert asked == "The schedule risk/nightly has the pace rate(2 hours); its own is cron(0 3 * * ? *)."
    nightly.runner.every(nightly.job, timedelta(minutes=30))
    assert said(nightly)[0] == "rate(30 minutes) Europe/Berlin, its own pace is cron(0 3 * * ? *)"
    assert stands(nightly)["Description"].startswith("Bo's model of the night. ")
    again = nightly.runner.every(nightly.job, None)
    assert again == "The schedule risk/nightly has its own pace again: cron(0 3 * * ? *)."
    assert stands(nightly) == {**NIGHTLY, "State": "ENABLED"}
    assert "has its own pace already" in nightly.runner.every(nightly.job, None)


def test_words_that_people_write_behind_it_stay(nightly: SageMakerWorld) -> None:
    nightly.runner.every(nightly.job, timedelta(hours=2))
    nightly.amazon.schedules["risk", "nightly"]["Description"] += " Ask bo."
    nightly.runner.every(nightly.job, timedelta(hours=3))
    nightly.runner.every(nightly.job, None)
    wanted = {**NIGHTLY, "Description": "Bo's model of the night. Ask bo.", "State": "ENABLED"}
    assert stands(nightly) == wanted


def test_one_without_words_of_its_own_has_none_afterwards(nightly: SageMakerWorld) -> None:
    del nightly.amazon.schedules["risk", "nightly"]["Description"]
    nightly.runner.every(nightly.job, timedelta(days=1))
    assert stands(nightly)["Description"] == "[its own pace: cron(0 3 * * ? *)]"
    nightly.runner.every(nightly.job, None)
    assert "Description" not in stands(nightly)


def test_a_beginning_that_lies_behind_it_is_not_said_again(nightly: SageMakerWorld) -> None:
    there = nightly.amazon.schedules["risk", "nightly"]
    there["StartDate"], ahead = ago(48), ago(-48)
    nightly.runner.pause(nightly.job, True)
    assert stands(nightly) == {**NIGHTLY, "State": "DISABLED"}
    nightly.amazon.schedules["risk", "nightly"]["StartDate"] = ahead
    nightly.runner.pause(nightly.job, False)
    assert abs(stands(nightly)["StartDate"] - ahead) < 2


def test_a_pace_that_it_cannot_have_changes_nothing(nightly: SageMakerWorld) -> None:
    with pytest.raises(JobRefused, match="counts in whole minutes: give"):
        nightly.runner.every(nightly.job, timedelta(seconds=90))
    nightly.amazon.schedules["risk", "nightly"]["Description"] = "x" * 500
    with pytest.raises(JobRefused, match="no room in which to keep"):
        nightly.runner.every(nightly.job, timedelta(hours=1))
    assert nightly.amazon.did("UpdateSchedule") == []


def test_a_schedule_that_there_is_not_is_said(nightly: SageMakerWorld) -> None:
    nightly.amazon.schedules.clear()
    for ask in (lambda: said(nightly), lambda: nightly.runner.pause(nightly.job, True)):
        with pytest.raises(JobRefused, match="Scheduler refused: Schedule nightly does not exist"):
            ask()


@given(st.integers(1, 60 * 24 * 400))
def test_every_whole_minute_is_a_pace(minutes: int) -> None:
    rate = _rate(timedelta(minutes=minutes))
    shape = model("scheduler").operation_model("UpdateSchedule").input_shape.members["ScheduleExpression"]
    assert list(unlike(shape, rate)) == []
    count, unit = rate.removeprefix("rate(").removesuffix(")").split()
    assert (count == "1") == (not unit.endswith("s"))
    assert parse_duration(count + unit[0]) == timedelta(minutes=minutes)
    assert own_pace.find(own_pace.keep("words", rate), SPELLED) == ("words", rate)
