"""Tells whoever reported a false positive that it is mended. Looks once for each alert and version."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.action import Mended
from bot.core.alert import Alert, Disposition, Lane
from bot.core.change import Change
from bot.core.reports import TELLS_FOR, Fate, reporter
from bot.engine.engine import Engine
from bot.process.errors import PatrolError
from bot.process.log import get
from bot.workbench.hindsight import Again, short
from sensors.model.policy import Policy

log = get("mending")

AGAIN_AFTER = timedelta(minutes=10)  # where it could not be said: the warehouse may be away
AT_ONCE = 20  # alerts in a round, so that no round is long


class Mending:
    """Many processes may do it: an alert is told of once, since the telling is a change of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store
        self._looked: dict[int, str] = {}  # alert -> the version it was last held against
        self._rests: dict[int, datetime] = {}  # alert -> when to try again

    def once(self) -> int:
        """Holds open reports against policies that have changed since; how many people were told."""
        if self.engine.circuit.away():
            return 0
        now = self.engine.clock()
        running = [policy.name for policy in self.engine.catalog.policies.values() if policy.runs]
        reports = self.store.alerts.resolved(running, now - TELLS_FOR, Disposition.false_positive)
        wanted = [found for alert in reports if (found := self._wanted(alert, now))][:AT_ONCE]
        again = Again(self.store, self.engine.warehouse, self.engine.catalog, self.engine.project.reader)
        return sum(self._alone(again, policy, alert, now) for policy, alert in wanted)

    def _wanted(self, alert: Alert, now: datetime) -> tuple[Policy, Alert] | None:
        policy = self.engine.catalog.policies.get(alert.policy)
        if policy is None or alert.lane is not Lane.live or alert.mended:
            return None
        if self._looked.get(alert.id) == policy.content or self._rests.get(alert.id, now) > now:
            return None
        return policy, alert

    def _alone(self, again: Again, policy: Policy, alert: Alert, now: datetime) -> bool:
        """One report's trouble holds up no other."""
        try:
            return self._look(again, policy, alert, now)
        except PatrolError:
            raise  # the store is away: that is everybody's
        except Exception:
            self._rests[alert.id] = now + AGAIN_AFTER
            log.exception("report not looked at", alert=alert.id)
            return False

    def _look(self, again: Again, policy: Policy, alert: Alert, now: datetime) -> bool:
        """Whether somebody was told. What cannot be said is left for later; nothing else is harmed."""
        (seen,) = again.of(policy, [alert], now)
        if seen.passing:
            self._rests[alert.id] = now + AGAIN_AFTER
        else:
            self._looked[alert.id] = policy.content
        if seen.fate is not Fate.gone:
            log.debug("not mended", alert=alert.id, policy=policy.name, fate=seen.fate.value, why=seen.why)
            return False
        by = reporter(alert, self.store.alerts.history(alert.id))
        _, outcome = self.engine.act(alert.id, Mended(by, short(policy.content)))
        return isinstance(outcome, Change)
