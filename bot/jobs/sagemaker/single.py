"""Training jobs and processing jobs: begun, followed, stopped and listed by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.job_run import SIGHTED, JobState, Progress, Sighted
from bot.jobs.answer import one_line
from bot.jobs.sagemaker.client import Aws, Refused, answered_at
from bot.jobs.sagemaker.log import end_of
from bot.jobs.sagemaker.name import begins, is_ours, key_in
from bot.process.errors import JobRefused
from sensors.model.clock import say_duration, utc

AGAIN_S = 10.0  # they take minutes, and AWS counts questions
STATES = {"Completed": JobState.succeeded, "Failed": JobState.failed, "Stopped": JobState.cancelled}
GOING = ("InProgress", "Stopping")
TOO_LONG = ("MaxRuntimeExceeded", "MaxWaitTimeExceeded")
PAGES, PAGE = 3, 100  # of a list


@dataclass(frozen=True)
class Single:
    """`noun` is the one in the names of the API's operations and members."""

    noun: str
    word: str
    page: str  # of the console
    logs: str  # the group of its logs
    longest: int  # seconds that its StoppingCondition may say

    @property
    def creates(self) -> str:
        return f"Create{self.noun}"

    @property
    def ours(self) -> tuple[str, ...]:
        return (f"{self.noun}Name",)

    def begin(self, aws: Aws, name: str, request: Mapping[str, Any], timeout: timedelta) -> Progress:
        """Begun under this name, or the run of this name that was begun before."""
        try:
            aws.ask("sagemaker", self.creates, **self.whole(name, request, timeout))
        except Refused as refused:
            if refused.code != "ResourceInUse":
                raise
            return self._begun_before(aws, name, timeout)
        return Progress(
            JobState.running, name, f"{self.word} {name} has begun", self.link(aws, name), AGAIN_S
        )

    def whole(self, name: str, request: Mapping[str, Any], timeout: timedelta) -> dict[str, Any]:
        """The request with its name, and the job's timeout where it does not say how long it may take."""
        most = max(1, min(int(timeout.total_seconds()), self.longest))
        limits = (
            {} if "ServerlessJobConfig" in request else {"StoppingCondition": {"MaxRuntimeInSeconds": most}}
        )
        return {f"{self.noun}Name": name, **limits, **request}

    def _begun_before(self, aws: Aws, name: str, timeout: timedelta) -> Progress:
        """All starts with one key lie within the timeout: an older run of this name is somebody else's."""
        found = self._described(aws, name)
        created, now = found.get("CreationTime"), answered_at(found)
        if created is not None and now is not None and utc(created) < now - timeout - timedelta(minutes=1):
            raise JobRefused(
                f"It was not started: SageMaker has a {self.word} {name} since"
                f" {utc(created):%Y-%m-%d %H:%M} UTC."
                " Another Patrol, or an earlier store, took that name: give the job another prefix."
            )
        return self._read(aws, name, found)

    def progress(self, aws: Aws, name: str) -> Progress:
        return self._read(aws, name, self._described(aws, name))

    def stop(self, aws: Aws, name: str) -> str:
        try:
            aws.ask("sagemaker", f"Stop{self.noun}", **{f"{self.noun}Name": name})
        except Refused:
            found = self._described(aws, name)
            if found.get(f"{self.noun}Status") not in GOING:
                return f"It had ended already: {self._read(aws, name, found).outcome}."
            if found.get(f"{self.noun}Status") == "Stopping":
                return "It is being stopped already."
            raise
        return f"SageMaker was asked to stop {name}."

    def log(self, aws: Aws, name: str) -> str:
        return end_of(aws, self.logs, name)

    def runs(self, aws: Aws, prefix: str, since: datetime, request: Mapping[str, Any]) -> tuple[Sighted, ...]:  # noqa: ARG002 - a pipeline's
        """Those whose names begin with the prefix, whoever started them; newest first."""
        found: dict[str, Sighted] = {}
        wanted: list[Mapping[str, Any]] = [{"CreationTimeAfter": since}]
        for only in (*wanted, *({"StatusEquals": status} for status in GOING)):
            for one in self._listed(aws, prefix, only):
                found.setdefault(one.external_id, one)
        return tuple(sorted(found.values(), key=lambda one: one.started_at or since, reverse=True)[:SIGHTED])

    def link(self, aws: Aws, name: str) -> str | None:
        return aws.console(f"/{self.page}/{name}")

    def _described(self, aws: Aws, name: str) -> Mapping[str, Any]:
        return aws.ask("sagemaker", f"Describe{self.noun}", **{f"{self.noun}Name": name})

    def _read(self, aws: Aws, name: str, found: Mapping[str, Any]) -> Progress:
        state = self._state(found)
        return Progress(state, name, self._said(state, found), self.link(aws, name), AGAIN_S)

    def _state(self, found: Mapping[str, Any]) -> JobState:
        if found.get("SecondaryStatus") in TOO_LONG:
            return JobState.failed
        return STATES.get(found.get(f"{self.noun}Status", ""), JobState.running)

    def _said(self, state: JobState, found: Mapping[str, Any]) -> str:
        if found.get("SecondaryStatus") in TOO_LONG:
            return "it took longer than its StoppingCondition allows and was stopped"
        why = one_line(found.get("FailureReason") or found.get("ExitMessage") or "")
        if state is JobState.succeeded:
            return "; ".join(_accomplished(self.noun, found))
        if state is JobState.running:
            return one_line(_doing(found) or words(found.get(f"{self.noun}Status", "")))
        return why or words(found.get(f"{self.noun}Status", ""))

    def _listed(self, aws: Aws, prefix: str, only: Mapping[str, Any]) -> Iterator[Sighted]:
        wanted = {
            "NameContains": prefix,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": PAGE,
        }
        more: dict[str, Any] = {}
        for _ in range(PAGES):
            got = aws.ask("sagemaker", f"List{self.noun}s", **wanted, **only, **more)
            for one in got.get(f"{self.noun}Summaries", ()):
                if begins(prefix, one[f"{self.noun}Name"]):
                    yield self._sighted(aws, prefix, one)
            if not got.get("NextToken"):
                return
            more = {"NextToken": got["NextToken"]}

    def _sighted(self, aws: Aws, prefix: str, one: Mapping[str, Any]) -> Sighted:
        name, state = one[f"{self.noun}Name"], self._state(one)
        ended = one.get(self.noun.removesuffix("Job") + "EndTime")
        return Sighted(
            name,
            state,
            utc(one["CreationTime"]),
            utc(ended) if ended and state.ended else None,
            "Patrol" if is_ours(prefix, name) else "",
            self.link(aws, name),
            self._said(state, one),
            key_in(prefix, name),
        )


