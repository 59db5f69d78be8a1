"""Tells owners of assets that are too old, or do not tell how old. What that is, core/stale.py says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from bot.core.action import Action
from bot.core.builtin import mended
from bot.core.stale import (
    STALE_ASSET,
    Stale,
    UntoldAge,
    is_untold,
    patience,
    stale_asset,
    stale_assets,
    stale_key,
    untold_age,
)
from bot.engine.engine import Engine
from bot.watch.tables import Untold
from bot.watch.trouble import told
from sensors.model.policy import Policy

MOST = 5000  # alerts


class StaleAssets:
    """Judges by what is known of assets; an asset of which nothing is known is left as it is for a while."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def judge(
        self,
        until: Mapping[str, datetime],
        untold: Mapping[str, Untold],
        policies: Mapping[str, Policy],
        waiting: Collection[str],
        now: datetime,
    ) -> int:
        """`until`: by reference until when each asset is loaded; `untold`: those that do not tell;
        `policies`: those that run; `waiting`: names of those that wait. How many alerts changed."""
        store, catalog = self.engine.store, self.engine.catalog
        found: dict[str, Stale | UntoldAge] = {
            **stale_assets(catalog.assets.values(), policies.values(), until, now),
            **self._untold(untold, policies, waiting, now),
        }
        held = {str(a.key_values.get("asset")): a for a in store.alerts.open(policy=STALE_ASSET, limit=MOST)}
        dated = {a.name for a in catalog.assets.values() if a.warn_after or a.late_after}
        answered = {ref for ref, alert in held.items() if is_untold(alert)} - untold.keys()
        unknown = (dated - until.keys() - answered) | untold.keys()
        changed = 0
        for ref in sorted(found.keys() | (held.keys() - unknown)):
            stale, holder = found.get(ref), held.get(ref)
            owner = self._owner(stale) if stale else ""
            action: Action | None = mended(now)
            if stale:
                action = stale_asset(stale, owner, catalog.teams.get(owner), holder, now)
            if action:
                changed += told(store, self.engine.clock, STALE_ASSET, stale_key(ref), action)
        return changed

    def _untold(
        self,
        untold: Mapping[str, Untold],
        policies: Mapping[str, Policy],
        waiting: Collection[str],
        now: datetime,
    ) -> dict[str, UntoldAge]:
        """Those that were asked just now, and have not told for too long: another process may know better of
        one that was asked earlier."""
        assets = self.engine.catalog.assets
        fresh = {n: one for n, one in untold.items() if one.asked_at == now and n in assets}
        return {
            name: untold_age(assets[name], one.why, policies.values(), waiting, empty=one.empty)
            for name, one in fresh.items()
            if now - one.since >= patience(assets[name], empty=one.empty)
        }

    def _owner(self, stale: Stale | UntoldAge) -> str:
        """Its own, else those who answer for Patrol."""
        return stale.asset.owner or self.engine.project.owner
