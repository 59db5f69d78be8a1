"""Tells owners of their assets that are older than they may be. What that is, core/stale.py says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.core.action import Action
from bot.core.builtin import mended
from bot.core.stale import STALE_ASSET, Stale, stale_asset, stale_assets, stale_key
from bot.engine.engine import Engine
from bot.watch.trouble import told
from sensors.model.policy import Policy

MOST = 5000  # alerts


class StaleAssets:
    """Judges by what is known of assets; an asset of which nothing is known is left as it is."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def judge(self, until: Mapping[str, datetime], policies: Mapping[str, Policy], now: datetime) -> int:
        """`until`: by reference until when each asset is loaded; `policies`: those that run. How many alerts
        changed."""
        store, catalog = self.engine.store, self.engine.catalog
        found = stale_assets(catalog.assets.values(), policies.values(), until, now)
        held = {str(a.key_values.get("asset")): a for a in store.alerts.open(policy=STALE_ASSET, limit=MOST)}
        dated = {a.name for a in catalog.assets.values() if a.warn_after or a.late_after}
        changed = 0
        for ref in sorted((held.keys() | found.keys()) - (dated - until.keys())):
            stale, holder = found.get(ref), held.get(ref)
            owner = self._owner(stale) if stale else ""
            action: Action | None = mended(now)
            if stale:
                action = stale_asset(stale, owner, catalog.teams.get(owner), holder, now)
            if action:
                changed += told(store, self.engine.clock, STALE_ASSET, stale_key(ref), action)
        return changed

    def _owner(self, stale: Stale) -> str:
        """Its own, else those who answer for Patrol."""
        return stale.asset.owner or self.engine.project.owner
