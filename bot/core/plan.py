"""When a thing is due. Pure: the same for every process, whenever it started."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim

from sensors.model.policy import After, Cron, Every, Schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_due(schedule: Schedule, after: datetime) -> datetime | None:
    """The first time later than `after`; None where only an upstream decides."""
    match schedule:
        case Every():
            return _floor(schedule, after) + schedule.interval
        case Cron():
            return _cron(schedule, after, reverse=False)
        case After():
            return None


def last_due(schedule: Schedule, at: datetime) -> datetime | None:
    """The newest time not later than `at`; None where only an upstream decides."""
    match schedule:
        case Every():
            return _floor(schedule, at)
        case Cron():
            upcoming = _cron(schedule, at, reverse=False)
            return _cron(schedule, upcoming, reverse=True) if upcoming else None
        case After():
            return None


def _floor(every: Every, at: datetime) -> datetime:
    anchor = EPOCH + every.offset
    return anchor + (at - anchor) // every.interval * every.interval


def _cron(cron: Cron, at: datetime, *, reverse: bool) -> datetime | None:
    """Cronsim walks in local wall time, so that a time skipped or repeated by DST comes once."""
    local = at.astimezone(ZoneInfo(cron.timezone))
    found = next(CronSim(cron.expression, local, reverse=reverse), None)
    return found.astimezone(UTC) if found else None
