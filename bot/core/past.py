"""The windows of a backfill, and the names under which each is looked at once. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.ledger import Stretch, cut
from bot.core.plan import EPOCH, due_between
from sensors.model.policy import Incremental, Policy, Trailing
from sensors.model.window import Window, window_for

HOUR = timedelta(hours=1)
SIZES = (HOUR, 6 * HOUR, 24 * HOUR)  # of one window of events
ENOUGH = 200  # windows; more of them are made larger instead


def windows(policy: Policy, past: Stretch, each: timedelta | None = None) -> tuple[Window, ...]:
    """What to look at, oldest first: consecutive windows of events; of conditions, the look of each due time.

    `each` is the size of a window of events: by default an hour, or more where there would be too many.
    """
    match policy.window:
        case Incremental():
            size = each or next((s for s in SIZES if past.length <= ENOUGH * s), SIZES[-1])
            return tuple(Window(part.start, part.end) for part in cut(past, size, EPOCH))
        case Trailing() as kind:
            dues = due_between(policy.schedule, past.start, past.end)
            return tuple(window_for(kind, due, None, None) for due in dues)
    return ()


def name(window: Window, part: int = 0, attempt: int = 0) -> str:
    """The detail of its cause: a window that does not fit is looked at in parts, one that failed again."""
    parts = f"+{part}" if part else ""
    again = f" again {attempt}" if attempt else ""
    return f"{_iso(window.start or window.end)}..{_iso(window.end)}{parts}{again}"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
