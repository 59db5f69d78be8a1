"""The shape of a team's targets: how soon it means to acknowledge and to resolve, in all or by severity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from sensors.files import SPAN, Door, Schema, shown, wrong
from sensors.model.clock import parse_duration
from sensors.model.policy import Severity
from sensors.model.team import Targets
from sensors.near import near

LONGEST = timedelta(days=90)
SEVERITIES = tuple(severity.name for severity in Severity)
Spans = Mapping[Severity, timedelta]


def _spans(value: Any) -> Spans:
    """`15m` for every severity, or `{critical: 5m, high: 15m}`."""
    if not isinstance(value, dict):
        return dict.fromkeys(Severity, _span(value))
    if not value:
        raise wrong("must be a duration such as 15m, or one by severity such as {critical: 5m, high: 15m}")
    for word in value:
        if word not in SEVERITIES:
            said = f"no severity {shown(word)}; it is one of {', '.join(SEVERITIES)}"
            raise wrong(f"{said}{near(str(word), SEVERITIES)}", word)
    return {Severity[word]: _span(span, word) for word, span in value.items()}


def _span(value: Any, *at: str) -> timedelta:
    span = parse_duration(value) if isinstance(value, str) else None
    if span is None:
        raise wrong(f"must be a duration such as 15m, 4h or 1d, not {shown(value)}", *at)
    if span > LONGEST:
        raise wrong(f"must be 90d at most, not {shown(value)}", *at)
    return span


ONE = {"type": "string", "pattern": SPAN, "examples": ["15m", "4h", "1d"]}
BY_SEVERITY = {
    "type": "object",
    "properties": dict.fromkeys(SEVERITIES, ONE),
    "additionalProperties": False,
    "minProperties": 1,
    "examples": [{"critical": "5m", "high": "15m"}],
}
Aim = Annotated[Any, BeforeValidator(_spans), Schema({"anyOf": [ONE, BY_SEVERITY]})]


class TargetsFile(Door):
    acknowledge: Aim | None = Field(
        default=None, description="How soon somebody means to be on it: 15m, or {critical: 5m, high: 15m}"
    )
    resolve: Aim | None = Field(
        default=None, description="How soon it means to be resolved: 4h, or {critical: 1h, high: 4h}"
    )

    @model_validator(mode="after")
    def says_something(self) -> TargetsFile:
        if self.acknowledge is None and self.resolve is None:
            raise wrong("must say acknowledge or resolve, such as {acknowledge: 15m, resolve: 4h}")
        return self

    @model_validator(mode="after")
    def possible(self) -> TargetsFile:
        """Nothing can be resolved sooner than somebody is on it."""
        for severity, span in (self.resolve or {}).items():
            first = (self.acknowledge or {}).get(severity)
            if first and span < first:
                raise wrong(f"of {severity.name} alerts it is sooner than acknowledge", "resolve")
        return self

    def value(self) -> Targets:
        return Targets(self.acknowledge or {}, self.resolve or {})
