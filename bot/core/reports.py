"""False positives as reports to the policy's owner, and what a change of it does to past alerts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.action import Resolve
from bot.core.alert import Alert, Disposition, Event
from bot.core.reconcile import flood_key
from bot.core.record import action_of
from sensors.model.policy import Now, Policy
from sensors.model.window import Window

REPORTED_FOR = timedelta(days=30)  # a false positive is a report for so long
TELLS_FOR = timedelta(days=14)  # so long somebody still wants to hear that it was mended


class Fate(StrEnum):
    """What becomes of a past alert under the policy as it now is."""

    gone = "gone"
    stays = "stays"
    unsure = "unsure"  # it cannot be said, with the reason


@dataclass(frozen=True)
class Hindsight:
    """One past alert, looked at again."""

    alert: Alert
    fate: Fate
    why: str = ""
    passing: bool = False  # whether it may be known later: the look failed


@dataclass(frozen=True)
class Report:
    """A false positive that somebody reported."""

    alert: Alert
    by: str  # Slack's user id
    at: datetime
    version: str = ""  # of the policy that raised it, as people see it


def open_reports(policy: Policy, alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Those of its false positives that nobody has made a case of, and that no later version has mended."""
    return tuple(a for a in alerts if is_false(a) and not a.mended and not in_a_case(policy, a))


def is_false(alert: Alert) -> bool:
    return not alert.is_open and alert.disposition is Disposition.false_positive


def in_a_case(policy: Policy, alert: Alert) -> bool:
    """Whether the policy's file speaks of the alert: a drafted case does."""
    return re.search(rf"\b{alert.name}\b", policy.body) is not None


def reporter(alert: Alert, history: Iterable[Event]) -> str:
    """Who called it a false positive last: not always the one who closed it."""
    found = alert.resolved_by or ""
    for event in history:
        if event.kind in ("resolved", "redisposed"):
            action = action_of(event.action)
            if isinstance(action, Resolve) and action.disposition is Disposition.false_positive:
                found = action.by
    return found


def window_of(policy: Policy, looked: Window, now: datetime) -> Window:
    """Where to look for what was found in `looked`: as far back as it counts; without a window, now."""
    if isinstance(policy.window, Now):
        return Window(None, now)
    within = policy.threshold.within if policy.accumulates else None
    if looked.start is None or within is None:
        return looked
    return Window(min(looked.start, looked.end - within), looked.end, looked.baseline_start)


def cannot_compare(policy: Policy, alert: Alert) -> str:
    """Why the alert cannot be held against the policy as it now is; empty where it can."""
    if alert.key == flood_key(alert.policy):
        return "it spoke for many keys at once"
    if set(alert.key_values) != set(policy.key):
        return f"its key was {', '.join(sorted(alert.key_values)) or 'the whole platform'}"
    return ""


def by_disposition(seen: Iterable[Hindsight]) -> Mapping[Disposition | None, int]:
    """How many of them were what."""
    found: dict[Disposition | None, int] = {}
    for one in seen:
        found[one.alert.disposition] = found.get(one.alert.disposition, 0) + 1
    return found
