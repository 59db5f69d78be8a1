"""A small Amazon: SageMaker and CloudWatch Logs behind one address, as their published API describes them.

Every request is held against the description that comes with botocore, and so is every answer."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
import pytest
import uvicorn
from botocore.validate import ParamValidator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.jobs.sagemaker.runner import SageMakerRunner
from sensors.model.job import Job, Param

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
TOKEN = "tok-3f9a-very-secret"
SERVICES = {"SageMaker": "sagemaker", "Logs_20140328": "logs"}


@cache
def model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)


class No(Exception):
    def __init__(self, code: str, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.code, self.said, self.status = code, said, status


def unlike(shape: Any, value: Any, where: str = "") -> Iterator[str]:
    """Lengths, words and patterns, at which botocore does not look."""
    limits, kind = shape.metadata, shape.type_name
    if kind == "structure":
        for key, one in value.items():
            yield from unlike(shape.members[key], one, f"{where}.{key}")
    elif kind == "list":
        for one in value:
            yield from unlike(shape.member, one, f"{where}[]")
    elif kind == "map":
        for key, one in value.items():
            yield from unlike(shape.key, key, f"{where}.{key}")
            yield from unlike(shape.value, one, f"{where}.{key}")
    size = len(value) if kind in ("string", "list", "map") else value
    if isinstance(size, int | float) and not limits.get("min", size) <= size <= limits.get("max", size):
        yield f"{where}: {size} is not between {limits.get('min')} and {limits.get('max')}"
    if kind == "string" and shape.enum and value not in shape.enum:
        yield f"{where}: {value!r} is none of {shape.enum}"
    if kind == "string" and "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        yield f"{where}: {value!r} does not match {limits['pattern']}"


@dataclass
class Amazon:
    """`made`: training and processing jobs by name, executions by ARN, as they are described."""

    mood: str = "well"  # well | refuse | break | slow | throttle | denied
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)  # of every execution, newest first
    logs: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)  # (group, stream)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self) -> None:
        self.mood = "well"
        for kept in (self.asked, self.made, self.tokens, self.steps, self.logs):
            kept.clear()

    def did(self, operation: str) -> list[Mapping[str, Any]]:
        return [request for asked, request in self.asked if asked == operation]

    async def answer(self, request: Request) -> Response:
        target, _, operation = request.headers["x-amz-target"].partition(".")
        assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
        known = model(SERVICES[target]).operation_model(operation)
        given = json.loads(await request.body() or b"{}")
        problems = ParamValidator().validate(given, known.input_shape)
        wrong = (
            problems.generate_report()
            if problems.has_errors()
            else "; ".join(unlike(known.input_shape, given))
        )
        try:
            if wrong:
                raise No("ValidationException", f"1 validation error detected: {wrong}")
            with self.lock:
                self.asked.append((operation, given))
                found = self._done(operation, given)
        except No as no:
            body = {"__type": f"com.amazon.coral#{no.code}", "message": no.said}
            return JSONResponse(body, no.status, media_type="application/x-amz-json-1.1")
        out = known.output_shape
        assert {*found} <= {*(out.members if out else ())}, (operation, found)
        return Response(json.dumps(found), media_type="application/x-amz-json-1.1")

    def _done(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the mood allows: a request that breaks off on its way back has been done."""
        if self.mood == "refuse":
            raise No("ValidationException", f"no such seller\n(asked with {TOKEN})")
        if self.mood == "throttle":
            raise No("ThrottlingException", "Rate exceeded")
        if self.mood == "denied":
            raise No(
                "AccessDeniedException", f"User: {ROLE} is not authorized to perform: sagemaker:{operation}"
            )
        verb, noun = re.fullmatch(r"(Create|Describe|Stop|List|Start|Get)(\w+?)s?", operation).groups()  # type: ignore[union-attr]
        how = getattr(self, f"_{verb.lower()}_{noun.lower()}", None) or getattr(self, f"_{verb.lower()}")
        found: dict[str, Any] = how(noun, given)
        if self.mood == "slow":
            time.sleep(0.7)  # of the server's own: longer than the client waits
        if self.mood in ("break", "slow"):
            raise No("InternalFailure", "oops", 503)
        return found

    # -------------------------------------------------------------- training and processing jobs

    def _create(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        name = given[f"{noun}Name"]
        if name in self.made:
            raise No("ResourceInUse", f"Job name must be unique within an AWS account and region: {name}")
        kind = "training-job" if noun == "TrainingJob" else "processing-job"
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"
        self.made[name] = {
            **given,
            f"{noun}Arn": arn,
            f"{noun}Status": "InProgress",
            "CreationTime": time.time(),
        }
        return {f"{noun}Arn": arn}

    def _of(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self.made.get(given[f"{noun}Name"])
        if found is None:
            raise No("ValidationException", "Requested resource not found.")
        return found

    def _describe(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in self._of(noun, given).items() if k != "Tags"}

    def _stop(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self._of(noun, given)
        if (status := found[f"{noun}Status"]) != "InProgress":
            raise No(
                "ValidationException", f"The request was rejected because the job is in status {status}."
            )
        found[f"{noun}Status"] = "Stopping"
        return {}

    def _list(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        found = [
            one
            for one in sorted(self.made.values(), key=lambda one: one["CreationTime"], reverse=True)
            if given["NameContains"] in one.get(f"{noun}Name", "")
            and one["CreationTime"] > given.get("CreationTimeAfter", 0)
            and given.get("StatusEquals") in (None, one[f"{noun}Status"])
        ]
        shown = {f"{noun}Name", f"{noun}Arn", "CreationTime", f"{noun[:-3]}EndTime", f"{noun}Status"}
        shown |= {"SecondaryStatus"} if noun == "TrainingJob" else {"FailureReason", "ExitMessage"}
        return _page(
            f"{noun}Summaries", [{k: v for k, v in one.items() if k in shown} for one in found], given
        )

    # -------------------------------------------------------------- pipelines

    def _start_pipelineexecution(self, _noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        pipeline = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/{given['PipelineName']}"
        arn = self.tokens.setdefault(
            given["ClientRequestToken"], f"{pipeline}/execution/{len(self.tokens):012x}"
        )
        found = {"PipelineArn": pipeline, "PipelineExecutionArn": arn, "CreationTime": time.time()}
        status = {"PipelineExecutionStatus": "Executing"}
        self.made.setdefault(arn, {**given, **found, **status})
        return {"PipelineExecutionArn": arn}

    def _describe_pipelineexecution(self, _noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        found = self.made.get(given["PipelineExecutionArn"])
        if found is None:
            raise No("ResourceNotFound", "Pipeline execution does not exist.")
        hidden = ("ClientRequestToken", "PipelineParameters", "PipelineName")
        return {k: v for k, v in found.items() if k not in hidden}

    def _stop_pipelineexecution(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        status = self._describe_pipelineexecution(noun, given)["PipelineExecutionStatus"]
        if status != "Executing":
            raise No("ValidationException", f"Pipeline execution with status {status} can not be stopped.")
        self.made[given["PipelineExecutionArn"]]["PipelineExecutionStatus"] = "Stopping"
        return {"PipelineExecutionArn": given["PipelineExecutionArn"]}

    def _list_pipelineexecutionstep(self, _noun: str, _given: Mapping[str, Any]) -> dict[str, Any]:
        return {"PipelineExecutionSteps": self.steps}

    def _list_pipelineexecution(self, _noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        found = [
            {
                "PipelineExecutionArn": one["PipelineExecutionArn"],
                "StartTime": one["CreationTime"],
                "PipelineExecutionStatus": one["PipelineExecutionStatus"],
                "PipelineExecutionDisplayName": one["PipelineExecutionDisplayName"],
                **(
                    {"PipelineExecutionFailureReason": one["FailureReason"]} if "FailureReason" in one else {}
                ),
            }
            for one in sorted(self.made.values(), key=lambda one: one["CreationTime"], reverse=True)
            if one.get("PipelineName") == given["PipelineName"]
        ]
        return _page("PipelineExecutionSummaries", found, given)

    # -------------------------------------------------------------- logs

    def _describe_logstream(self, _noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        group, begin = given["logGroupName"], given["logStreamNamePrefix"]
        if not any(one == group for one, _ in self.logs):
            raise No("ResourceNotFoundException", "The specified log group does not exist.")
        streams = sorted(stream for one, stream in self.logs if one == group and stream.startswith(begin))
        return {"logStreams": [{"logStreamName": stream} for stream in streams[: given["limit"]]]}

    def _get_logevent(self, _noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        events = self.logs[given["logGroupName"], given["logStreamName"]][-given["limit"] :]
        return {"events": [{"timestamp": at, "message": said} for at, said in events]}


def _page(key: str, found: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    begin, most = int(given.get("NextToken", 0)), given["MaxResults"]
    more = {"NextToken": str(begin + most)} if begin + most < len(found) else {}
    return {key: found[begin : begin + most], **more}


# ------------------------------------------------------------------------------ the worlds


@dataclass
class SageMakerWorld:
    """A `World` of conftest: `within` says where in a request the seller stands."""

    runner: SageMakerRunner
    job: Job
    amazon: Amazon

    def start(self, key: str = "k1", **params: Any) -> Any:
        return self.runner.start(self.job, params or {"seller_id": "s_1"}, key)

    def starts(self) -> int:
        return len(self.amazon.made)

    def refuse(self) -> None:
        self.amazon.mood = "refuse"

    def go_away(self) -> None:
        self.amazon.mood = "break"

    def be_slow(self) -> None:
        self.amazon.mood = "slow"
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


def sagemaker_job(starts: str = "training", request: Mapping[str, Any] | None = None, **config: Any) -> Job:
    whole = {
        "starts": starts,
        "region": "${PATROL_SAGEMAKER_REGION}",
        "request": {**REQUESTS[starts], **(request or {})},
    }
    seller = Param("seller_id", pattern=r"[^\n]{1,200}")
    return Job("train_risk", "sagemaker", "Train the risk model", "accounts", {**whole, **config}, (seller,))


@pytest.fixture(scope="session")
def _amazon() -> Iterator[tuple[Amazon, SageMakerRunner]]:
    amazon = Amazon()
    app = Starlette(routes=[Route("/", amazon.answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    amazon.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    environ = {
        "PATROL_SAGEMAKER_REGION": REGION,
        "PATROL_SAGEMAKER_ROLE": ROLE,
        "PATROL_RISK_TOKEN": TOKEN,
    }
    yield amazon, SageMakerRunner(environ)
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def amazon(_amazon: tuple[Amazon, SageMakerRunner], monkeypatch: pytest.MonkeyPatch) -> Amazon:
    """The same for all tests, as it was at first; botocore finds it, and credentials for it, by itself."""
    _amazon[0].fresh()
    for name, value in {
        "AWS_ENDPOINT_URL": _amazon[0].url,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return _amazon[0]


@pytest.fixture
def sagemaker_world(amazon: Amazon, _amazon: tuple[Amazon, SageMakerRunner]) -> SageMakerWorld:
    return SageMakerWorld(_amazon[1], sagemaker_job(), amazon)


@pytest.fixture
def sagemaker_processing_world(sagemaker_world: SageMakerWorld) -> SageMakerWorld:
    return replace(sagemaker_world, job=sagemaker_job("processing"))


@pytest.fixture
def sagemaker_pipeline_world(sagemaker_world: SageMakerWorld) -> SageMakerWorld:
    return replace(sagemaker_world, job=sagemaker_job("pipeline"))


def ago(hours: float) -> float:
    return (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
