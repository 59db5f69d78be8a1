"""Snoozes of more than one alert: of an entity, of a policy. What they cover and would have hidden. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.action import Fire
from bot.core.alert import Alert, Disposition, Lane, Snooze
from sensors.model.policy import Severity


class Scope(StrEnum):
    """What is snoozed: one alert, all alerts about an entity, or all of a policy."""

    alert = "alert"
    entity = "entity"
    policy = "policy"


LONGEST: Mapping[Scope, timedelta] = {
    Scope.alert: timedelta(hours=24),
    Scope.entity: timedelta(days=14),
    Scope.policy: timedelta(hours=72),
}
NEVER_HIDDEN = Severity.critical  # by a snooze of more than one alert


@dataclass(frozen=True)
class Target:
    """Whom or what a snooze is of: an entity as people write it ("seller:s_1"), or a policy's name."""

    scope: Scope
    name: str

    def has(self, policy: str, entities: Iterable[str]) -> bool:
        """Whether an alert of this policy, about these entities, belongs to it."""
        return policy == self.name if self.scope is Scope.policy else self.name in entities


@dataclass(frozen=True)
class ScopeSnooze:
    """A snooze of an entity or a policy. Each alert that it covers carries a copy of its own."""

    target: Target
    until: datetime
    by: str
    why: str
    since: datetime
    ceiling: Severity
    id: int = 0
    ended_at: datetime | None = None
    ended_by: str = ""  # who ended it early

    def copy(self, since: datetime) -> Snooze:
        """As an alert carries it."""
        return Snooze(self.until, self.by, self.why, since, self.ceiling, self.id, self.target.name)

    def covers(self, alert: Alert, now: datetime) -> bool:
        """Whether the alert is to be quiet because of it, and is not yet."""
        mine = alert.is_open and alert.lane is Lane.live and self.target.has(alert.policy, alert.entities)
        apart = alert.apart_at is not None and alert.apart_at >= self.since
        quiet = alert.snooze is not None and alert.snooze.until >= self.until
        return mine and not apart and not quiet and now < self.until and alert.severity <= self.ceiling


def quieted(fire: Fire, snoozes: Iterable[ScopeSnooze], now: datetime) -> Fire:
    """The fire with the snooze, if there is one, under which what it opens is quiet from the start."""
    if fire.lane is not Lane.live:
        return fire
    mine = [
        one
        for one in snoozes
        if one.target.has(fire.policy, fire.entities) and now < one.until and fire.severity <= one.ceiling
    ]
    longest = max(mine, key=lambda one: one.until, default=None)
    return replace(fire, snooze=longest.copy(now)) if longest else fire


# ------------------------------------------------------------------ what it hides


@dataclass(frozen=True)
class Hidden:
    """Alerts that a snooze has hidden, or would have: how many, what they came to, how bad the worst was."""

    alerts: int = 0
    open: tuple[int, ...] = ()  # those of them that are open, by id
    dispositions: Mapping[Disposition, int] = field(default_factory=dict)
    worst: Severity | None = None

    @property
    def true_positives(self) -> int:
        return self.dispositions.get(Disposition.true_positive, 0)


@dataclass(frozen=True)
class Preview:
    """What is said before a snooze is done: what it would have hidden over as long a time back, and what it
    covers of what is open now."""

    target: Target
    until: datetime
    span: timedelta
    before: Hidden
    held: Hidden
    ceiling: Severity
    beyond: tuple[int, ...] = ()  # open alerts that are worse than it may hide: they stay as they are


def hidden(alerts: Sequence[Alert]) -> Hidden:
    called = [alert.disposition for alert in alerts if alert.disposition]
    return Hidden(
        len(alerts),
        tuple(sorted(alert.id for alert in alerts if alert.is_open)),
        {one: called.count(one) for one in dict.fromkeys(called)},
        max((alert.severity for alert in alerts), default=None),
    )


def preview(
    target: Target, until: datetime, now: datetime, before: Sequence[Alert], held: Sequence[Alert]
) -> Preview:
    """`before`: the target's alerts that opened within as long a time back; `held`: those that are open now.

    Its ceiling is the worst of what it hides now or would have hidden; what is critical it never hides.
    """
    below = [alert for alert in (*before, *held) if alert.severity < NEVER_HIDDEN and alert.lane is Lane.live]
    ceiling = max((alert.severity for alert in below), default=Severity.medium)
    live = [alert for alert in held if alert.lane is Lane.live]
    past = [alert for alert in before if alert.lane is Lane.live and alert.severity <= ceiling]
    covered = [alert for alert in live if alert.severity <= ceiling]
    beyond = tuple(sorted(alert.id for alert in live if alert.severity > ceiling))
    return Preview(target, until, until - now, hidden(past), hidden(covered), ceiling, beyond)
