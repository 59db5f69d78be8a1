"""The teams that own policies: where their alerts go and who works on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sensors.model.policy import Severity


class Role(StrEnum):
    """What a member may do; each includes those before it."""

    responder = "responder"
    lead = "lead"
    approver = "approver"
    admin = "admin"


@dataclass(frozen=True)
class Member:
    name: str
    slack: str  # Slack's user id
    roles: frozenset[Role] = frozenset({Role.responder})


MONDAY = date(2024, 1, 1)  # turns are counted from it where nothing else is said
NINE = time(9)
REFERENCES = ("oncall", "team", "lead", "nobody", "pager")  # what a ladder or hours may say but a member
PAGER = "pager"
NOBODY = "nobody"  # on call outside hours, where that is meant


@dataclass(frozen=True)
class Rotation:
    """Who is on call: members in order, each for `length` by the clock on the wall of `timezone`.

    A first turn began at `anchor`, a moment; without one on Monday 2024-01-01 at `handoff`. Without members
    all of the team take turns.
    """

    members: tuple[str, ...] = ()
    length: timedelta = timedelta(days=7)
    anchor: datetime | None = None
    timezone: str = "UTC"
    handoff: time = NINE

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def first(self) -> datetime:
        """What the clock on the wall said when a first turn began."""
        if self.anchor is None:
            return datetime.combine(MONDAY, self.handoff)
        return self.anchor.astimezone(self.zone).replace(tzinfo=None)


@dataclass(frozen=True)
class Hours:
    """When the rotation holds: on `days` (0 is Monday) from `start` to `end` o'clock, over midnight where the
    end is not the later. At other times `outside` is on call: lead, team, a member's name, or nobody."""

    days: frozenset[int]
    start: time
    end: time
    outside: str


@dataclass(frozen=True)
class Override:
    """`member` is on call from `start` until `end`, whoever's turn it is."""

    member: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Pager:
    """A webhook that rings a phone. `${NAME}` stands for a variable of the environment, `{name}` for what is
    known of the alert: both are filled in when it is called, so that no secret is kept."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True)
class Targets:
    """How soon after an alert opens the team means to acknowledge and to resolve it, by severity. What is not
    named has no target."""

    acknowledge: Mapping[Severity, timedelta] = field(default_factory=dict)
    resolve: Mapping[Severity, timedelta] = field(default_factory=dict)


@dataclass(frozen=True)
class LadderStep:
    """`after` the alert opened (or was handed back), `to` is told: oncall, lead, team, pager or a member."""

    after: timedelta
    to: str


DEFAULT_LADDER = (
    LadderStep(timedelta(), "oncall"),
    LadderStep(timedelta(minutes=10), "team"),
    LadderStep(timedelta(minutes=15), "lead"),
)


@dataclass(frozen=True)
class Team:
    name: str
    channel: str  # Slack's channel id
    review_channel: str
    members: tuple[Member, ...] = ()
    members_from: str | None = None  # Slack's id of a user group, whose people are responders
    rotation: Rotation | None = None
    hours: Hours | None = None
    overrides: tuple[Override, ...] = ()
    ladders: Mapping[Severity, tuple[LadderStep, ...]] = field(default_factory=dict)
    acknowledged_for: timedelta = timedelta(hours=4)
    pager: Pager | None = None
    targets: Targets = Targets()

    def ladder(self, severity: Severity) -> tuple[LadderStep, ...]:
        return self.ladders.get(severity, DEFAULT_LADDER)

    @property
    def zone(self) -> ZoneInfo:
        """Of the clock that its people live by."""
        return self.rotation.zone if self.rotation else ZoneInfo("UTC")

    def joined_by(self, names: Mapping[str, str]) -> Team:
        """The team with these people of its user group (Slack id → name), who may be members already. A name
        that is taken, or means something in a ladder, is made another one by the id."""
        taken = {*REFERENCES, *(member.name for member in self.members)}
        new = [slack for slack in names if not self.member(slack)]
        joined = (Member(f"{names[s]} ({s})" if names[s] in taken else names[s], s) for s in new)
        return replace(self, members=(*self.members, *joined))

    def member(self, slack: str) -> Member | None:
        return next((m for m in self.members if m.slack == slack), None)
