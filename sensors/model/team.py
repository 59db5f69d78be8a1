"""The teams that own policies: where their alerts go and who works on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

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


@dataclass(frozen=True)
class Rotation:
    """Who is on call: members in order, each for `length`, handing over at `anchor` + k × length."""

    members: tuple[str, ...]
    length: timedelta = timedelta(days=7)
    anchor: datetime | None = None
    timezone: str = "UTC"


@dataclass(frozen=True)
class LadderStep:
    """`after` the alert opened (or was handed back), `to` is told: oncall, lead, team or a member's name."""

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
    rotation: Rotation | None = None
    ladders: Mapping[Severity, tuple[LadderStep, ...]] = field(default_factory=dict)
    acknowledged_for: timedelta = timedelta(hours=4)

    def ladder(self, severity: Severity) -> tuple[LadderStep, ...]:
        return self.ladders.get(severity, DEFAULT_LADDER)

    def member(self, slack: str) -> Member | None:
        return next((m for m in self.members if m.slack == slack), None)
