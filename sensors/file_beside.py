"""The shapes of _teams, _jobs, _assets, _entities and _violations, and the values that they stand for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from sensors.files import Column, Door, Duration, Moment, Pattern, Text, near, one_of, shown, timezones, wrong
from sensors.model.asset import Asset, Entity, ViolationKind
from sensors.model.job import KEY, Job, Param
from sensors.model.policy import Severity
from sensors.model.team import LadderStep, Member, Role, Rotation, Team


def _slack_id(first: str, what: str) -> Any:
    def check(value: str) -> str:
        if not re.fullmatch(rf"[{first}][A-Z0-9]{{2,}}", value):
            raise wrong(f"must be Slack's id of a {what}, such as {first[0]}0123ABCD, not {shown(value)}")
        return value

    return check


RoleName = Annotated[str, one_of(*[role.value for role in Role])]
SeverityName = Annotated[str, one_of(*[severity.name for severity in Severity])]
Channel = Annotated[Text, AfterValidator(_slack_id("CG", "channel"))]


class MemberFile(Door):
    slack: Annotated[Text, AfterValidator(_slack_id("UW", "person"))]
    roles: list[Annotated[str, one_of(*[r.value for r in Role])]] = Field(
        default_factory=lambda: ["responder"]
    )


class RotationFile(Door):
    members: Annotated[list[Text], Field(min_length=1)]
    length: Duration = timedelta(days=7)
    anchor: Moment | None = None
    timezone: Text = "UTC"

    @model_validator(mode="after")
    def zone(self) -> RotationFile:
        if self.timezone not in timezones():
            said = f'no time zone "{self.timezone}"{near(self.timezone, timezones())}'
            raise wrong(said, "timezone")
        return self


class StepFile(Door):
    to: Text
    after: Duration | None = None


def _members(value: Any) -> Any:
    """People are written by name; a list of ids is what one tries first."""
    if isinstance(value, dict):
        return value
    ids = value if isinstance(value, list) else [value]
    example = next((str(one) for one in ids if re.fullmatch(r"[UW][A-Z0-9]+", str(one))), "U0ANA")
    raise wrong(f"must be people by name, such as {{ana: {{slack: {example}}}}}, not {shown(value)}")


class TeamFile(Door):
    channel: Channel
    review_channel: Channel | None = None
    members: Annotated[dict[str, MemberFile], BeforeValidator(_members)] = Field(default_factory=dict)
    rotation: RotationFile | None = None
    ladder: dict[SeverityName, Annotated[list[StepFile], Field(min_length=1)]] = Field(default_factory=dict)
    acknowledged_for: Duration = timedelta(hours=4)

    @model_validator(mode="after")
    def known_people(self) -> TeamFile:
        for index, name in enumerate(self.rotation.members if self.rotation else ()):
            if name not in self.members:
                said = f'no member "{name}" in this team{near(name, self.members)}'
                raise wrong(said, "rotation", "members", index)
        known = ["oncall", "team", "lead", *self.members]
        for severity, steps in self.ladder.items():
            for index, step in enumerate(steps):
                if step.to not in known:
                    said = f'must be oncall, team, lead or a member, not "{step.to}"{near(step.to, known)}'
                    raise wrong(said, "ladder", severity, index, "to")
        return self

    def value(self, name: str) -> Team:
        members = tuple(
            Member(n, m.slack, frozenset(Role(r) for r in m.roles)) for n, m in self.members.items()
        )
        turn = self.rotation
        rotation = Rotation(tuple(turn.members), turn.length, turn.anchor, turn.timezone) if turn else None
        ladders = {
            Severity[word]: tuple(LadderStep(s.after or timedelta(), s.to) for s in steps)
            for word, steps in self.ladder.items()
        }
        review = self.review_channel or self.channel
        return Team(name, self.channel, review, members, rotation, ladders, self.acknowledged_for)


class ParamFile(Door):
    type: Annotated[str, one_of("string", "integer", "number", "boolean")] = "string"
    pattern: Pattern | None = None
    default: Any = None
    required: bool = True

    def value(self, name: str) -> Param:
        plain = Param(name, self.type, default=self.default, required=self.required)
        return (
            plain
            if self.pattern is None
            else Param(name, self.type, self.pattern, self.default, self.required)
        )


NEEDED = {"http": ("url",), "sql": ("url", "statement")}
CONFIG = {"http": ("url", "method", "headers", "body", "poll"), "sql": ("url", "statement")}


class JobFile(Door):
    """The keys that every kind has; all others are the runner's own."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    title: Text
    kind: Annotated[str, one_of(*NEEDED)]
    owner: Text
    params: dict[Column, ParamFile] = Field(default_factory=dict)
    after: list[Text] = Field(default_factory=list)
    timeout: Duration = timedelta(minutes=10)
    approval: Annotated[str, one_of("none", "second_person")] = "none"
    changes: Text | None = None
    undo: Text | None = None
    description: Text | None = None

    @model_validator(mode="after")
    def runnable(self) -> JobFile:
        config = self.model_extra or {}
        if missing := [k for k in NEEDED[self.kind] if not config.get(k)]:
            raise wrong(f"a job of kind {self.kind} needs {' and '.join(missing)}")
        known = [*CONFIG[self.kind], *type(self).model_fields]
        for key in config:
            if key not in known and (hint := near(key, known, cutoff=0.8)):
                raise wrong(f'unknown key "{key}"{hint}', key)
        for name, param in self.params.items():
            problem = param.value(name).problem(param.default) if param.default is not None else None
            if problem:
                raise wrong(problem, "params", name, "default")
        self._check_placeholders(config)
        return self

    def _check_placeholders(self, config: Mapping[str, Any]) -> None:
        for key, pattern in (("statement", r"(?<![:\w]):(\w+)"), ("url", r"(?<!\$)\{(\w+)\}")):
            for name in re.findall(pattern, str(config.get(key) or "")):
                if name.lower() not in (*self.params, KEY):
                    raise wrong(f'no parameter "{name}" in params{near(name, self.params)}', key)

    def value(self, name: str) -> Job:
        return Job(
            name=name,
            kind=self.kind,
            title=self.title,
            owner=self.owner,
            config=dict(self.model_extra or {}),
            params=tuple(param.value(n) for n, param in self.params.items()),
            after=tuple(self.after),
            timeout=self.timeout,
            approval=self.approval,
            changes=self.changes or "",
            undo=self.undo or "",
        )


