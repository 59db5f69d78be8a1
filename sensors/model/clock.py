"""Aware UTC, and durations as people write them. The one place that reads or prints either."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def utc(at: datetime) -> datetime:
    """The same moment as aware UTC; a naive time is UTC already (sessions run in UTC)."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def parse_duration(text: str) -> timedelta | None:
    """`90s`, `15m`, `2h30m`, `1d` as a duration; None where it is not one (or is zero)."""
    parts = re.findall(r"(\d{1,9})\s*([smhdw])", text.strip().lower())
    if not parts or re.sub(r"\d{1,9}\s*[smhdw]|\s", "", text.strip().lower()):
        return None
    seconds = sum(int(n) * UNITS[unit] for n, unit in parts)
    return timedelta(seconds=seconds) if 0 < seconds <= 10 * 366 * 86400 else None


def say_duration(span: timedelta) -> str:
    """A duration in the largest units that say it exactly enough: `2 h`, `1 h 30 min`, `45 s`, `3 d`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 1440)
    hours, mins = divmod(rest, 60)
    words = [(days, "d"), (hours, "h"), (mins if not days else 0, "min")]
    return " ".join(f"{n} {unit}" for n, unit in words if n)


def parse_time(text: str) -> datetime | None:
    """An ISO time (with or without a zone; without is UTC) as aware UTC, or None."""
    try:
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):  # the first and last hours of time, in some zones
        return None


def moment(value: Any) -> datetime | None:
    """A cell as a time, None where it is none: warehouses give times, dates, or text."""
    match value:
        case datetime():
            return utc(value)
        case date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        case str():
            return parse_time(value)
    return None


def parse_wall(text: str) -> datetime | None:
    """An ISO time as it was written: aware with a zone, else what a clock on the wall of some zone says."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def instant(wall: datetime, zone: tzinfo) -> datetime:
    """When the clocks of the zone say `wall` (naive), in UTC: of a time that they say twice the first, and of
    one that they jump over the moment of the jump. Later walls are never earlier moments."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # by the offset that holds after the jump
    was = before.astimezone(zone).utcoffset()
    low, high = before, first
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) // 2).replace(microsecond=0)
        if middle <= low:
            break
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == was else (low, middle)
    return high


def exists(wall: datetime, zone: tzinfo) -> bool:
    """Whether the clocks of the zone ever say it."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
