"""Jobs of kind sagemaker: what is told of runs, how they end, what is refused. Against a small Amazon."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.job_run import Ability, JobState
from bot.jobs.sagemaker.runner import SageMakerRunner
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Param
from tests.jobs.amazon import REGION, TOKEN, Amazon, ago
from tests.jobs.on_sagemaker import ENVIRON, SageMakerWorld, sagemaker_job

HOUR = timedelta(hours=1)
NAME = "train-risk-patrol-k1"
CONSOLE = f"https://{REGION}.console.aws.amazon.com/sagemaker/home?region={REGION}#"


@pytest.fixture(params=["sagemaker_world", "sagemaker_processing_world", "sagemaker_pipeline_world"])
def each(request: pytest.FixtureRequest) -> SageMakerWorld:
    found: SageMakerWorld = request.getfixturevalue(request.param)
    return found


# ------------------------------------------------------------------------------ starting


def test_a_training_job_is_what_the_request_says(sagemaker_world: SageMakerWorld) -> None:
    begun = sagemaker_world.start()
    assert begun.external_id == NAME
    assert begun.link == f"{CONSOLE}/jobs/{NAME}"
    [sent] = sagemaker_world.amazon.did("CreateTrainingJob")
    assert sent["TrainingJobName"] == NAME
    assert sent["HyperParameters"] == {"seller_id": "s_1", "rounds": "100", "balanced": "true"}
    assert sent["Environment"] == {"RISK_TOKEN": TOKEN}
    assert sent["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}, "the job's own timeout"


def test_a_pipeline_is_begun_with_a_token_and_typed_parameters(
    sagemaker_pipeline_world: SageMakerWorld,
) -> None:
    world = sagemaker_pipeline_world
    more = [
        {"Name": "Seller", "Value": "{seller_id}"},
        {"Name": "Days", "Value": "{days}"},
        {"Name": "Full", "Value": "{full}"},
        {"Name": "Note", "Value": "{note}"},
    ]
    params = (
        *world.job.params,
        Param("days", "integer", r"\d+"),
        Param("full", "boolean", "true|false"),
        Param("note", required=False),
    )
    world.job = replace(sagemaker_job("pipeline", {"PipelineParameters": more}), params=params)
    arn = world.start("k1", seller_id="s_1", days=28, full="true").external_id
    [sent] = world.amazon.did("StartPipelineExecution")
    assert sent["PipelineParameters"] == [
        {"Name": "Seller", "Value": "s_1"},
        {"Name": "Days", "Value": "28"},
        {"Name": "Full", "Value": "true"},
    ], "Note has the pipeline's own default"
    assert re.fullmatch("[0-9a-f]{64}", sent["ClientRequestToken"])
    assert sent["PipelineExecutionDisplayName"] == NAME
    assert arn.startswith("arn:aws:sagemaker:")


def test_after_an_unknown_outcome_the_run_of_the_key_is_found(each: SageMakerWorld) -> None:
    each.amazon.mood = "break"  # it is begun, and nobody hears of it
    with pytest.raises(JobUnknown, match="SageMaker answered 503: oops"):
        each.start()
    each.amazon.mood = "well"
    found = each.start()
    assert (each.starts(), found.state) == (1, JobState.running)
    each.end(found.external_id, "Succeeded" if "pipeline" in found.external_id else "Completed")
    assert each.runner.poll(each.job, found.external_id).state is JobState.succeeded


@pytest.mark.parametrize("world", ["sagemaker_world", "sagemaker_processing_world"])
def test_a_name_that_was_taken_long_ago_is_not_this_run(world: str, request: Any) -> None:
    there = request.getfixturevalue(world)
    name = there.start().external_id
    there.end(name, "Completed", CreationTime=ago(30))
    with pytest.raises(JobRefused, match=f"has a (training|processing) job {name} since 20.* another prefix"):
        there.start()
    there.job = replace(there.job, config={**there.job.config, "prefix": "risk"})
    assert there.start().external_id == "risk-patrol-k1"


def test_a_throttled_question_is_to_be_asked_again(each: SageMakerWorld) -> None:
    begun = each.start()
    each.amazon.mood = "throttle"
    with pytest.raises(JobUnknown, match="Rate exceeded"):
        each.start("k2")
    with pytest.raises(JobUnknown, match="Rate exceeded"):
        each.runner.poll(each.job, begun.external_id)


def test_credentials_that_have_passed_are_looked_for_again(
    sagemaker_world: SageMakerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = replace(sagemaker_world, runner=SageMakerRunner(ENVIRON))
    world.amazon.mood = "expired"
    with pytest.raises(JobUnknown, match="security token included in the request is expired"):
        world.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANEW")
    world.amazon.mood = "well"
    assert world.start().state is JobState.running
    assert world.amazon.by == "AKIANEW"


def test_a_right_that_is_missing_is_named(each: SageMakerWorld) -> None:
    each.amazon.mood = "denied"
    with pytest.raises(
        JobRefused, match=r"SageMaker refused: User: .* is not authorized to perform: sagemaker:"
    ):
        each.start()


@pytest.mark.usefixtures("amazon")
def test_nobody_there_is_to_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    alone = SageMakerRunner({"PATROL_SAGEMAKER_ROLE": "x", "PATROL_RISK_TOKEN": "y"})
    with pytest.raises(JobUnknown, match="SageMaker could not be reached"):
        alone.poll(sagemaker_job(region=REGION), NAME)


@pytest.mark.usefixtures("amazon")
def test_what_is_missing_where_patrol_runs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    job = sagemaker_job(region="")
    nowhere = replace(job, config={k: v for k, v in job.config.items() if k != "region"})
    with pytest.raises(JobRefused, match=r"no region is said\. Write region: eu-west-1"):
        SageMakerRunner({}).poll(nowhere, NAME)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with pytest.raises(JobRefused, match="Requested resource not found"):
        SageMakerRunner({}).poll(nowhere, NAME)
    with pytest.raises(JobRefused, match=r"AWS cannot be asked so: .*mars one"):
        SageMakerRunner({}).poll(sagemaker_job(region="mars one"), NAME)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    late = SageMakerRunner({})
    with pytest.raises(JobRefused, match="no AWS credentials where Patrol runs"):
        late.poll(nowhere, NAME)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    with pytest.raises(JobRefused, match="Requested resource not found"):
        late.poll(nowhere, NAME)  # they are looked for again


def test_without_the_client_it_says_how_to_get_it(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(JobRefused, match=r"not installed: pip install 'patrol\[sagemaker\]'"):
        SageMakerRunner({}).poll(sagemaker_job(region=REGION), NAME)
    assert amazon.asked == []


# ------------------------------------------------------------------------------ following

ENDS: list[tuple[str, dict[str, Any], JobState, str]] = [
    ("InProgress", {"SecondaryStatus": "LaunchingMLInstances"}, JobState.running, "launching ML instances"),
    ("Stopping", {}, JobState.running, "stopping"),
    ("Stopped", {"SecondaryStatus": "Stopped"}, JobState.cancelled, "stopped"),
    ("Failed", {"FailureReason": "AlgorithmError:\nno memory"}, JobState.failed, "AlgorithmError: no memory"),
    ("Failed", {"FailureReason": f"no {TOKEN}"}, JobState.failed, "no ${PATROL_RISK_TOKEN}"),
    ("Failed", {}, JobState.failed, "failed"),
    ("Completed", {}, JobState.succeeded, "completed"),
    (
        "Stopped",
        {"SecondaryStatus": "MaxRuntimeExceeded"},
        JobState.failed,
        "it took longer than its StoppingCondition allows and was stopped",
    ),
    (
        "InProgress",
        {
            "SecondaryStatus": "Downloading",
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": 1, "StatusMessage": "Preparing the instances"},
                {"Status": "Downloading", "StartTime": 2, "StatusMessage": "Downloading input data"},
            ],
        },
        JobState.running,
        "Downloading input data",
    ),
    (
        "Completed",
        {
            "TrainingStartTime": 1_700_000_000,
            "TrainingEndTime": 1_700_000_720,
            "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.91250, "Timestamp": 1}],
        },
        JobState.succeeded,
        "completed in 12 min; validation:auc 0.9125",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("status", "more", "state", "said"), ENDS)
def test_what_is_told_of_a_training_job(
    sagemaker_world: SageMakerWorld, status: str, more: dict[str, Any], state: JobState, said: str
) -> None:
    sagemaker_world.start()
    sagemaker_world.end(NAME, status, **more)
    progress = sagemaker_world.runner.poll(sagemaker_world.job, NAME)
    assert (progress.state, progress.outcome, progress.link) == (state, said, f"{CONSOLE}/jobs/{NAME}")


def test_a_processing_job_tells_its_exit_message(sagemaker_processing_world: SageMakerWorld) -> None:
    world = sagemaker_processing_world
    name = world.start().external_id
    world.end(name, "Completed", ExitMessage="41 scores written")
    progress = world.runner.poll(world.job, name)
    assert (progress.outcome, progress.link) == (
        "completed; 41 scores written",
        f"{CONSOLE}/processing-jobs/{name}",
    )


def test_a_pipeline_that_failed_names_the_step_and_leads_to_its_job(
    sagemaker_pipeline_world: SageMakerWorld,
) -> None:
    world = sagemaker_pipeline_world
    arn = world.start().external_id
    assert world.runner.poll(world.job, arn).outcome == "executing"
    world.end(arn, "Failed", FailureReason="Step failure: One or multiple steps failed.")
    assert world.runner.poll(world.job, arn).outcome == "Step failure: One or multiple steps failed."
    world.amazon.steps += [
        {"StepName": "Clean", "StepStatus": "Executing"},
        {
            "StepName": "Train",
            "StepStatus": "Failed",
            "FailureReason": "ClientError: no such bucket",
            "Metadata": {
                "TrainingJob": {"Arn": "arn:aws:sagemaker:eu-west-1:1:training-job/pipelines-ab-Train"}
            },
        },
    ]
    told = world.runner.poll(world.job, arn)
    assert (told.state, told.outcome) == (JobState.failed, "step Train: ClientError: no such bucket")
    assert told.link == f"{CONSOLE}/jobs/pipelines-ab-Train"


# ------------------------------------------------------------------------------ stopping


def test_a_run_is_stopped_once_and_again(each: SageMakerWorld) -> None:
    assert each.runner.abilities(each.job) >= {Ability.cancel, Ability.tail, Ability.observe}
    run = each.start().external_id
    assert each.runner.cancel(each.job, run).startswith("SageMaker was asked to stop")
    assert each.runner.poll(each.job, run).state is JobState.running
    assert each.runner.cancel(each.job, run) == "It is being stopped already."
    each.end(run, "Stopped")
    assert each.runner.cancel(each.job, run) == "It had ended already: stopped."
    assert each.runner.poll(each.job, run).state is JobState.cancelled


def test_a_run_that_may_not_be_stopped_goes_on(each: SageMakerWorld) -> None:
    run = each.start().external_id
    each.refuse()
    with pytest.raises(JobRefused, match="no such seller") as refused:
        each.runner.cancel(each.job, run)
    assert TOKEN not in str(refused.value)
