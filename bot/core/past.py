"""The windows in which the past is looked at, by a backfill and by a replay, and their names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from bot.core.ledger import Stretch, cut
from bot.core.plan import EPOCH, due_between, next_due
from sensors.model.clock import instant, parse_duration, parse_wall
from sensors.model.policy import After, Every, Incremental, Policy, Schedule, Trailing
from sensors.model.window import INSTANT, Window, window_for

HOUR = timedelta(hours=1)
SIZES = (HOUR, 6 * HOUR, 24 * HOUR)  # of one window of events
ENOUGH = 200  # windows; more of them are made larger instead


def windows(
    policy: Policy, past: Stretch, each: timedelta | None = None, most: int | None = None
) -> tuple[Window, ...]:
    """What to look at, oldest first: consecutive windows of events; of conditions, the look of each due time.

    `each` is the size of a window of events: by default an hour, or more where there would be too many. At
    `most` so many are made: years in seconds are more than fit into memory.
    """
    match policy.window:
        case Incremental():
            size = each or next((s for s in SIZES if past.length <= ENOUGH * s), SIZES[-1])
            return tuple(Window(part.start, part.end) for part in islice(cut(past, size, EPOCH), most))
        case Trailing() as kind:
            dues = due_between(policy.schedule, past.start, past.end)
            return tuple(window_for(kind, due, None, None) for due in islice(dues, most))
    return ()


BETWEEN = re.compile(r"\s*(?:\.{2,}|…|‥)\s*")


def between(text: str, now: datetime) -> Stretch | None:
    """`7d`: since so long ago; `30d..7d`, `2026-11-01..2026-11-08`, or the two apart. None where it is none.

    Times without a zone are by the clock of `now`. What comes first need not be the earlier.
    """
    parts = BETWEEN.split(text.strip())
    if len(parts) == 1 and (apart := text.split())[1:]:
        parts = apart if all(moment(one, now) for one in apart) else [text]
    found = [moment(one, now) for one in parts[:3]]
    if len(found) == 1:
        found.append(now.astimezone(UTC))
    start, end, *more = found
    return Stretch(start, end) if start and end and not more else None


def moment(text: str, now: datetime) -> datetime | None:
    """`now`, how long ago, or a time; in UTC."""
    if text == "now":
        return now.astimezone(UTC)
    if ago := parse_duration(text):
        return now.astimezone(UTC) - ago
    wall = parse_wall(text)
    try:
        return wall.astimezone(UTC) if wall and wall.tzinfo else wall and instant(wall, now.tzinfo or UTC)
    except OverflowError:  # the first and last hours of time
        return None


def name(window: Window, part: int = 0, attempt: int = 0) -> str:
    """The detail of its cause: a window that does not fit is looked at in parts, one that failed again."""
    parts = f"+{part}" if part else ""
    again = f" again {attempt}" if attempt else ""
    return f"{_iso(window.start or window.end)}..{_iso(window.end)}{parts}{again}"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def reach_back(policy: Policy, start: datetime) -> datetime:
    """From when on a replay must look for its first alert to be the one that the bot would have given: rows
    of events before `start` count within the threshold's time, and are not seen anew in the lookback."""
    if not isinstance(policy.window, Incremental):
        return start
    return start - policy.window.lookback - (policy.threshold.within or timedelta())


STEPS = tuple(timedelta(minutes=m) for m in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))


@dataclass(frozen=True)
class Sampled:
    """Due times, and how far they lie apart where they are fewer than the schedule has."""

    dues: tuple[datetime, ...]
    step: timedelta | None = None


def sampled(
    schedule: Schedule, after: datetime, until: datetime, most: int, step: timedelta | None = None
) -> Sampled:
    """The due times later than `after`; every `step` where that is said, else so many that `most` suffice."""
    if step is None and isinstance(schedule, Every) and (until - after) // schedule.interval > most:
        step = next((s for s in STEPS if s > schedule.interval and (until - after) // s <= most), STEPS[-1])
    if step is not None:
        said = None if isinstance(schedule, Every) and step == schedule.interval else step
        return Sampled(tuple(due_between(Every(step), after, until)), said)
    if isinstance(schedule, After):
        return Sampled(())
    dues = tuple(islice(due_between(schedule, after, until), most + 1))
    if len(dues) <= most:
        return Sampled(dues)
    step = next((s for s in STEPS if (until - after) // s <= most), STEPS[-1])
    return Sampled(tuple(_apart(schedule, after, until, step)), step)


def _apart(schedule: Schedule, after: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    """Due times that lie at least `step` apart; those between are not gone through."""
    due = next_due(schedule, after)
    while due is not None and due <= until:
        yield due
        due = next_due(schedule, due + step - INSTANT)
