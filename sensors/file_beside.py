"""The shapes of _teams, _assets, _entities and _violations, and the values that they stand for."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sensors.file_rotation import HoursFile, OverrideFile, PagerFile, RotationFile
from sensors.file_targets import TargetsFile
from sensors.files import (
    Channel,
    Column,
    Door,
    Duration,
    Group,
    Pattern,
    Person,
    TeamName,
    Text,
    Upstream,
    one_of,
    shown,
    wrong,
)
from sensors.model.asset import LAST_ALTERED, Asset, Entity, ViolationKind
from sensors.model.graph import ASSETS, as_ref, kind_of, name_of
from sensors.model.policy import Severity
from sensors.model.team import NOBODY, PAGER, LadderStep, Member, Role, Rotation, Targets, Team
from sensors.near import near

RoleName = Annotated[str, one_of(*[role.value for role in Role])]
SeverityName = Annotated[str, one_of(*[severity.name for severity in Severity])]


class MemberFile(Door):
    slack: Person = Field(description="Slack's id of the person")
    roles: list[RoleName] = Field(
        default_factory=lambda: ["responder"],
        description="What the person may do: responder, lead, approver, admin",
    )


class StepFile(Door):
    to: Text = Field(description="oncall, team, lead, pager or a member")
    after: Duration | None = Field(default=None, description="How long after the alert opened")


def _members(value: Any) -> Any:
    """People are written by name; a list of ids is what one tries first."""
    if isinstance(value, dict):
        return value
    ids = value if isinstance(value, list) else [value]
    example = next((str(one) for one in ids if re.fullmatch(r"[UW][A-Z0-9]+", str(one))), "U0ANA")
    raise wrong(f"must be people by name, such as {{ana: {{slack: {example}}}}}, not {shown(value)}")


class TeamFile(Door):
    channel: Channel = Field(description="Slack's id of the channel of its alerts")
    review_channel: Channel | None = Field(
        default=None, description="Slack's id of the channel of alerts in shadow; default: the same"
    )
    members: Annotated[dict[str, MemberFile], BeforeValidator(_members)] = Field(
        default_factory=dict, description="The people by name: `{ana: {slack: U0ANA}}`"
    )
    members_from: Group | None = Field(
        default=None, description="Slack's id of a user group: its people are responders, too"
    )
    rotation: RotationFile | None = Field(default=None, description="Who is on call when")
    hours: HoursFile | None = Field(
        default=None, description="When the rotation holds, and who is on call at other times"
    )
    overrides: list[OverrideFile] = Field(
        default_factory=list, description="Who is on call at some time instead; of two the later in the list"
    )
    ladder: dict[SeverityName, Annotated[list[StepFile], Field(min_length=1)]] = Field(
        default_factory=dict, description="Who is told when, by severity"
    )
    pager: PagerFile | None = Field(
        default=None, description="A webhook that rings the phone of who is on call, for steps {to: pager}"
    )
    acknowledged_for: Duration = Field(
        default=timedelta(hours=4),
        description="How long an acknowledgement holds before it is asked about again",
    )
    targets: TargetsFile | None = Field(
        default=None,
        description="How soon the team means to acknowledge and to resolve; the digest measures it",
    )

    @model_validator(mode="after")
    def known_people(self) -> TeamFile:
        for index, name in enumerate(self.rotation.members or () if self.rotation else ()):
            self._member(name, "rotation", "members", index)
        for index, override in enumerate(self.overrides):
            self._member(override.member, "overrides", index, "member")
        for severity, steps in self.ladder.items():
            for index, step in enumerate(steps):
                place = ("ladder", severity, index, "to")
                if step.to == PAGER and self.pager is None:
                    raise wrong("this team has no pager; write pager: {url: ${PAGER_URL}}", *place)
                self._reference(step.to, ("oncall", "team", "lead", *([PAGER] if self.pager else [])), *place)
        return self

    @model_validator(mode="after")
    def known_hours(self) -> TeamFile:
        if self.hours is None:
            return self
        if self.rotation is None:
            raise wrong("hours are those of a rotation; write rotation: {members: [ana, bo]}", "hours")
        self._reference(self.hours.outside or NOBODY, ("lead", "team", NOBODY), "hours", "outside")
        return self

    def _member(self, name: str, *at: str | int) -> None:
        if name not in self.members:
            raise wrong(f'no member "{name}" in this team{near(name, self.members)}', *at)

    def _reference(self, to: str, words: tuple[str, ...], *at: str | int) -> None:
        known = [*words, *self.members]
        if to not in known:
            said = f'must be {", ".join(words)} or a member, not "{to}"{near(to, known)}'
            raise wrong(said, *at)

    def value(self, name: str) -> Team:
        members = tuple(
            Member(n, m.slack, frozenset(Role(r) for r in m.roles)) for n, m in self.members.items()
        )
        rotation = self.rotation.value() if self.rotation else None
        zone = (rotation or Rotation()).zone
        ladders = {
            Severity[word]: tuple(LadderStep(s.after or timedelta(), s.to) for s in steps)
            for word, steps in self.ladder.items()
        }
        return Team(
            name=name,
            channel=self.channel,
            review_channel=self.review_channel or self.channel,
            members=members,
            members_from=self.members_from,
            rotation=rotation,
            hours=self.hours.value() if self.hours else None,
            overrides=tuple(override.value(zone) for override in self.overrides),
            ladders=ladders,
            acknowledged_for=self.acknowledged_for,
            pager=self.pager.value() if self.pager else None,
            targets=self.targets.value() if self.targets else Targets(),
        )


class FreshnessFile(Door):
    warn_after: Duration | None = Field(default=None, description="Older than this it is said to be late")
    late_after: Duration | None = Field(
        default=None, description="Older than this, policies that need it wait"
    )
    aged_by: Annotated[str, one_of("loaded_until", LAST_ALTERED)] = Field(
        default="loaded_until",
        alias="by",
        description="`last_altered`: its age is that of its last change, as Snowflake knows it",
    )


def _types(value: Any) -> Any:
    """`{amount: decimal(12,2)}` without quotes is cut by YAML at the comma: `amount: decimal(12` and `2)`."""
    if isinstance(value, dict):
        for (column, begun), (rest, _) in itertools.pairwise(value.items()):
            if isinstance(begun, str) and begun.count("(") > begun.count(")") and str(rest).endswith(")"):
                raise wrong(f"a type with a comma needs quotes: '{begun},{rest}'", column)
    return value


class AssetFile(Door):
    kind: Annotated[str, one_of(*ASSETS)] | None = Field(
        default=None,
        description="What it is: the word in front of its name, as in `model:reco`; a bare name is a table's",
    )
    tier: Annotated[str, one_of("raw", "core", "vetted", "scratch")] = Field(
        default="core", description="How far it can be trusted; live policies do not read scratch"
    )
    owner: TeamName | None = Field(
        default=None, description="A team of `_teams.yml`, who is told when it is late"
    )
    description: Text | None = Field(default=None, description="What a row is")
    columns: Annotated[dict[Column, Text], BeforeValidator(_types)] = Field(
        default_factory=dict, description="Types by column: cases, and the check of queries, need them"
    )
    loaded_until: Column | None = Field(
        default=None, description="The column whose newest value says until when it is loaded"
    )
    load_interval: Duration | None = Field(default=None, description="How often it is loaded")
    freshness: FreshnessFile = Field(default=FreshnessFile(), description="When it is late")
    after: list[Upstream] = Field(
        default_factory=list,
        description="What makes it: `[job:dbt_build, raw.orders]`, each a table, `model:reco`, `job:x` or"
        " `policy:a.b`",
    )

    @model_validator(mode="after")
    def known_column(self) -> AssetFile:
        if self.loaded_until and self.columns and self.loaded_until not in self.columns:
            said = f'no column "{self.loaded_until}" in columns{near(self.loaded_until, self.columns)}'
            raise wrong(said, "loaded_until")
        warn, late = self.freshness.warn_after, self.freshness.late_after
        if warn and late and late < warn:
            raise wrong("must not be shorter than warn_after", "freshness", "late_after")
        return self

    def misnamed(self, name: str) -> str:
        """Why what this says cannot have that name; "" where it can."""
        kind, colon, rest = name.partition(":")
        said = self.kind or (kind if colon else ASSETS[0])
        if colon and kind not in ASSETS[1:]:
            return f'"{kind}" is no kind of asset: a table has its bare name; others begin with' + (
                f" {', '.join(ASSETS[1:-1])} or {ASSETS[-1]}{near(kind, ASSETS[1:])}"
            )
        if colon and not re.fullmatch(r"[\w.$-]+", rest):
            return f"write {kind}: and a name of letters, digits, _, - and ., such as {kind}:reco"
        if said != kind_of(name):
            right = name_of(name) if said == ASSETS[0] else f"{said}:{name_of(name)}"
            return f"its name says that it is a {kind_of(name)}, and kind: {said}; call it {right}"
        return ""

    def value(self, name: str) -> Asset:
        return Asset(
            name=name.lower(),
            kind=kind_of(name.lower()),
            tier=self.tier,
            owner=self.owner,
            columns=dict(self.columns),
            loaded_until=self.loaded_until,
            load_interval=self.load_interval,
            warn_after=self.freshness.warn_after,
            late_after=self.freshness.late_after,
            aged_by=self.freshness.aged_by,
            description=self.description or "",
            after=tuple(map(as_ref, self.after)),
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
    column: Column = Field(description="The column that holds its id")
    link: Annotated[Text, AfterValidator(_link)] = Field(
        description="Where an agent looks it up: a fixed host, with {id}"
    )
    pattern: Pattern | None = Field(
        default=None, description="A regular expression that an id matches whole; others get no link"
    )
    label: Text | None = Field(default=None, description="What the link says")

    def value(self, name: str) -> Entity:
        plain = Entity(name, self.column, self.link, label=self.label or "")
        return (
            plain if self.pattern is None else Entity(name, self.column, self.link, self.pattern, plain.label)
        )


class ViolationFile(Door):
    title: Text = Field(description="Its name for people")
    what: Text = Field(description="What is a problem of this kind")
    examples: list[Text] = Field(default_factory=list, description="How it looks")
    may_do: Text | None = Field(default=None, description="What an agent may do about it")

    def value(self, name: str) -> ViolationKind:
        return ViolationKind(name, self.title, self.what, tuple(self.examples), self.may_do or "")
