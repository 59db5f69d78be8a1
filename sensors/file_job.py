"""The shape of _jobs, and the values that it stands for. What only one kind says, its runner checks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from sensors.file_policy import ScheduleFile
from sensors.files import Column, Door, Duration, Pattern, TeamName, Text, Upstream, one_of, wrong
from sensors.model.graph import as_ref
from sensors.model.job import CALLBACK, KEY, Job, Param
from sensors.model.policy import Schedule
from sensors.near import near


class ParamFile(Door):
    type: Annotated[str, one_of("string", "integer", "number", "boolean")] = Field(
        default="string", description="Of the value"
    )
    pattern: Pattern | None = Field(
        default=None, description="A regular expression that the whole value must match: rows are hostile"
    )
    default: Any = Field(default=None, description="Where neither a person nor the row gives a value")
    required: bool = Field(default=True, description="Whether it may be missing")

    def value(self, name: str) -> Param:
        plain = Param(name, self.type, default=self.default, required=self.required)
        return (
            plain
            if self.pattern is None
            else Param(name, self.type, self.pattern, self.default, self.required)
        )


JOB_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # by kind: what it needs, what it may say
    "http": (
        ("url",),
        ("method", "headers", "body", "message", "link", "poll", "cancel", "log", "runs", "called_back"),
    ),
    "sql": (("url", "statement"), ("idempotent",)),
    "sagemaker": (("starts", "request"), ("region", "prefix", "schedule")),
    "command": (("command",), ("folder", "environment")),
    "dbt": (
        (),
        (
            *("command", "select", "exclude", "vars", "full_refresh", "project", "profiles", "target"),
            *("program", "environment", "url", "account", "job", "token"),
        ),
    ),
    "dagster": (("url", "location", "job"), ("repository", "run_config", "tags", "headers", "schedule")),
    "airflow": (("url", "dag"), ("conf", "headers", "login")),
}


class JobScheduleFile(ScheduleFile):
    runs: Annotated[str, one_of("here", "outside")] = Field(
        default="here",
        description="Who starts it: Patrol (here), or something else (outside), which Patrol only expects",
    )
    name: Text | None = Field(
        default=None, description="The schedule over there, where the kind has such; it runs outside then"
    )

    def check(self) -> None:
        if self.after is not None:
            raise wrong("what a job runs after stands beside schedule: `after: [core.orders]`", "after")
        if self.name is None or self.every is not None or self.cron is not None:
            super().check()

    @property
    def outside(self) -> bool:
        return self.runs == "outside" or self.name is not None

    def due(self) -> Schedule | None:
        """When it is due; None where only its name over there is known."""
        return None if self.every is None and self.cron is None else self.value()


def _named(value: Any) -> Any:
    """A text is the name of the schedule over there."""
    return {"name": value} if isinstance(value, str) else value


class JobFile(Door):
    """The keys that every kind has; all others are the runner's own."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    title: Text = Field(description="What its button says")
    kind: Annotated[str, one_of(*JOB_KEYS)] = Field(description="The outside system that runs it")
    owner: TeamName = Field(description="A team of `_teams.yml`")
    params: dict[Column, ParamFile] = Field(default_factory=dict, description="What it is given, by name")
    schedule: Annotated[JobScheduleFile | None, BeforeValidator(_named)] = Field(
        default=None, description="When it is started, by Patrol or (`runs: outside`) by something else"
    )
    late_after: Duration | None = Field(
        default=None,
        description="How long after it is due, or after it began, its owner is told that it is late",
    )
    after: list[Upstream] = Field(
        default_factory=list, description="What it comes after: a table, `model:reco`, `job:x`, `policy:a.b`"
    )
    timeout: Duration = Field(default=timedelta(minutes=10), description="How long it may take")
    approval: Annotated[str, one_of("none", "second_person")] = Field(
        default="none", description="Whether a second person must agree"
    )
    changes: Text | None = Field(
        default=None, description="What it changes, for the one who is about to start it"
    )
    undo: Text | None = Field(default=None, description="How what it changes is undone")
    description: Text | None = Field(default=None, description="More about it")

    @model_validator(mode="after")
    def runnable(self) -> JobFile:
        config = self.model_extra or {}
        needed, others = JOB_KEYS[self.kind]
        if missing := [k for k in needed if not config.get(k)]:
            raise wrong(f"a job of kind {self.kind} needs {' and '.join(missing)}")
        known = [*needed, *others, *type(self).model_fields]
        for key in config:
            if key not in known and (hint := near(key, known, cutoff=0.8)):
                raise wrong(f'unknown key "{key}"{hint}', key)
        for name, param in self.params.items():
            problem = param.value(name).problem(param.default) if param.default is not None else None
            if problem:
                raise wrong(problem, "params", name, "default")
        if self.schedule and self.schedule.name and "schedule" not in (*needed, *others):
            raise wrong(f"a job of kind {self.kind} has no schedule by name; write {{every: 6h}}", "schedule")
        self._check_placeholders(config)
        self._check_by_itself()
        return self

    def _check_by_itself(self) -> None:
        """Of what starts it without a person."""
        outside = self.schedule is not None and self.schedule.outside
        if self.schedule and self.after and not outside:
            said = "a job is started by its schedule or after others, not both; leave one of them out"
            raise wrong(said, "schedule")
        place = "schedule" if self.schedule else "after"
        if outside or not (self.schedule or self.after):
            if self.late_after and not outside:
                raise wrong("means nothing without schedule or after", "late_after")
            return
        if self.approval != "none":
            raise wrong("nobody is asked where it starts by itself; leave approval or this out", place)
        for name, param in self.params.items():
            if param.required and param.default is None:
                raise wrong(f"params.{name} has no default, and nobody gives it a value then", place)

    def _check_placeholders(self, config: Mapping[str, Any]) -> None:
        own = (KEY, CALLBACK)  # where nobody calls back, its kind says so
        for key, pattern in (("statement", r"(?<![:\w]):(\w+)"), ("url", r"(?<!\$)\{(\w+)\}")):
            for name in re.findall(pattern, str(config.get(key) or "")):
                if name.lower() not in (*self.params, *own):
                    raise wrong(f'no parameter "{name}" in params{near(name, self.params)}', key)

    def misnamed(self, name: str) -> str:
        """Why a job cannot have that name, which people type; "" where it can."""
        if re.fullmatch(r"[^\W\d][\w.-]{0,63}", name):
            return ""
        return "people type a job's name: at most 64 letters, digits, _, - and ., a letter first"

    def value(self, name: str) -> Job:
        return Job(
            name=name,
            kind=self.kind,
            title=self.title,
            owner=self.owner,
            config=self._config(),
            params=tuple(param.value(n) for n, param in self.params.items()),
            after=tuple(map(as_ref, self.after)),
            timeout=self.timeout,
            approval=self.approval,
            changes=self.changes or "",
            undo=self.undo or "",
            description=self.description or "",
            schedule=self.schedule.due() if self.schedule else None,
            outside=self.schedule is not None and self.schedule.outside,
            late_after=self.late_after,
        )

    def _config(self) -> dict[str, Any]:
        """The runner's own keys, the name of its schedule among them."""
        named = {"schedule": self.schedule.name} if self.schedule and self.schedule.name else {}
        return {**(self.model_extra or {}), **named}
