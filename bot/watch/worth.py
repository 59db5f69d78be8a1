"""Finds policies in shadow that have earned `live`, and live ones that have become noisy. Changes none."""

from __future__ import annotations

from datetime import timedelta

from bot.core.action import Action, Fire
from bot.core.alert import Alert, Lane
from bot.core.builtin import mended
from bot.core.builtin_earned import EARNED_LIVE, LANES, NOISY_POLICY, earned_live, noisy_policy, worth_key
from bot.core.earned import ENOUGH
from bot.engine.engine import Engine
from bot.watch.trouble import told
from sensors.model.policy import Policy, Status

SAID_ONCE = timedelta(days=365)  # who has resolved it is not told the same again
MOST = 1000


class Worth:
    """Judges all policies, by what their alerts came to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.trust = engine.trust

    def once(self) -> int:
        """One round over all policies; how many alerts changed."""
        policies = self.engine.catalog.policies
        held = {name: self._held(name) for name in LANES}
        changed = 0
        for name, status in ((EARNED_LIVE, Status.shadow), (NOISY_POLICY, Status.live)):
            lane = Lane.shadow if status is Status.shadow else Lane.live
            enough = min(ENOUGH, self.trust.rule.judged)
            wanted = {p for p, n in self.trust.judged(lane).items() if n >= enough} | held[name].keys()
            for policy in sorted(wanted):
                changed += self._judge(name, policies.get(policy), policy, held[name].get(policy))
        return changed

    def _judge(self, name: str, policy: Policy | None, about: str, holder: Alert | None) -> bool:
        action = self._said(name, policy) if policy else mended(self.engine.clock())
        if isinstance(action, Fire) and holder and holder.title == action.title:
            return False  # its figures stand in `policy X`; here they would make an edit each time
        if not isinstance(action, Fire) and holder is None:
            return False
        key = worth_key(about)
        return told(self.engine.store, self.engine.clock, name, key, action, LANES[name], SAID_ONCE)

    def _said(self, name: str, policy: Policy) -> Action:
        now, team = self.engine.clock(), self.engine.catalog.teams.get(policy.owner)
        found = self.trust.record(policy)
        if name == EARNED_LIVE:
            return earned_live(policy, found, self.trust.rule, team, now)
        return noisy_policy(policy, found, team, now)

    def _held(self, name: str) -> dict[str, Alert]:
        """The open alerts, by the policy that they are about."""
        found = self.engine.store.alerts.open(policy=name, limit=MOST)
        return {str(alert.key_values.get("policy")): alert for alert in found}
