"""What a sagemaker job may say: what it starts, and the request of the API for it, with places for values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.jobs import config, fill
from bot.jobs.sagemaker.kinds import KINDS
from bot.jobs.sagemaker.name import PREFIX
from bot.jobs.sagemaker.request import problems as unfit
from bot.jobs.sagemaker.schedule import NAME as SCHEDULE
from sensors.model.job import Job

# What decides whose rights, which code and which pipeline it is: never a value from a row.
FIXED = ("RoleArn", "PipelineName", "TrainingImage", "AlgorithmName", "ImageUri", "ContainerEntrypoint")


class Config(config.Config):
    """`request` is that of CreateTrainingJob, CreateProcessingJob or StartPipelineExecution."""

    starts: Annotated[
        Literal["training", "processing", "pipeline"], Field(description="training, processing or pipeline")
    ]
    request: Annotated[dict[str, Any], Field(description="a mapping in the words of SageMaker's API")]
    region: Annotated[str | None, Field(min_length=1, description="a region such as eu-west-1")] = None
    prefix: Annotated[str | None, Field(min_length=1, description="a text")] = None
    schedule: Annotated[str | None, Field(min_length=1, description="a schedule's name, or group/name")] = (
        None
    )


def problems(job: Job, wanted: Config) -> Iterator[str]:
    thing = KINDS[wanted.starts]
    for key in thing.ours:
        if key in wanted.request:
            yield f"request.{key}: Patrol gives it, so that a run is begun once; name its beginning by prefix"
    yield from _fixed("request", wanted.request)
    if wanted.prefix and not PREFIX.fullmatch(wanted.prefix):
        yield f"prefix: must be at most 31 letters, digits and single hyphens, not {wanted.prefix[:60]!r}"
    if wanted.schedule and not SCHEDULE.fullmatch(wanted.schedule):
        said = "must be a name in EventBridge, or group/name"
        yield f"schedule: {said}, not {wanted.schedule[:60]!r}"
    if fill.names(wanted.region):
        yield "region: takes ${VARIABLES} only, no parameters"
    used = fill.names(wanted.request)
    yield from config.unknown("request", used, job)
    yield from config.unused(job, used)
    yield from unfit(thing.creates, wanted.request, thing.ours)


def _fixed(where: str, request: Mapping[str, Any]) -> Iterator[str]:
    for key, value in request.items():
        if key in FIXED and fill.names(value):
            yield f"{where}.{key}: is the same for every start; a parameter cannot choose it"
        elif isinstance(value, Mapping):
            yield from _fixed(f"{where}.{key}", value)