class FreshnessFile(Door):
    warn_after: Duration | None = None
    late_after: Duration | None = None


class AssetFile(Door):
    kind: Annotated[str, one_of("table", "model", "sheet", "topic", "dashboard")] = "table"
    tier: Annotated[str, one_of("raw", "core", "vetted", "scratch")] = "core"
    owner: Text | None = None
    description: Text | None = None
    columns: dict[Column, Text] = Field(default_factory=dict)
    loaded_until: Column | None = None
    load_interval: Duration | None = None
    freshness: FreshnessFile = FreshnessFile()

    @model_validator(mode="after")
    def known_column(self) -> AssetFile:
        if self.loaded_until and self.columns and self.loaded_until not in self.columns:
            said = f'no column "{self.loaded_until}" in columns{near(self.loaded_until, self.columns)}'
            raise wrong(said, "loaded_until")
        warn, late = self.freshness.warn_after, self.freshness.late_after
        if warn and late and late < warn:
            raise wrong("must not be shorter than warn_after", "freshness", "late_after")
        return self

    def value(self, name: str) -> Asset:
        return Asset(
            name=name.lower(),
            kind=self.kind,
            tier=self.tier,
            owner=self.owner,
            columns=dict(self.columns),
            loaded_until=self.loaded_until,
            load_interval=self.load_interval,
            warn_after=self.freshness.warn_after,
            late_after=self.freshness.late_after,
            description=self.description or "",
        )


def expanded(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """`${NAME}` and `${NAME:-default}` filled in; raises a plain mistake for a name without a value."""

    def fill(found: re.Match[str]) -> str:
        value = environment.get(found[1]) or found[3]
        if value is None:
            raise wrong(f"the environment has no {found[1]}; set it, or write ${{{found[1]}:-default}}")
        return str(value)

    return re.sub(r"\$\{(\w+)(:-([^}]*))?\}", fill, text)


def _link(value: str) -> str:
    link = expanded(value)
    host = re.match(r"https?://([^/?#\s]+)", link)
    if host is None or "{" in host[1]:
        raise wrong(f"must begin with https:// and a fixed host, not {shown(value)}")
    if "{id}" not in link:
        raise wrong("must hold {id} where the id belongs")
    return link


class EntityFile(Door):
    column: Column
    link: Annotated[Text, AfterValidator(_link)]
    pattern: Pattern | None = None
    label: Text | None = None

    def value(self, name: str) -> Entity:
        plain = Entity(name, self.column, self.link, label=self.label or "")
        return (
            plain if self.pattern is None else Entity(name, self.column, self.link, self.pattern, plain.label)
        )


class ViolationFile(Door):
    title: Text
    what: Text
    examples: list[Text] = Field(default_factory=list)
    may_do: Text | None = None

    def value(self, name: str) -> ViolationKind:
        return ViolationKind(name, self.title, self.what, tuple(self.examples), self.may_do or "")
