"""Executions of a pipeline: begun with a token, followed by their ARN; their steps tell why one failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.core.job_run import SIGHTED, JobState, Progress, Sighted
from bot.jobs.answer import one_line
from bot.jobs.sagemaker.client import Aws, Refused
from bot.jobs.sagemaker.name import is_ours, key_in, token_of
from bot.jobs.sagemaker.single import AGAIN_S, PAGE, PAGES, PROCESSING, TRAINING, Single, words
from sensors.model.clock import utc

STATES = {
    "Succeeded": JobState.succeeded,
    "Failed": JobState.failed,
    "CompletedWithFailures": JobState.failed,
    "Stopped": JobState.cancelled,
}
STEPS = {"TrainingJob": TRAINING, "ProcessingJob": PROCESSING}  # those that have a page and a log


class Pipeline:
    """The same words as a `Single`; a run's id is the ARN of the execution."""

    word = "pipeline"
    creates = "StartPipelineExecution"
    ours = ("ClientRequestToken", "PipelineExecutionDisplayName")

    def begin(self, aws: Aws, name: str, request: Mapping[str, Any], timeout: timedelta) -> Progress:
        """Begun once for each token: asked again, AWS answers with the same execution."""
        got = aws.ask("sagemaker", self.creates, **self.whole(name, request, timeout))
        said = f"pipeline {request['PipelineName']} has begun as {name}"
        return Progress(JobState.running, got["PipelineExecutionArn"], said, None, AGAIN_S)

    def whole(self, name: str, request: Mapping[str, Any], timeout: timedelta) -> dict[str, Any]:  # noqa: ARG002 - a Single's
        return {"ClientRequestToken": token_of(name), "PipelineExecutionDisplayName": name, **request}

    def progress(self, aws: Aws, arn: str) -> Progress:
        found = aws.ask("sagemaker", "DescribePipelineExecution", PipelineExecutionArn=arn)
        status = found.get("PipelineExecutionStatus", "")
        state = STATES.get(status, JobState.running)
        if state is not JobState.failed:
            return Progress(state, arn, words(status), None, AGAIN_S)
        step = next((one for one in self._steps(aws, arn) if one.get("StepStatus") == "Failed"), {})
        why = one_line(step.get("FailureReason") or found.get("FailureReason") or words(status))
        said = f"step {one_line(step['StepName'], 60)}: {why}" if step.get("StepName") else why
        single, name = _job_of(step)
        return Progress(state, arn, said, single.link(aws, name) if single else None, AGAIN_S)

    def stop(self, aws: Aws, arn: str) -> str:
        try:
            aws.ask(
                "sagemaker",
                "StopPipelineExecution",
                PipelineExecutionArn=arn,
                ClientRequestToken=token_of(arn),
            )
        except Refused:
            found = aws.ask("sagemaker", "DescribePipelineExecution", PipelineExecutionArn=arn)
            status = found.get("PipelineExecutionStatus", "")
            if status in STATES:
                return f"It had ended already: {words(status)}."
            if status == "Stopping":
                return "It is being stopped already."
            raise
        return "SageMaker was asked to stop it, and the step that is running."

    def log(self, aws: Aws, arn: str) -> str:
        """That of the step which failed, else of the newest one that has a log."""
        steps = [(one, *_job_of(one)) for one in self._steps(aws, arn)]
        known = [(one, single, name) for one, single, name in steps if single]
        failed = [found for found in known if found[0].get("StepStatus") == "Failed"]
        for _, single, name in (*failed, *known):
            return single.log(aws, name)
        return ""

    def runs(self, aws: Aws, prefix: str, since: datetime, request: Mapping[str, Any]) -> tuple[Sighted, ...]:
        """All executions of the pipeline, whoever started them; newest first."""
        found: list[Sighted] = []
        for one in self._listed(aws, str(request["PipelineName"]), since):
            sighted = _sighted(prefix, one)
            if not sighted.state.ended or (sighted.started_at or since) >= since:
                found.append(sighted)
        return tuple(found[:SIGHTED])

    def _steps(self, aws: Aws, arn: str) -> list[Mapping[str, Any]]:
        """Newest first; none where they may not be seen."""
        try:
            got = aws.ask(
                "sagemaker", "ListPipelineExecutionSteps", PipelineExecutionArn=arn, SortOrder="Descending",
                MaxResults=PAGE,
            )  # fmt: skip
        except Refused:
            return []
        return list(got.get("PipelineExecutionSteps", ()))

    def _listed(self, aws: Aws, pipeline: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        wanted = {
            "PipelineName": pipeline,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": PAGE,
        }
        more: dict[str, Any] = {}
        for _ in range(PAGES):
            got = aws.ask("sagemaker", "ListPipelineExecutions", **wanted, **more)
            listed = got.get("PipelineExecutionSummaries", ())
            yield from listed
            if not got.get("NextToken") or not listed or utc(listed[-1]["StartTime"]) < since:
                return
            more = {"NextToken": got["NextToken"]}


def _job_of(step: Mapping[str, Any]) -> tuple[Single | None, str]:
    """The training or processing job that a step ran, by its name."""
    for kind, single in STEPS.items():
        arn = str(((step.get("Metadata") or {}).get(kind) or {}).get("Arn") or "")
        if name := arn.rpartition("/")[2]:
            return single, name
    return None, ""


def _sighted(prefix: str, one: Mapping[str, Any]) -> Sighted:
    name, status = one.get("PipelineExecutionDisplayName") or "", one.get("PipelineExecutionStatus", "")
    return Sighted(
        one["PipelineExecutionArn"],
        STATES.get(status, JobState.running),
        utc(one["StartTime"]) if one.get("StartTime") else None,
        by="Patrol" if is_ours(prefix, name) else "",
        outcome=one_line(one.get("PipelineExecutionFailureReason") or words(status)),
        key=key_in(prefix, name),
    )


PIPELINE = Pipeline()
