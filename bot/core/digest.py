"""What a team's digest says, daily when a shift begins and on Mondays of the week: what is open, what came of
what fired, how right the policies were, how long people took. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import took
from bot.core.alert import Alert, Condition, Disposition, Lane, Work
from bot.core.cost import NOTHING_SPENT, Spent
from bot.core.took import NO_TIME, Took
from bot.core.trend import NO_TREND, Trend, opened, trend
from sensors.model.policy import Severity
from sensors.model.team import NINE, Team

DAY, WEEK = timedelta(days=1), timedelta(days=7)
DAYS = 7  # of the picture
MOMENT = timedelta(microseconds=1)
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
    """Of one team. Alerts are the worst first."""

    team: str
    span: Span
    open: tuple[Alert, ...] = ()  # those that page
    snoozes: tuple[Alert, ...] = ()  # that end within a day
    quiet: tuple[Alert, ...] = ()  # in shadow or of the past, and nobody has said what they were
    fired: tuple[Fired, ...] = ()  # most first
    called: Mapping[Disposition, int] = field(default_factory=dict)  # what was resolved in the span
    week: Trend = NO_TREND  # the seven days that end with it
    to_acknowledge: Took = NO_TIME
    to_resolve: Took = NO_TIME
    spent: Spent = NOTHING_SPENT  # of warehouse time in the week, by the policies that it owns

    @property
    def noisiest(self) -> Fired | None:
        """The policy with most false positives; a single one is no noise."""
        worst = max(self.fired, key=lambda one: (one.wrong, one.opened), default=None)
        return worst if worst and worst.wrong > 1 else None

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
    until = _last(begins(team), team.zone, now)
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


def digest(
    team: Team,
    span: Span,
    *,
    standing: Iterable[Alert],
    moved: Iterable[Alert],
    answered: Mapping[int, datetime],
    spent: Spent = NOTHING_SPENT,
) -> Digest:
    """`standing`: the team's open alerts; `moved`: those that were opened or resolved in the span, or in the
    week before its end; `answered`: when somebody was first on it, by id. Later ones are the next one's."""
    standing, moved = [a for a in standing if a.opened_at < span.until], list(moved)
    live = [a for a in standing if a.lane is Lane.live]
    lived = [a for a in moved if a.lane is Lane.live and a.opened_at < span.until]
    fresh = [a for a in lived if span.since <= a.opened_at]
    resolved = [a for a in lived if a.resolved_at and span.since <= a.resolved_at < span.until]
    called = Counter(a.disposition for a in resolved if a.disposition)
    return Digest(
        team.name,
        span,
        open=tuple(live),
        snoozes=tuple(a for a in live if a.snooze and a.snooze.until < span.until + DAY),
        quiet=tuple(a for a in standing if a.lane is not Lane.live and a.work is Work.open),
        fired=_fired(fresh),
        called=dict(called.most_common()),
        week=trend(opened(lived), span.until - MOMENT, DAYS, team.zone, begins(team)),
        to_acknowledge=took.taken(took.to_acknowledge(fresh, answered, span.until), team.targets.acknowledge),
        to_resolve=took.taken(took.to_resolve(resolved, live, span.until), team.targets.resolve),
        spent=spent,
    )


def begins(team: Team) -> time:
    """When the team's days begin, by its clock."""
    return team.rotation.handoff if team.rotation else NINE


def _fired(fresh: Sequence[Alert]) -> tuple[Fired, ...]:
    by_policy: dict[str, list[Alert]] = defaultdict(list)
    for alert in fresh:
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
