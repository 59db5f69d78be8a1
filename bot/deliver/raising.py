"""Sends what a built-in policy found down the road of all violations: decided by `step`, kept by `act`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.action import Action
from bot.core.alert import Lane
from bot.core.change import Change
from bot.core.step import step
from bot.errors import Conflict
from bot.store import Store

RESOLVED_LATELY = timedelta(days=14)
TRIES = 6  # against others who tell of the same


def raised(store: Store, clock: Callable[[], datetime], policy: str, key: str, action: Action) -> bool:
    """Whether it changed an alert; nothing where nobody holds what clears, or it says nothing new."""
    for _ in range(TRIES):
        now = clock()
        held = store.alerts.held(policy, Lane.live, keys=[key], resolved_since=now - RESOLVED_LATELY)
        outcome = step(held.get(key), action, now)
        if not isinstance(outcome, Change):
            return False
        try:
            store.act([outcome], now)
            return True
        except Conflict:
            continue
    return False
