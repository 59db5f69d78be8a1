"""How far a policy is to be trusted: what the alerts of its present version came to of late. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.core.alert import Lane
from bot.core.earned import OVER, Record, Rule, record
from bot.core.route import lane_of
from bot.core.version import alerts_the_same
from bot.store import Store
from sensors.model.policy import Policy


@dataclass(frozen=True)
class Trust:
    """Asks the store. `rule` is what a policy must show in shadow."""

    store: Store
    clock: Callable[[], datetime]
    rule: Rule

    def record(self, policy: Policy) -> Record:
        """Of the lane that the policy is in, for as long as it has found and counted as it does now."""
        now, lane = self.clock(), lane_of(policy)
        found = self.store.verdicts.of(policy.name, lane, now - OVER)
        known = {content for content, _ in found} | set(self.store.verdicts.contents(policy.name))
        mine = {content for content in known if self._alike(content, policy)}
        verdicts = [verdict for content, verdict in found if content in mine]
        began = self.store.verdicts.first_run(policy.name, mine)
        since = min(filter(None, [began, *(one.opened_at for one in verdicts)]), default=now)
        return record(verdicts, since, now)

    def _alike(self, content: str, policy: Policy) -> bool:
        if content == policy.content:
            return True
        body = self.store.contents.get(content)
        return body is not None and alerts_the_same(body.decode(), policy.body)

    def judged(self, lane: Lane) -> dict[str, int]:
        """By policy, how many alerts of that lane could say something of it: a cheap first look at all."""
        tallies = self.store.verdicts.tallies(lane, self.clock() - OVER)
        return {one.policy: max(one.judged, one.left_alone) for one in tallies}
