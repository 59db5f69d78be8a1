"""What a job of kind command may say: a program with its arguments, on Patrol's own host."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from bot.jobs import argument, config, fill
from bot.jobs.config import Text, Typed
from sensors.model.job import Job

Argument = Annotated[Typed, Field(max_length=100_000)]
Arguments = Annotated[
    tuple[Argument, ...],
    Field(
        min_length=1,
        max_length=1000,
        description="a list of texts: the program, then each argument; no shell reads it",
    ),
]
Variables = Annotated[dict[str, str], Field(description="a mapping of names to texts")]


class Config(config.Config):
    """`folder` is seen from the project; `environment` is all that the program is given, with PATH."""

    command: Arguments
    folder: Text = "."
    environment: Variables = Field(default_factory=dict, description="a mapping of names to texts")


def problems(job: Job, wanted: Config) -> Iterator[str]:
    yield from argument.problems("command", wanted.command)
    yield from config.unknown("command", fill.names(wanted.command), job)
    yield from config.unused(job, fill.names(wanted.command))
    yield from folder_problems("folder", wanted.folder)
    yield from environment_problems(wanted.environment)


def folder_problems(where: str, folder: str) -> Iterator[str]:
    if fill.PLACE.search(folder) or "\0" in folder:
        yield f"{where}: is a path as it stands, with no parameters and no ${{VARIABLES}}"


def environment_problems(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            yield f"environment.{name}: is not a name that a variable can have"
        elif fill.names(value):
            yield f"environment.{name}: takes ${{VARIABLES}} only; hand parameters over as arguments"
