"""What a team's digest says, daily when a shift begins and on Mondays of the week: what is open, what came of
what fired, how right the policies were, how long people took. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from math import ceil
from statistics import median
from zoneinfo import ZoneInfo

from bot.core.alert import Alert, Condition, Disposition, Lane, Work
from sensors.model.policy import Severity
from sensors.model.team import NINE, Team

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MONDAY = 0
SEVERE = Severity.high


@dataclass(frozen=True)
class Span:
    """From when until when, and whether it is the week's."""

    since: datetime
    until: datetime
    weekly: bool = False


@dataclass(frozen=True)
class Fired:
    """What a policy's alerts of the span came to so far."""

    policy: str
    opened: int
    right: int = 0
    wrong: int = 0
    severe: int = 0  # of high or critical severity


@dataclass(frozen=True)
class Digest:
    """Of one team. Alerts are the worst first; times are medians of those that there were."""

    team: str
    span: Span
    open: tuple[Alert, ...] = ()  # those that page
    snoozes: tuple[Alert, ...] = ()  # that end within a day
    quiet: tuple[Alert, ...] = ()  # in shadow or of the past, and nobody has said what they were
    fired: tuple[Fired, ...] = ()  # most first
    called: Mapping[Disposition, int] = field(default_factory=dict)  # what was resolved in the span
    by_day: tuple[int, ...] = ()  # opened on each of its days, oldest first
    to_acknowledge: timedelta | None = None
    to_resolve: timedelta | None = None

    @property
    def opened(self) -> int:
        return sum(one.opened for one in self.fired)

    @property
    def unowned(self) -> tuple[Alert, ...]:
        return tuple(a for a in self.open if a.work is Work.open and not a.snooze)

    @property
    def late(self) -> tuple[Alert, ...]:
        """Of which nothing is known, for their data are late."""
        return tuple(a for a in self.open if a.condition is Condition.unknown)

    @property
    def is_empty(self) -> bool:
        return not (self.open or self.quiet or self.fired or self.called)


def span_before(team: Team, now: datetime) -> Span:
    """The last whole one: until the newest time at which a shift may begin, by the team's clock."""
    at = team.rotation.handoff if team.rotation else NINE
    until = _last(at, team.zone, now)
    weekly = until.astimezone(team.zone).weekday() == MONDAY
    days = WEEK if weekly else DAY
    return Span(_wall(until.astimezone(team.zone) - days), until, weekly)


def _last(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    local = now.astimezone(zone)
    today = _wall(datetime.combine(local.date(), at, zone))
    return today if today <= now else _wall(datetime.combine(local.date(), at, zone) - DAY)


def _wall(local: datetime) -> datetime:
    """The moment at which the clock on the wall says so."""
    return local.astimezone(UTC)


def digest(team: Team, span: Span, *, standing: Iterable[Alert], moved: Iterable[Alert]) -> Digest:
    """`standing`: the team's open alerts; `moved`: those that were opened or resolved in the span. What came
    after it belongs into the next one."""
    standing, moved = [a for a in standing if a.opened_at < span.until], list(moved)
    live = [a for a in standing if a.lane is Lane.live]
    opened = [a for a in moved if a.lane is Lane.live and span.since <= a.opened_at < span.until]
    resolved = [a for a in moved if a.resolved_at and span.since <= a.resolved_at < span.until]
    called = Counter(a.disposition for a in resolved if a.disposition and a.lane is Lane.live)
    return Digest(
        team.name,
        span,
        open=tuple(live),
        snoozes=tuple(a for a in live if a.snooze and a.snooze.until < span.until + DAY),
        quiet=tuple(a for a in standing if a.lane is not Lane.live and a.work is Work.open),
        fired=_fired(opened),
        called=dict(called.most_common()),
        by_day=_by_day(opened, span, team.zone),
        to_acknowledge=_middle(a.acknowledged_at - a.opened_at for a in opened if a.acknowledged_at),
        to_resolve=_middle(a.resolved_at - a.opened_at for a in resolved if a.resolved_at and _by_hand(a)),
    )


def _by_hand(alert: Alert) -> bool:
    return alert.lane is Lane.live and alert.resolved_by is not None


def _fired(opened: Sequence[Alert]) -> tuple[Fired, ...]:
    by_policy: dict[str, list[Alert]] = defaultdict(list)
    for alert in opened:
        by_policy[alert.policy].append(alert)
    found = [
        Fired(
            policy,
            len(alerts),
            sum(a.disposition is Disposition.true_positive for a in alerts),
            sum(a.disposition is Disposition.false_positive for a in alerts),
            sum(a.severity >= SEVERE for a in alerts),
        )
        for policy, alerts in by_policy.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.opened, one.policy)))


def _by_day(opened: Sequence[Alert], span: Span, zone: ZoneInfo) -> tuple[int, ...]:
    """By days of the wall's clock that begin when the span does."""
    first = span.since.astimezone(zone).replace(tzinfo=None)
    last = span.until.astimezone(zone).replace(tzinfo=None)
    days = Counter((a.opened_at.astimezone(zone).replace(tzinfo=None) - first) // DAY for a in opened)
    return tuple(days[n] for n in range(max(1, ceil((last - first) / DAY))))


def _middle(spans: Iterable[timedelta]) -> timedelta | None:
    seconds = [span.total_seconds() for span in spans]
    return timedelta(seconds=round(median(seconds))) if seconds else None
