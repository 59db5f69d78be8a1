"""What a job of kind dbt may say: dbt Core in a folder of this host, or a job of dbt Cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Field

from bot.jobs import argument, config, fill
from bot.jobs.config import Flag, Text, Typed, Words
from bot.jobs.config.command import Variables, environment_problems, folder_problems
from sensors.model.job import Job

COMMANDS = ("build", "run", "test", "seed", "snapshot", "compile", "parse", "source freshness", "clone")
CORE = ("project", "profiles", "target", "program", "environment")
CLOUD = ("url", "account", "job", "token")
Number = Annotated[Typed | None, Field(description="a number or a ${VARIABLE}")]


class Config(config.Config):
    """`project` makes it dbt Core, `url` dbt Cloud. From `command` to `full_refresh` it is for both; where
    nothing of that is said, dbt Cloud does what its job says there."""

    command: Text = "build"
    select: Annotated[Words, Field(description="a selector of dbt, or a list of them")] = ()
    exclude: Annotated[Words, Field(description="a selector of dbt, or a list of them")] = ()
    vars: dict[str, Any] = Field(default_factory=dict, description="a mapping of names to values")
    full_refresh: Flag = False
    project: Text | None = None
    profiles: Text | None = None
    target: Text | None = None
    program: Text = "dbt"
    environment: Variables = Field(default_factory=dict, description="a mapping of names to texts")
    url: Text | None = None
    account: Number = None
    job: Number = None
    token: Text | None = None

    @property
    def steps(self) -> bool:
        """Whether it says what is done."""
        return bool({"command", "select", "exclude", "vars", "full_refresh"} & self.model_fields_set)


def options(wanted: Config) -> list[str]:
    """The arguments after dbt's own name, with their places for values; but for `vars`."""
    said = wanted.command.split()
    for name in ("select", "exclude"):
        said += [f"--{name}={word}" for word in getattr(wanted, name)]
    return [*said, *(["--full-refresh"] if wanted.full_refresh else [])]


def problems(job: Job, wanted: Config) -> Iterator[str]:
    if bool(wanted.url) == bool(wanted.project):
        yield "project: name dbt's folder (dbt Core), or else url, account, job and token (dbt Cloud)"
        return
    where, others = ("dbt Cloud", CORE) if wanted.url else ("dbt Core", CLOUD)
    for name in sorted({*others} & wanted.model_fields_set):
        yield f"{name}: is not for {where}"
    if wanted.command not in COMMANDS:
        near = get_close_matches(wanted.command, COMMANDS, n=1, cutoff=0.6)
        yield f"command: must be one of {', '.join(COMMANDS)}" + (
            f'; did you mean "{near[0]}"?' if near else ""
        )
    used = fill.names([*wanted.select, *wanted.exclude]) | fill.names(wanted.vars)
    yield from config.unknown("select", fill.names([*wanted.select, *wanted.exclude]), job)
    yield from config.unknown("vars", fill.names(wanted.vars), job)
    yield from config.unused(job, used)
    yield from argument.problems("select", ["dbt", *wanted.select, *wanted.exclude])
    yield from _cloud(wanted) if wanted.url else _core(wanted)


def _core(wanted: Config) -> Iterator[str]:
    for name in ("project", "profiles", "program"):
        yield from folder_problems(name, getattr(wanted, name) or "")
    if wanted.target and not re.fullmatch(r"[A-Za-z_]\w*", wanted.target):
        yield "target: must be the name of a target in profiles.yml"
    yield from environment_problems(wanted.environment)


def _cloud(wanted: Config) -> Iterator[str]:
    assert wanted.url
    yield from config.address_problems("url", wanted.url)
    if fill.names(wanted.url):
        yield "url: takes ${VARIABLES} only, no parameters"
    for name in ("account", "job"):
        said = getattr(wanted, name) or ""
        if not said:
            yield f"{name}: is missing; it is the number in the address of the job in dbt Cloud"
        elif not re.fullmatch(r"\d{1,18}|\$\{\w+(:-\d+)?\}", said):
            yield f"{name}: must be a number or a ${{VARIABLE}}, not {said[:60]!r}"
    if not wanted.token or not re.fullmatch(r"\$\{\w+\}", wanted.token):
        yield "token: a secret stands in the environment only; write ${DBT_TOKEN}"
