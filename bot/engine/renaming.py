"""A policy that was moved to another path keeps all that is known of it. Decides nothing about alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.action import Renamed
from bot.core.alert import Alert
from bot.core.change import Change
from bot.core.reconcile import flood_key
from bot.core.step import step
from bot.process.errors import Conflict
from bot.process.log import get
from bot.store import Store
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy

log = get("renaming")

LEFT_FOR = timedelta(minutes=10)  # by then nobody has the old files any more
TRIES = 6  # against people who click meanwhile


class Renaming:
    """Carries the past of renamed policies over, when the files say so. Thread-safe: it is done once."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self._carried: Catalog | None = None
        self._done: Catalog | None = None

    def settled(self, catalog: Catalog) -> bool:
        """Whether the policies of these files have their past, so that they may run."""
        return self._carried is catalog

    def of_files(self, catalog: Catalog) -> None:
        """To be called after each reload, before anything runs. Raises StoreAway: then it is asked again."""
        if self._done is catalog:
            return
        for policy in catalog.policies.values():
            was = policy.renamed_from
            there = was in catalog.policies or was in catalog.broken
            if was and not there and not self._carry(was, policy):
                return
        self._carried = catalog
        now = self.clock()
        left = self.store.renames.gone(catalog.policies)
        free = [name for name, at in left.items() if now - at > LEFT_FOR]
        for name in free:
            self.store.renames.begin_anew(name)
            log.info("a new policy under a name that was left", policy=name)
        if len(free) == len(left):
            self._done = catalog

    def _carry(self, was: str, policy: Policy) -> bool:
        """Whether it is done, or there was nothing to do."""
        for _ in range(TRIES):
            now = self.clock()
            try:
                if self.store.renames.carry(was, policy.name, _renamed(was, policy, now), now):
                    log.info("renamed", policy=policy.name, was=was)
                return True
            except Conflict:
                continue
        log.warning("not renamed yet: its alerts are being worked on", policy=policy.name, was=was)
        return False


def _renamed(was: str, policy: Policy, now: datetime) -> Callable[[Alert], Change]:
    def rename(alert: Alert) -> Change:
        key = flood_key(policy.name) if alert.key == flood_key(was) else alert.key
        change = step(alert, Renamed(policy.name, key), now)
        assert isinstance(change, Change), change
        return change

    return rename
