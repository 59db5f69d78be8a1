"""When a thing is due. Pure: the same for every process, whenever it started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sensors.model.policy import After, Cron, Every, Schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHIFT = timedelta(hours=3)  # more than any clock is put forward or back at once


def next_due(schedule: Schedule, after: datetime) -> datetime | None:
    """The first time later than `after`; None where only an upstream decides."""
    match schedule:
        case Every():
            return _floor(schedule, after) + schedule.interval
        case Cron():
            return min(_found(schedule, after, later=True), default=None)
        case After():
            return None


def last_due(schedule: Schedule, at: datetime) -> datetime | None:
    """The newest time not later than `at`; None where only an upstream decides."""
    match schedule:
        case Every():
            return _floor(schedule, at)
        case Cron():
            return max(_found(schedule, at, later=False), default=None)
        case After():
            return None


def due_now(schedule: Schedule, at: datetime, last_tick: datetime | None) -> datetime | None:
    """The tick to run at `at`: the newest due one, unless one as new has been run already.

    A cron policy that has never run waits for its next time; an interval begins at once. So an edited
    schedule never brings back a time before the last look.
    """
    due = last_due(schedule, at)
    if due is None or (last_tick is None and isinstance(schedule, Cron)):
        return None
    return due if last_tick is None or due > last_tick else None


def due_between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """All due times later than `after` and not later than `until`, in order."""
    at = next_due(schedule, after)
    while at is not None and at <= until:
        yield at
        at = next_due(schedule, at)


def _floor(every: Every, at: datetime) -> datetime:
    anchor = EPOCH + every.offset
    return anchor + (at - anchor) // every.interval * every.interval


def _found(cron: Cron, at: datetime, *, later: bool) -> Iterator[datetime]:
    """Due times on one side of `at`, the nearest among them.

    Cronsim walks a clock on the wall that is never put forward or back, beginning far enough on the other
    side; which moments the wall's times are is decided here. (Given a zone, it forgets in which of two
    hours of the same name it began, and can give a time that has passed.) Naive times are that clock's.
    """
    zone = ZoneInfo(cron.timezone)
    wall = at.astimezone(zone).replace(tzinfo=None, microsecond=0)
    changes = (at - SHIFT).astimezone(zone).utcoffset() != (at + SHIFT).astimezone(zone).utcoffset()
    around = SHIFT if changes else timedelta()
    start = wall - around if later else wall + around + timedelta(seconds=1)
    walk = CronSim(cron.expression, start, reverse=not later)
    best: datetime | None = None
    for time in walk:
        if best and abs(time - best) > around:
            return
        for moment in _moments(cron, time, zone):
            if (moment > at) if later else (moment <= at):
                best = best or time
                yield moment


def _moments(cron: Cron, wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments at which the wall's clock shows this time, as cron has it.

    A job at fixed times runs once: in an hour that comes twice the first time, in one that is skipped right
    after it. One that runs every hour or minute runs in both hours, and in none that is skipped.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    fixed = not any(part.startswith("*") for part in cron.expression.split()[:2])
    if first > second:  # no clock shows it
        return _moments(cron, wall + timedelta(minutes=1), zone)[:1] if fixed else ()
    return (first,) if fixed or first == second else (first, second)
