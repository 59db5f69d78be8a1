"""What a replay amounts to for people: alerts by day, who is paged at which hour, which keys are noisy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.held import Opening, Page
from sensors.model.policy import Severity
from sensors.model.team import Team
from sensors.model.window import INSTANT

NIGHT = (22, 7)  # from, until: hours in the zone of the team's rotation


@dataclass(frozen=True)
class Paged:
    """How often one person was told, by hour of the day, and how often of these at night."""

    who: str  # a Slack user id
    hours: tuple[int, ...]  # 24 of them
    nights: int = 0

    @property
    def total(self) -> int:
        return sum(self.hours)


@dataclass(frozen=True)
class Noisy:
    """A key, and how often it alerted."""

    key: str
    key_values: Mapping[str, object]
    alerts: int
    rows: int


@dataclass(frozen=True)
class Reckoned:
    zone: str
    days: tuple[tuple[date, Mapping[Severity, int]], ...] = ()  # every day of the time
    by_severity: Mapping[Severity, int] = field(default_factory=dict)
    people: tuple[Paged, ...] = ()  # who is paged most, first
    noisy: tuple[Noisy, ...] = ()


def zone_of(team: Team | None) -> str:
    """The zone in which the team's days and nights are counted."""
    return team.rotation.timezone if team and team.rotation else "UTC"


def reckon(
    openings: Iterable[Opening], pages: Iterable[Page], start: datetime, end: datetime, zone: str
) -> Reckoned:
    openings = tuple(openings)
    by_day: dict[date, Counter[Severity]] = {day: Counter() for day in _days(start, end, zone)}
    for one in openings:
        by_day.setdefault(_local(one.at, zone).date(), Counter())[one.severity] += 1
    return Reckoned(
        zone,
        tuple(sorted(by_day.items())),
        Counter(one.severity for one in openings),
        _people(pages, zone),
        _noisy(openings),
    )


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def _days(start: datetime, end: datetime, zone: str) -> Iterable[date]:
    day, last = _local(start, zone).date(), _local(end - INSTANT, zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _people(pages: Iterable[Page], zone: str) -> tuple[Paged, ...]:
    hours: dict[str, Counter[int]] = {}
    for page in pages:
        hours.setdefault(page.to, Counter())[_local(page.at, zone).hour] += 1
    told = [
        Paged(who, tuple(found[h] for h in range(24)), sum(n for h, n in found.items() if _night(h)))
        for who, found in hours.items()
    ]
    return tuple(sorted(told, key=lambda one: (-one.total, one.who)))


def _night(hour: int) -> bool:
    return hour >= NIGHT[0] or hour < NIGHT[1]


def _noisy(openings: Iterable[Opening]) -> tuple[Noisy, ...]:
    found: dict[str, list[Opening]] = {}
    for one in openings:
        found.setdefault(one.key, []).append(one)
    keys = [
        Noisy(key, some[0].key_values, len(some), max(one.count for one in some))
        for key, some in found.items()
    ]
    return tuple(sorted(keys, key=lambda one: (-one.alerts, -one.rows, one.key)))
