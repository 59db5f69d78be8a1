"""What is read and seen of sagemaker jobs' runs over there: logs, runs of others, the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.job_run import SIGHTED, JobState
from bot.jobs import TAIL
from bot.jobs.sagemaker.name import MARK
from tests.jobs.amazon import REGION, TOKEN, Amazon, ago
from tests.jobs.on_sagemaker import SageMakerWorld, sagemaker_job

HOUR = timedelta(hours=1)
NAME = "train-risk-patrol-k1"
CONSOLE = f"https://{REGION}.console.aws.amazon.com/sagemaker/home?region={REGION}#"


@pytest.fixture(params=["sagemaker_world", "sagemaker_processing_world", "sagemaker_pipeline_world"])
def each(request: pytest.FixtureRequest) -> SageMakerWorld:
    found: SageMakerWorld = request.getfixturevalue(request.param)
    return found


# ------------------------------------------------------------------------------ reading


def lines(amazon: Amazon, name: str, said: list[tuple[int, str]], host: str = "algo-1") -> None:
    amazon.logs["/aws/sagemaker/TrainingJobs", f"{name}/{host}-1700000000"] = said


def test_there_is_no_log_yet(each: SageMakerWorld) -> None:
    run = each.start().external_id
    assert each.runner.tail(each.job, run) == ""
    lines(each.amazon, "another", [(1, "not mine")])
    assert each.runner.tail(each.job, run) == ""


def test_the_end_of_a_log_is_read_without_secrets(sagemaker_world: SageMakerWorld) -> None:
    sagemaker_world.start()
    said = [(n, f"epoch {n:05d} {'x' * 20}") for n in range(1, 400)]
    lines(sagemaker_world.amazon, NAME, [*said, (400, f"token {TOKEN}"), (401, "\x1b[31mdone\x1b[0m")])
    lines(sagemaker_world.amazon, f"{NAME}0", [(999, "not mine")])
    end = sagemaker_world.runner.tail(sagemaker_world.job, NAME)
    assert end.endswith("token ${PATROL_RISK_TOKEN}\ndone")
    assert TAIL - 40 < len(end) <= TAIL
    assert all(line.startswith(("epoch", "token", "done")) for line in end.splitlines())


def test_lines_of_several_containers_stand_by_their_times(sagemaker_world: SageMakerWorld) -> None:
    sagemaker_world.start()
    lines(sagemaker_world.amazon, NAME, [(1, "hello"), (3, "bye")])
    lines(sagemaker_world.amazon, NAME, [(2, "hi")], "algo-2")
    end = sagemaker_world.runner.tail(sagemaker_world.job, NAME)
    assert end.splitlines() == ["[algo-1] hello", "[algo-2] hi", "[algo-1] bye"]


def test_a_pipelines_log_is_that_of_the_step_that_failed(sagemaker_pipeline_world: SageMakerWorld) -> None:
    world = sagemaker_pipeline_world
    arn = world.start().external_id
    job = "arn:aws:sagemaker:eu-west-1:1:training-job/"
    world.amazon.steps += [
        {"StepName": "Last", "StepStatus": "Executing", "Metadata": {"TrainingJob": {"Arn": f"{job}last"}}},
        {"StepName": "Train", "StepStatus": "Failed", "Metadata": {"TrainingJob": {"Arn": f"{job}train"}}},
        {"StepName": "Choose", "StepStatus": "Succeeded", "Metadata": {"Condition": {"Outcome": "True"}}},
    ]
    lines(world.amazon, "last", [(1, "fine so far")])
    lines(world.amazon, "train", [(1, "no memory")])
    assert world.runner.tail(world.job, arn) == "no memory"


# ------------------------------------------------------------------------------ seeing


def test_runs_of_others_are_seen_by_the_beginning_of_their_names(sagemaker_world: SageMakerWorld) -> None:
    world, now = sagemaker_world, datetime.now(UTC)
    world.job = replace(world.job, config={**world.job.config, "prefix": "risk"})
    mine = world.start("effect-12").external_id
    whole = dict(world.amazon.made[mine])

    def by_hand(name: str, hours: float, status: str, **more: Any) -> None:
        made = {"TrainingJobName": name, "CreationTime": ago(hours), "TrainingJobStatus": status}
        world.amazon.made[name] = {**whole, **made, **more}

    by_hand("risk-nightly-28", 3, "Failed", TrainingEndTime=ago(2))
    by_hand("risk-long", 90, "InProgress", SecondaryStatus="Training")
    by_hand("risk-leaving", 91, "Stopping")
    by_hand("risk-done-long-ago", 92, "Completed", TrainingEndTime=ago(90))
    by_hand("risky-business", 1, "InProgress")
    by_hand("more-risk-7", 1, "InProgress")
    seen = world.runner.observe(world.job, now - timedelta(days=1))
    assert [one.external_id for one in seen.runs] == [mine, "risk-nightly-28", "risk-long", "risk-leaving"]
    first, nightly, long, _ = seen.runs
    assert (first.by, first.key, first.state) == ("Patrol", "effect-12", JobState.running)
    assert (nightly.by, nightly.key, nightly.state) == ("", "", JobState.failed)
    assert nightly.ended_at is not None
    assert nightly.ended_at.utcoffset() == timedelta()
    assert abs(now - 2 * HOUR - nightly.ended_at) < timedelta(minutes=5)
    assert (long.outcome, long.link) == ("training", f"{CONSOLE}/jobs/risk-long")


def test_executions_of_a_pipeline_are_seen_whoever_began_them(
    sagemaker_pipeline_world: SageMakerWorld,
) -> None:
    world, now = sagemaker_pipeline_world, datetime.now(UTC)
    mine = world.start("command-1").external_id
    whole = dict(world.amazon.made[mine])

    def by_hand(name: str, hours: float, status: str, **more: Any) -> None:
        made = {"PipelineExecutionArn": f"arn:aws:sagemaker:{name}", "PipelineExecutionDisplayName": name}
        state = {"CreationTime": ago(hours), "PipelineExecutionStatus": status}
        world.amazon.made[name] = {**whole, **made, **state, **more}

    by_hand("by-bo", 3, "Failed", FailureReason="Step failure")
    by_hand("long", 90, "Executing")
    by_hand("done-long-ago", 92, "Succeeded")
    by_hand("elsewhere", 1, "Executing", PipelineName="another")
    seen = world.runner.observe(world.job, now - timedelta(days=1)).runs
    assert [one.external_id.rpartition(":")[2] for one in seen[1:]] == ["by-bo", "long"]
    assert (seen[0].key, seen[0].by, seen[0].external_id) == ("command-1", "Patrol", mine)
    assert (seen[1].outcome, seen[1].state, seen[1].by) == ("Step failure", JobState.failed, "")


@pytest.mark.parametrize("starts", ["training", "pipeline"])
def test_of_many_runs_the_newest_are_seen(sagemaker_world: SageMakerWorld, starts: str) -> None:
    world = replace(sagemaker_world, job=sagemaker_job(starts))
    for n in range(SIGHTED + 60):
        world.start(f"k{n}")
    seen = world.runner.observe(world.job, datetime.now(UTC) - HOUR).runs
    assert len(seen) == SIGHTED
    assert seen[0].key == f"k{SIGHTED + 59}"


def test_a_plan_shows_the_request_and_sends_nothing(each: SageMakerWorld) -> None:
    plan = each.runner.plan(each.job, {"seller_id": "s_1"})
    first, *rest = plan.splitlines()
    assert re.fullmatch(r"(Create\w+Job|StartPipelineExecution) in \$\{PATROL_SAGEMAKER_REGION\}", first)
    assert '"s_1"' in plan
    assert f'"train-risk{MARK}{{idempotency_key}}"' in plan
    assert TOKEN not in plan
    assert "${PATROL_RISK_TOKEN}" in plan
    assert (each.amazon.asked, rest[0]) == ([], "{")
