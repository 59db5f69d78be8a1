"""What a dagster job may say: which job of which code location, and what its run is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from bot.jobs import config, fill
from bot.jobs.config import Headers, Text
from sensors.model.job import Job

Mapped = Annotated[dict[str, Any], Field(default_factory=dict, description="a mapping")]
Tags = Annotated[dict[str, str], Field(default_factory=dict, description="a mapping of names to texts")]


class Config(config.Config):
    """`url` is Dagster's own address, without /graphql; of several schedules, `schedule` is paused."""

    url: Text
    location: Text
    job: Text
    repository: Text = "__repository__"  # what Dagster calls it where the code names none
    run_config: Mapped
    tags: Tags
    headers: Headers
    schedule: Text | None = None


def problems(job: Job, wanted: Config) -> Iterator[str]:
    yield from config.root_problems(wanted.url)
    if wanted.url.rstrip("/").endswith("/graphql"):
        yield "url: is the address of Dagster itself; take /graphql away"
    yield from config.header_problems(wanted.headers, ("content-type", "content-length", "host", "accept"))
    for name in sorted(wanted.tags):
        if name.startswith(("dagster/", "patrol/")):
            yield f"tags.{name}: names that begin so are set by Dagster and Patrol"
    for key in ("location", "job", "repository", "schedule"):
        if fill.names(getattr(wanted, key)):
            yield f"{key}: is fixed; parameters go into run_config or tags"
    yield from config.unknown("run_config", fill.names(wanted.run_config), job)
    yield from config.unknown("tags", fill.names(wanted.tags), job)
    yield from config.unused(job, fill.names(wanted.run_config) | fill.names(wanted.tags))
