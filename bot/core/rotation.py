"""Whose turn it is by a rotation: arithmetic on the wall's clock, so that it is right when clocks change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sensors.model.clock import instant
from sensors.model.team import Hours, Rotation

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Turn:
    """The turn of this number, counted from the first; before the first they are negative."""

    number: int
    start: datetime
    end: datetime


def turn(rotation: Rotation, at: datetime) -> Turn:
    """The one turn that holds at this moment. A hand-over that clocks jump over is at the jump, one that they
    come to twice is the first time."""
    wall = at.astimezone(rotation.zone).replace(tzinfo=None)
    number = (wall - rotation.first) // rotation.length
    while begins(rotation, number) > at:
        number -= 1
    while (end := begins(rotation, number + 1)) <= at:
        number += 1
    return Turn(number, begins(rotation, number), end)


def begins(rotation: Rotation, number: int) -> datetime:
    return instant(rotation.first + number * rotation.length, rotation.zone)


def within(hours: Hours, rotation: Rotation, at: datetime) -> bool:
    """Whether the hours hold at this moment."""
    day = at.astimezone(rotation.zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    spans = (_span(hours, rotation, day - n * DAY) for n in (0, 1))
    return any(start <= at < end for start, end in spans if start)


def edges(hours: Hours, rotation: Rotation, at: datetime) -> list[datetime]:
    """When the hours begin or end, from the day before this moment to a week after it."""
    day = at.astimezone(rotation.zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    spans = (_span(hours, rotation, day + n * DAY) for n in range(-1, 9))
    return [edge for start, end in spans if start for edge in (start, end)]


def _span(hours: Hours, rotation: Rotation, day: datetime) -> tuple[datetime | None, datetime]:
    """The hours that begin on this day of the wall; no beginning where there are none."""
    if day.weekday() not in hours.days:
        return None, instant(day, rotation.zone)
    ends_on = day if hours.end > hours.start else day + DAY
    start, end = (datetime.combine(d, t) for d, t in ((day, hours.start), (ends_on, hours.end)))
    return instant(start, rotation.zone), instant(end, rotation.zone)
