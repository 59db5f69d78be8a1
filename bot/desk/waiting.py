"""What becomes by itself of jobs that wait for a second person: they run out, and their alerts are told."""

from __future__ import annotations

from datetime import timedelta

from bot.core.action import JobDecided
from bot.core.approval import Approval, expired, outcome
from bot.core.words import clean
from bot.engine.engine import Engine
from bot.process.log import get

log = get("waiting")

TELL_LEASE = timedelta(seconds=30)


class Waiting:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store

    def sweep(self) -> None:
        """Ends what nobody has answered in time; alerts that do not say what became of a job are told."""
        now = self.engine.clock()
        for asked in self.store.approvals.waiting():
            if asked.expires_at <= now and self.store.approvals.decide(expired(asked, now)):
                log.info("approval", approval=asked.id, job=asked.job, state="expired")
        for decided in self.store.approvals.untold(now):
            self.tell(decided)

    def tell(self, decided: Approval) -> None:
        """Into its alert's history and thread, once, whoever dies in between."""
        if decided.alert is None:
            return
        if not self.store.approvals.take(decided.id, self.engine.clock(), TELL_LEASE):
            return
        known = any(
            event.action.get("action") == "JobDecided" and event.action.get("approval") == decided.id
            for event in self.store.alerts.history(decided.alert)
        )
        if not known:
            said = f"{clean(decided.job)} {outcome(decided)}"
            state, by = decided.state.value, decided.decided_by
            self.engine.act(
                decided.alert, JobDecided(decided.id, state, decided.job, decided.by, said, by), by=by
            )
        self.store.approvals.told(decided)
