"""Looks again, with a policy as it now is, where a past alert was found. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.alert import Alert
from bot.core.reports import Fate, Hindsight, cannot_compare, window_of
from bot.store import Store
from bot.store.values import Behind
from bot.workbench.one_look import judged
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy
from sensors.model.window import Window
from sensors.reading import HERE, Reader
from sensors.warehouse import Warehouse

MANY = 1_000_000
Fired = frozenset[str] | str  # the keys that fire, or why that cannot be said


class Again:
    """One pass over past alerts: what was looked at once is not looked at twice."""

    def __init__(self, store: Store, warehouse: Warehouse, catalog: Catalog, reader: Reader = HERE) -> None:
        self.store = store
        self.warehouse = warehouse
        self.catalog = catalog
        self._reader = reader
        self._fired: dict[tuple[str, Window], Fired] = {}
        self._earlier: dict[tuple[str, str], Policy | None] = {}

    def of(self, policy: Policy, alerts: Sequence[Alert], now: datetime) -> Iterator[Hindsight]:
        """What becomes of each: gone only where the version that raised it still finds it."""
        behind = self.store.alerts.behind([alert.id for alert in alerts])
        for alert in alerts:
            yield self._seen(policy, alert, behind.get(alert.id), now)

    def _seen(self, policy: Policy, alert: Alert, behind: Behind | None, now: datetime) -> Hindsight:
        if behind is None:
            return Hindsight(alert, Fate.unsure, "no rows of it are kept")
        if why := cannot_compare(policy, alert):
            return Hindsight(alert, Fate.unsure, why)
        if behind.content == policy.content:
            return Hindsight(alert, Fate.stays, "the policy is the one that raised it")
        fired = self._fires(policy, window_of(policy, behind.window, now))
        if isinstance(fired, str):
            return Hindsight(alert, Fate.unsure, fired, passing=True)
        if alert.key in fired:
            return Hindsight(alert, Fate.stays)
        return self._control(policy, alert, behind, now)

    def _control(self, policy: Policy, alert: Alert, behind: Behind, now: datetime) -> Hindsight:
        """It is the policy that has changed, and not the data, only if its old version finds it still."""
        was = self.version(policy, behind.content)
        if was is None:
            return Hindsight(alert, Fate.unsure, "the version that raised it cannot be read any more")
        fired = self._fires(was, window_of(was, behind.window, now))
        if isinstance(fired, str):
            return Hindsight(alert, Fate.unsure, fired, passing=True)
        if alert.key not in fired:
            said = "the data have changed: the version that raised it does not find it either"
            return Hindsight(alert, Fate.unsure, said)
        return Hindsight(alert, Fate.gone)

    def raised(self, policy: Policy, alert: Alert) -> Policy | None:
        """The policy as it was when it found the alert's rows; None where that cannot be read any more."""
        behind = self.store.alerts.behind([alert.id]).get(alert.id)
        return self.version(policy, behind.content) if behind else None

    def version(self, policy: Policy, content: str) -> Policy | None:
        """The policy as the text with this hash said it."""
        if content == policy.content:
            return policy
        held = (policy.name, content)
        if held not in self._earlier:
            body = self.store.contents.get(content)
            asked = (policy, body.decode(), self.catalog.assets, self.warehouse.dialect) if body else None
            self._earlier[held] = self._reader.earlier(*asked) if asked else None
        return self._earlier[held]

    def _fires(self, policy: Policy, window: Window) -> Fired:
        held = (policy.content, window)
        if held not in self._fired:
            self._fired[held] = self._look(policy, window)
        return self._fired[held]

    def _look(self, policy: Policy, window: Window) -> Fired:
        each = replace(policy, max_alerts=MANY)  # a flood would hide its keys
        looked, found = judged(each, self.warehouse, window, self.catalog.teams.get(policy.owner))
        if not looked.ok:
            return looked.error or looked.status.value
        if looked.truncated or looked.window != window:
            return "there are more rows than can be read at once"
        return frozenset(fire.key for fire in found.fired)


def short(content: str) -> str:
    return content[:8]
