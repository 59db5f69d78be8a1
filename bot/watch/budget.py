"""Tells owners whose policies are over their budget of warehouse time. What that is, core/cost.py says."""

from __future__ import annotations

from bot.core.builtin import mended
from bot.core.cost import OVER_BUDGET, budget_key, last_day, over_budget
from bot.engine.engine import Engine
from bot.watch.trouble import told

MOST = 5000  # alerts


class Budgets:
    """Judges all policies that have a budget, by what their runs of the last 24 hours took."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def once(self) -> int:
        """One round; how many alerts changed. Nothing is summed where no policy has a budget."""
        store, catalog, now = self.engine.store, self.engine.catalog, self.engine.clock()
        held = {str(a.key_values.get("policy")): a for a in store.alerts.open(policy=OVER_BUDGET, limit=MOST)}
        with_one = {name: policy for name, policy in catalog.policies.items() if policy.budget}
        costs = store.costs.between(*last_day(now), with_one) if with_one else {}
        changed = 0
        for name in sorted(held.keys() | with_one.keys()):
            policy, holder = catalog.policies.get(name), held.get(name)
            team = catalog.teams.get(policy.owner) if policy else None
            action = over_budget(policy, costs.get(name), holder, team, now) if policy else mended(now)
            if action:
                changed += told(store, self.engine.clock, OVER_BUDGET, budget_key(name), action)
        return changed
