"""A small Amazon: SageMaker, CloudWatch Logs and EventBridge Scheduler.

It answers as their published API says: every request and every answer is held against the description that
comes with botocore."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

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

    mood: str = "well"  # well | refuse | break | throttle | denied | expired
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)  # of every execution, newest first
    logs: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)  # (group, stream)
    schedules: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # (group, name)
    url: str = ""
    by: str = ""  # whose credentials the last request had
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self) -> None:
        self.mood = "well"
        for kept in (self.asked, self.made, self.tokens, self.steps, self.logs, self.schedules):
            kept.clear()

    def did(self, operation: str) -> list[Mapping[str, Any]]:
        return [request for asked, request in self.asked if asked == operation]

    async def answer(self, request: Request) -> Response:
        target, _, operation = request.headers["x-amz-target"].partition(".")
        signed = re.match(r"AWS4-HMAC-SHA256 Credential=(\w+)/", request.headers["authorization"])
        assert signed
        self.by = signed[1]
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

    async def schedule(self, request: Request) -> Response:
        """Schedules are read and set over paths, not over names of operations."""
        name, group = request.path_params["name"], request.query_params.get("groupName", "default")
        given = json.loads(await request.body() or b"{}")
        key = (given.get("GroupName", group), name)
        known = model("scheduler").operation_model("UpdateSchedule" if given else "GetSchedule")
        whole = {**given, "Name": name}
        assert not ParamValidator().validate(whole, known.input_shape).has_errors()
        assert [*unlike(known.input_shape, whole)] == []
        self.asked.append((known.name, whole))
        if self.mood == "denied" or key not in self.schedules:
            code = "AccessDeniedException" if self.mood == "denied" else "ResourceNotFoundException"
            body = {"Message": f"Schedule {name} does not exist."}
            return JSONResponse(body, 404, headers={"x-amzn-errortype": code})
        if given.get("StartDate", ago(0)) < ago(0.1):
            said = "The StartDate you specify cannot be earlier than 5 minutes ago."
            return JSONResponse({"Message": said}, 400, headers={"x-amzn-errortype": "ValidationException"})
        if given:
            self.schedules[key] = {k: v for k, v in whole.items() if k != "ClientToken"}
            arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{key[0]}/{name}"
            return JSONResponse({"ScheduleArn": arn})
        return JSONResponse({"GroupName": key[0], "State": "ENABLED", **self.schedules[key]})

    def _done(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the mood allows: a request that breaks off on its way back has been done."""
        if self.mood == "refuse":
            raise No("ValidationException", f"no such seller\n(asked with {TOKEN})")
        if self.mood == "expired":
            raise No("ExpiredTokenException", "The security token included in the request is expired")
        if self.mood == "throttle":
            raise No("ThrottlingException", "Rate exceeded")
        if self.mood == "denied":
            raise No(
                "AccessDeniedException", f"User: {ROLE} is not authorized to perform: sagemaker:{operation}"
            )
        verb, noun = re.fullmatch(r"(Create|Describe|Stop|List|Start|Get)(\w+?)s?", operation).groups()  # type: ignore[union-attr]
        how = getattr(self, f"_{verb.lower()}_{noun.lower()}", None) or getattr(self, f"_{verb.lower()}")
        found: dict[str, Any] = how(noun, given)
        if self.mood == "break":
            raise No("InternalFailure", "oops", 503)
        return found

    # -------------------------------------------------------------- training and processing jobs

    def _create(self, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
        name = given[f"{noun}Name"]
        if name in self.made:
            raise No("ResourceInUse", f"{noun} names must be unique within an AWS account and region")
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
                "ValidationException",
                f"The request was rejected because the training job is in status {status}.",
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


def ago(hours: float) -> float:
    return (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
