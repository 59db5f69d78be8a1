"""Alerts by the days on which they opened, and what they came to: what a picture of them shows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.alert import Alert, Disposition
from bot.core.words import count

MIDNIGHT = time()
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Opened:
    """An alert, as far as a trend asks."""

    at: datetime
    disposition: Disposition | None = None
    is_open: bool = False


@dataclass(frozen=True)
class Day:
    """How many of a day's alerts were right, wrong (false positives), something else, not judged so far."""

    right: int = 0
    wrong: int = 0
    other: int = 0
    unjudged: int = 0

    @property
    def total(self) -> int:
        return self.right + self.wrong + self.other + self.unjudged


@dataclass(frozen=True)
class Trend:
    """Days from `first` on, the last of them the day that it is now."""

    first: date = date.min
    days: tuple[Day, ...] = ()
    called: Mapping[Disposition, int] = field(default_factory=dict)  # most first
    open: int = 0

    @property
    def by_day(self) -> tuple[int, ...]:
        return tuple(day.total for day in self.days)

    @property
    def total(self) -> Day:
        """All days in one."""
        parts = [(day.right, day.wrong, day.other, day.unjudged) for day in self.days]
        return Day(*map(sum, zip(*parts, strict=True))) if parts else Day()


NO_TREND = Trend()


def opened(alerts: Iterable[Alert]) -> list[Opened]:
    return [Opened(alert.opened_at, alert.disposition, alert.is_open) for alert in alerts]


def trend(
    alerts: Iterable[Opened], now: datetime, days: int, zone: ZoneInfo, begins: time = MIDNIGHT
) -> Trend:
    """The last so many days by the clock of the zone, each from `begins` on; the last may not be over yet."""

    def day_of(at: datetime) -> date:
        local = at.astimezone(zone).replace(tzinfo=None)
        return local.date() if local.time() >= begins else local.date() - DAY

    first = day_of(now) - (days - 1) * DAY
    by_day: dict[date, list[Opened]] = {}
    for alert in alerts:
        if first <= (day := day_of(alert.at)) < first + days * DAY:
            by_day.setdefault(day, []).append(alert)
    told = [one for some in by_day.values() for one in some]
    called = Counter(one.disposition for one in told if one.disposition)
    drawn = tuple(_day(by_day.get(first + n * DAY, ())) for n in range(days))
    return Trend(first, drawn, dict(called.most_common()), sum(one.is_open for one in told))


def _day(alerts: Iterable[Opened]) -> Day:
    by = Counter(one.disposition for one in alerts)
    right, wrong = by[Disposition.true_positive], by[Disposition.false_positive]
    return Day(right, wrong, sum(by.values()) - right - wrong - by[None], by[None])


def in_words(found: Trend) -> str:
    """All that its picture shows, for those who cannot see it."""
    whole, most = found.total, max(found.by_day, default=0)
    days = count(len(found.days), "day")
    if not whole.total:
        return f"No alert in {days}."
    today = found.first + (len(found.days) - 1) * DAY
    peak = f"at most {most:,} on one ({_said(found.first + found.by_day.index(most) * DAY)})"
    last = f"{found.by_day[-1]:,} on the last, {_said(today)}"
    held = last if found.by_day[-1] == most else f"{peak}, {last}"
    many = f"{count(whole.total, 'alert')} in {days} from {_said(found.first)}"
    return f"{many}: {held}. {came_to(found)}."


def came_to(found: Trend) -> str:
    """`12 right, 3 false positives, 8 not judged yet`."""
    whole = found.total
    said = [
        (whole.right, f"{whole.right:,} right"),
        (whole.wrong, count(whole.wrong, "false positive")),
        (whole.other, f"{whole.other:,} judged otherwise"),
        (whole.unjudged, f"{whole.unjudged:,} not judged yet"),
    ]
    return ", ".join(words for n, words in said if n)


def _said(day: date) -> str:
    return f"{day.day} {day:%B}"
