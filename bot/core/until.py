"""Times of day and weekdays as people type them, and when a clock on the wall shows one. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNTIL = re.compile(
    rf"until:(?:(?P<day>{'|'.join(DAYS)})[a-z]*(?::(?=\d))?)?(?P<time>\d{{1,2}}(?::\d{{2}})?)?", re.IGNORECASE
)
TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?$")
UNITS = ("m", "min", "minutes", "h", "hour", "hours", "d", "day", "days")
LASTS = "say 30m, 2h, 1d, until:18:00 or until:fri"


def time_of_day(text: str) -> time | None:
    """`18`, `18:30`; None where it is no time of day."""
    found = TIME.match(text)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def moments_of(wall: datetime) -> list[datetime]:
    """When the clock on the wall shows this, in UTC: twice in the hour that a change repeats."""
    found = [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [
        at for at in found if at.astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None)
    ]
    return list(dict.fromkeys(shown)) or found[:1]
