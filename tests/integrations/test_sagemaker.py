"""Jobs of kind sagemaker against moto's server, which stands for Amazon.

What moto cannot do is not asked of it: it refuses nothing that is well formed, ends training jobs at once and
stops none, knows no steps of pipelines and does not heed their token. The small Amazon of tests/jobs does."""
# ruff: noqa: F403 - the same tests, by their own names

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
import httpx
import pytest

from bot.core.job_run import JobState
from bot.jobs.sagemaker.runner import SageMakerRunner
from bot.process.errors import JobRefused
from tests.integrations.servers import environment, running
from tests.jobs.amazon import REGION, ROLE, TOKEN, Amazon
from tests.jobs.on_sagemaker import ENVIRON, SageMakerWorld, at_home, sagemaker_job
from tests.jobs.serving import closed, silent
from tests.jobs.test_contract import *
from tests.jobs.test_contract import HOSTILE

pytestmark = pytest.mark.integrations
TARGET = {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob", "RoleArn": ROLE}


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    programs, address = environment("sagemaker"), closed()
    port = address.rpartition(":")[2]
    command = [str(programs / "python"), "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    with running(command, environ, tmp_path_factory.mktemp("moto"), f"{address}/moto-api/", 60):
        yield address


@dataclass
class MotoWorld(SageMakerWorld):
    """What the contract asks, in what moto can be asked."""

    moto: str = ""

    def client(self, service: str) -> Any:
        return session().create_client(service, region_name=REGION)

    def refuse(self) -> None:
        pytest.skip("moto refuses nothing that is well formed")

    def go_away(self) -> None:
        self.ask_at(closed())

    def come_back(self) -> None:
        self.ask_at(self.moto)

    def long(self) -> str:
        if self.job.config["starts"] == "training":
            pytest.skip("moto ends a training job at once, and has no StopTrainingJob")
        return super().long()

    def loud(self) -> str:
        run, logs = str(self.start().external_id), self.client("logs")
        group = {"training": "TrainingJobs"}.get(self.job.config["starts"], "ProcessingJobs")
        where = {"logGroupName": f"/aws/sagemaker/{group}", "logStreamName": f"{run}/algo-1-17"}
        logs.create_log_group(logGroupName=where["logGroupName"])
        logs.create_log_stream(**where)
        now = int(time.time() * 1000)
        said = ["so much work"] * 900 + [f"asked with {TOKEN}"]
        events = [{"timestamp": now + n, "message": one} for n, one in enumerate(said)]
        logs.put_log_events(**where, logEvents=events)
        return run

    def starts(self) -> int:
        return len(self.received())

    def received(self) -> list[Any]:
        there = self.client("sagemaker")
        if self.job.config["starts"] == "training":
            names = [one["TrainingJobName"] for one in there.list_training_jobs()["TrainingJobSummaries"]]
            trained = [there.describe_training_job(TrainingJobName=name) for name in names]
            return [one["HyperParameters"]["seller_id"] for one in trained]
        names = [one["ProcessingJobName"] for one in there.list_processing_jobs()["ProcessingJobSummaries"]]
        processed = [there.describe_processing_job(ProcessingJobName=name) for name in names]
        return [one["AppSpecification"]["ContainerArguments"][0] for one in processed]


@cache
def session() -> Any:
    return botocore.session.Session()


@pytest.fixture
def there(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MotoWorld]:
    """Amazon, empty. botocore finds it as in production, by its environment."""
    httpx.post(f"{moto}/moto-api/reset", timeout=30).raise_for_status()
    at_home(monkeypatch, moto)
    with silent() as nobody:
        yield MotoWorld(SageMakerRunner(ENVIRON), sagemaker_job(), Amazon(), monkeypatch, nobody, moto)


@pytest.fixture(params=["training", "processing"])
def world(request: pytest.FixtureRequest, there: MotoWorld) -> MotoWorld:
    """The contract's, of this kind alone. moto forgets the environment of a processing job."""
    arguments = {"AppSpecification": {"ImageUri": "rescore:7", "ContainerArguments": ["{seller_id}"]}}
    return replace(
        there, job=sagemaker_job(request.param, arguments if request.param == "processing" else None)
    )


def test_a_training_job_ends_with_its_metrics_and_link(there: MotoWorld) -> None:
    name = there.start().external_id
    ended = there.runner.poll(there.job, name)
    assert ended.state is JobState.succeeded
    assert ended.outcome.startswith("completed")
    assert ended.link is not None
    assert ended.link.endswith(f"#/jobs/{name}")


def test_a_processing_job_is_stopped(there: MotoWorld) -> None:
    there = replace(there, job=sagemaker_job("processing"))
    name = there.start().external_id
    there.runner.cancel(there.job, name)
    assert there.runner.poll(there.job, name).state is JobState.cancelled
    there.runner.cancel(there.job, name)


def test_runs_of_others_are_seen(there: MotoWorld) -> None:
    mine = there.start("effect-7").external_id
    amazon = there.client("sagemaker")
    by_hand = there.runner.plan(there.job, {"seller_id": "s_2"}).partition("\n")[2]
    for name in ("train-risk-by-bo", "another"):
        amazon.create_training_job(**json.loads(by_hand) | {"TrainingJobName": name, "RoleArn": ROLE})
    seen = there.runner.observe(there.job, datetime.now(UTC) - timedelta(hours=1)).runs
    assert {one.external_id: one.key for one in seen} == {mine: "effect-7", "train-risk-by-bo": ""}


def test_a_pipeline_is_begun_with_its_parameters_followed_and_seen(there: MotoWorld) -> None:
    there = replace(there, job=sagemaker_job("pipeline"))
    amazon = there.client("sagemaker")
    with pytest.raises(JobRefused, match=r"SageMaker refused: .*risk-rescore"):
        there.start()
    amazon.create_pipeline(
        PipelineName="risk-rescore",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": []}),
        ClientRequestToken="t" * 32,
        RoleArn=ROLE,
    )
    arn = there.start("effect-7", seller_id=HOSTILE[0]).external_id
    sent = amazon.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {one["Name"]: one["Value"] for one in sent} == {"Seller": HOSTILE[0], "Token": TOKEN}
    assert there.runner.poll(there.job, arn).state in (JobState.running, JobState.succeeded)
    [seen] = there.runner.observe(there.job, datetime.now(UTC) - timedelta(hours=1)).runs
    assert (seen.external_id, seen.key, seen.by) == (arn, "effect-7", "Patrol")


def test_the_end_of_a_log_is_read(there: MotoWorld) -> None:
    name = there.start().external_id
    assert there.runner.tail(there.job, name) == ""
    logs, group = there.client("logs"), "/aws/sagemaker/TrainingJobs"
    logs.create_log_group(logGroupName=group)
    for stream in (f"{name}/algo-1-17", f"{name}0/algo-1-17"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": f"epoch {n}"} for n in range(500)]
    logs.put_log_events(
        logGroupName=group,
        logStreamName=f"{name}/algo-1-17",
        logEvents=[*events, {"timestamp": now + 500, "message": f"token {TOKEN}"}],
    )
    logs.put_log_events(
        logGroupName=group,
        logStreamName=f"{name}0/algo-1-17",
        logEvents=[{"timestamp": now + 900, "message": "not mine"}],
    )
    assert there.runner.tail(there.job, name).splitlines()[-2:] == ["epoch 499", "token ${PATROL_RISK_TOKEN}"]


def test_a_schedule_is_stopped_given_another_pace_and_its_own_again(there: MotoWorld) -> None:
    job = sagemaker_job(schedule="risk/nightly")
    scheduler = there.client("scheduler")
    scheduler.create_schedule_group(Name="risk")
    scheduler.create_schedule(
        Name="nightly",
        GroupName="risk",
        ScheduleExpression="cron(0 3 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        Description="Bo's",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=TARGET,
    )

    def stands() -> dict[str, Any]:
        found: dict[str, Any] = scheduler.get_schedule(Name="nightly", GroupName="risk")
        return {k: v for k, v in found.items() if k not in ("LastModificationDate", "ResponseMetadata")}

    before = stands()
    since = datetime.now(UTC)
    there.runner.every(job, timedelta(hours=2))
    there.runner.pause(job, True)
    seen = there.runner.observe(job, since)
    assert seen.schedule == "rate(2 hours) Europe/Berlin, its own pace is cron(0 3 * * ? *)"
    assert seen.paused is True
    there.runner.pause(job, False)
    there.runner.every(job, None)
    assert stands() == before
