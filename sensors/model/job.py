"""Jobs that a policy offers or starts: their parameters, how long they may take, how to undo them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sensors.model.example import example_of
from sensors.model.policy import NOTHING, Schedule

KEY = "idempotency_key"  # of each start; a job's templates may use it as they use parameters
PLAIN = r"[\w.:@ -]{1,200}"
TYPES = {
    "integer": (r"-?\d+", "a whole number"),
    "number": (r"-?\d+(\.\d+)?", "a number"),
    "boolean": ("true|false|True|False", "true or false"),
}
CALLBACK = "callback"  # the address to which a run's end is told; of a job that says `called_back`


@dataclass(frozen=True)
class Param:
    """A job's parameter: rows are hostile, so every value is checked against a pattern before it is used."""

    name: str
    type: str = "string"  # string | integer | number | boolean
    pattern: str = PLAIN
    default: Any = None
    required: bool = True

    def problem(self, value: object) -> str | None:
        """What is wrong with the value, in words, or None."""
        text = str(value)
        pattern, what = TYPES.get(self.type, (".*", ""))
        if not re.fullmatch(pattern, text, re.DOTALL):
            return f"{self.name} must be {what}, not {text[:60]!r}"
        return None if re.fullmatch(self.pattern, text) else f"{self.name} {self._looks}, not {text[:60]!r}"

    @property
    def _looks(self) -> str:
        """What its values are like: by an example, since patterns are for those who write the files."""
        if self.pattern == PLAIN:
            return "may hold only letters, digits, spaces and _ . : @ -, at most 200 of them"
        return f"must look like {fits}" if (fits := self.example) else f"must match {self.pattern}"

    @property
    def example(self) -> str:
        """A value that fits its pattern; empty where one would say nothing, or none is found."""
        fits = "" if self.pattern == PLAIN else example_of(self.pattern)
        return fits if len(fits) > 1 else ""


@dataclass(frozen=True)
class Job:
    """A job as declared. `config` is the runner's own (url and body for http, statement for sql)."""

    name: str
    kind: str  # http | sql | …
    title: str
    owner: str
    config: Mapping[str, Any] = NOTHING
    params: tuple[Param, ...] = ()
    after: tuple[str, ...] = ()
    timeout: timedelta = timedelta(minutes=10)
    approval: str = "none"  # none | second_person
    changes: str = ""  # what it changes, for the one who is about to start it
    undo: str = ""
    description: str = ""
    schedule: Schedule | None = None
    outside: bool = False  # something else starts it: Patrol only expects it
    late_after: timedelta | None = None

    def fill(self, given: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Parameters from what a person gave, else the alert's row, else the default; and what is wrong."""
        filled: dict[str, Any] = {}
        problems = [f"{name} is not a parameter of {self.name}" for name in given if name not in self.names]
        for param in self.params:
            known = (given.get(param.name), row.get(param.name), param.default)
            value = next((one for one in known if one is not None), None)
            if value is None and param.required:
                problems.append(f"{param.name} is missing: write {param.name}=…")
            elif value is not None and (wrong := param.problem(value)):
                problems.append(wrong)
            elif value is not None:
                filled[param.name] = value
        return filled, problems

    @property
    def on_host(self) -> bool:
        """Whether it starts a program where Patrol runs, which the settings must allow."""
        return self.kind == "command" or (self.kind == "dbt" and not self.config.get("url"))

    @property
    def by_itself(self) -> bool:
        """Whether Patrol starts it without a person."""
        return not self.outside and (self.schedule is not None or bool(self.after))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.params)
