"""The command that takes back what somebody has just done to an alert, as he would type it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.core.alert import Alert, Work
from bot.core.change import Change
from bot.core.verdict import typed

SNOOZE_MOST = timedelta(hours=24)  # of one alert
WAYS = {
    "acknowledged": "unack {n}",
    "joined": "unack {n}",
    "left": "ack {n}",
    "assigned": "unack {n}",
    "snoozed": "wake {n}",
    "woken": "snooze {n} 1h",
    "resolved": "reopen {n}",
    "reopened": "resolve {n} …",
    "redisposed": "resolve {n} …",
    "unacknowledged": "ack {n}",
}


def undo(change: Change, names: Mapping[str, str]) -> str:
    """The command, without `/patrol`; "" where nothing can be taken back. `names`: people's, by Slack ids."""
    before, event = change.before, change.event
    way = WAYS.get(event.kind, "").format(n=change.alert.id)
    if before is None:
        return way
    match event.kind:
        case "assigned":
            return _given_back(before, event.actor, names) or way
        case "woken" if before.snooze:
            return f"snooze {before.id} {_left(before.snooze.until - event.at)}"
        case "reopened" | "redisposed" if before.disposition:
            return f"resolve {before.id} {typed(before.disposition, before.false_cause, before.note)}"
    return way


def _given_back(before: Alert, by: str, names: Mapping[str, str]) -> str:
    """To whoever had it; "" where nobody had, or he has no name that could be typed."""
    owner = before.owner if before.work is Work.acknowledged else None
    if owner == by:
        return f"take {before.id}"
    return f"assign {before.id} @{names[owner]}" if owner and owner in names else ""


def _left(left: timedelta) -> str:
    """What was left of a snooze, in whole minutes."""
    hours, minutes = divmod(max(1, -(-min(left, SNOOZE_MOST) // timedelta(minutes=1))), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
