"""Worlds for jobs of kind sagemaker: training jobs, processing jobs and pipelines in a small Amazon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.routing import Route

from bot.jobs.sagemaker.runner import SageMakerRunner
from sensors.model.job import Job, Param
from tests.jobs.amazon import ACCOUNT, REGION, ROLE, TOKEN, Amazon
from tests.jobs.serving import serving, silent


@dataclass
class SageMakerWorld:
    """A `World` of conftest: `within` says where in a request the seller stands."""

    runner: SageMakerRunner
    job: Job
    amazon: Amazon
    monkeypatch: pytest.MonkeyPatch
    silent: str  # an address at which nothing is ever answered
    secret = TOKEN

    def start(self, key: str = "k1", **params: Any) -> Any:
        return self.runner.start(self.job, params or {"seller_id": "s_1"}, key)

    def starts(self) -> int:
        return len(self.amazon.made)

    def ask_at(self, address: str) -> None:
        self.monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        self.runner = SageMakerRunner(ENVIRON)

    def refuse(self) -> None:
        self.amazon.mood = "refuse"

    def go_away(self) -> None:
        self.amazon.mood = "break"

    def come_back(self) -> None:
        self.amazon.mood = "well"

    def long(self) -> str:
        return str(self.start().external_id)

    def loud(self) -> str:
        """Of a pipeline it is the log of its one step."""
        run = self.long()
        job = run.rpartition("/")[2]
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{job}"
        self.amazon.steps.append({"StepName": "Train", "Metadata": {"TrainingJob": {"Arn": arn}}})
        said = [(n, "so much work") for n in range(900)]
        for group in ("TrainingJobs", "ProcessingJobs"):
            self.amazon.logs[f"/aws/sagemaker/{group}", f"{job}/algo-1-17"] = [
                *said,
                (900, f"asked with {TOKEN}"),
            ]
        return run

    def be_slow(self) -> None:
        self.ask_at(self.silent)
        self.job = replace(self.job, timeout=timedelta(seconds=0.3))

    def received(self) -> list[Any]:
        """Of each request that began something, the seller in it."""
        begun = [r for asked, r in self.amazon.asked if asked.startswith(("Create", "Start"))]
        return [_seller(request) for request in begun]

    def end(self, external_id: str, status: str, **more: Any) -> None:
        """The run is over there as it now is said to be."""
        run = self.amazon.made[external_id]
        run.update({next(k for k in run if k.endswith("Status") and k != "SecondaryStatus"): status, **more})


def _seller(request: Mapping[str, Any]) -> Any:
    if "PipelineParameters" in request:
        return {one["Name"]: one["Value"] for one in request["PipelineParameters"]}["Seller"]
    return (
        request["HyperParameters"]["seller_id"]
        if "HyperParameters" in request
        else request["Environment"]["SELLER"]
    )


TRAINING = {
    "RoleArn": "${PATROL_SAGEMAKER_ROLE}",
    "AlgorithmSpecification": {
        "TrainingImage": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/risk:1.4.2",
        "TrainingInputMode": "File",
    },
    "HyperParameters": {"seller_id": "{seller_id}", "rounds": 100, "balanced": True},
    "Environment": {"RISK_TOKEN": "${PATROL_RISK_TOKEN}"},
    "OutputDataConfig": {"S3OutputPath": "s3://models/risk"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
}
PROCESSING = {
    "RoleArn": "${PATROL_SAGEMAKER_ROLE}",
    "AppSpecification": {"ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/rescore:7"},
    "Environment": {"SELLER": "{seller_id}", "RISK_TOKEN": "${PATROL_RISK_TOKEN}"},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    },
}
PIPELINE = {
    "PipelineName": "risk-rescore",
    "PipelineParameters": [
        {"Name": "Seller", "Value": "{seller_id}"},
        {"Name": "Token", "Value": "${PATROL_RISK_TOKEN}"},
    ],
}
REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "training": TRAINING,
    "processing": PROCESSING,
    "pipeline": PIPELINE,
}


ENVIRON = {
    "PATROL_SAGEMAKER_REGION": REGION,
    "PATROL_SAGEMAKER_ROLE": ROLE,
    "PATROL_RISK_TOKEN": TOKEN,
}


def sagemaker_job(starts: str = "training", request: Mapping[str, Any] | None = None, **config: Any) -> Job:
    whole = {
        "starts": starts,
        "region": "${PATROL_SAGEMAKER_REGION}",
        "request": {**REQUESTS[starts], **(request or {})},
    }
    seller = Param("seller_id", pattern=r"[^\n]{1,200}")
    return Job("train_risk", "sagemaker", "Train the risk model", "accounts", {**whole, **config}, (seller,))


def at_home(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """botocore finds Amazon at this address, and credentials for it, by itself, and asks nowhere else."""
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _amazon() -> Iterator[tuple[Amazon, SageMakerRunner]]:
    amazon = Amazon()
    routes = [
        Route("/", amazon.answer, methods=["POST"]),
        Route("/schedules/{name}", amazon.schedule, methods=["GET", "PUT"]),
    ]
    with serving(routes) as amazon.url:
        yield amazon, SageMakerRunner(ENVIRON)


@pytest.fixture
def amazon(_amazon: tuple[Amazon, SageMakerRunner], monkeypatch: pytest.MonkeyPatch) -> Amazon:
    """The same for all tests, as it was at first."""
    _amazon[0].fresh()
    at_home(monkeypatch, _amazon[0].url)
    return _amazon[0]


@pytest.fixture
def sagemaker_world(
    amazon: Amazon, _amazon: tuple[Amazon, SageMakerRunner], monkeypatch: pytest.MonkeyPatch
) -> Iterator[SageMakerWorld]:
    with silent() as nobody:
        yield SageMakerWorld(_amazon[1], sagemaker_job(), amazon, monkeypatch, nobody)


@pytest.fixture
def sagemaker_processing_world(sagemaker_world: SageMakerWorld) -> SageMakerWorld:
    return replace(sagemaker_world, job=sagemaker_job("processing"))


@pytest.fixture
def sagemaker_pipeline_world(sagemaker_world: SageMakerWorld) -> SageMakerWorld:
    return replace(sagemaker_world, job=sagemaker_job("pipeline"))