def _accomplished(noun: str, found: Mapping[str, Any]) -> Iterator[str]:
    stem = noun.removesuffix("Job")
    began, ended = found.get(f"{stem}StartTime"), found.get(f"{stem}EndTime")
    took = f" in {say_duration(ended - began)}" if began and ended and ended > began else ""
    yield f"completed{took}"
    for one in (found.get("FinalMetricDataList") or ())[:3]:
        yield f"{one_line(one.get('MetricName', ''), 60)} {one.get('Value', 0):.6g}"
    if said := one_line(found.get("ExitMessage") or "", 200):
        yield said


def _doing(found: Mapping[str, Any]) -> str:
    """What it does just now, in SageMaker's own sentence where it has one."""
    last: Mapping[str, Any] = (found.get("SecondaryStatusTransitions") or ({},))[-1]
    return str(last.get("StatusMessage") or words(found.get("SecondaryStatus") or ""))


def words(status: str) -> str:
    """`LaunchingMLInstances` as people say it: `launching ML instances`."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", status)
    return " ".join(part if part.isupper() else part.lower() for part in parts)


TRAINING = Single(
    noun="TrainingJob",
    word="training job",
    page="jobs",
    logs="/aws/sagemaker/TrainingJobs",
    longest=28 * 86400,
)
PROCESSING = Single(
    noun="ProcessingJob",
    word="processing job",
    page="processing-jobs",
    logs="/aws/sagemaker/ProcessingJobs",
    longest=9 * 86400,
)
