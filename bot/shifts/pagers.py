"""Calls of teams' pagers: each once, tried again with the same key, told in the thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from bot.core.action import PagerCalled, Unheard
from bot.core.alert import Alert
from bot.core.change import EffectKind, StoredEffect
from bot.core.context import House
from bot.core.ladder import still_due
from bot.core.oncall import names
from bot.core.words import in_plain
from bot.engine.engine import Engine
from bot.jobs import Runner, runner_for
from bot.jobs.pager import about, pager_job
from bot.process.errors import JobRefused, JobUnknown, StoreAway
from bot.process.log import get

log = get("shifts")

GIVES_UP = timedelta(minutes=15)  # after that another call would wake somebody for what is long known
SLOWEST = timedelta(minutes=1)  # between two tries
BEYOND = timedelta(seconds=30)  # of the lease, beyond the pager's own timeout
AT_ONCE = 4  # calls side by side


class Pagers:
    """Carries out the effects of its kind; the ladder itself does not wait for it."""

    def __init__(self, engine: Engine, runners: Callable[[str], Runner] = runner_for) -> None:
        self.engine = engine
        self.store = engine.store
        self.runners = runners
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pager")
        self._at_it: set[int] = set()

    def once(self) -> None:
        """Begins what is due, each call on a thread of its own."""
        waiting = self.store.outbox.effects(self.engine.clock(), kinds=(EffectKind.call_pager,))
        for stored, alert, _ in waiting:
            if stored.id not in self._at_it:
                self._at_it.add(stored.id)
                self._pool.submit(partial(self._alone, stored, alert))

    def close(self) -> None:
        """Waits for the calls that have begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _alone(self, stored: StoredEffect, alert: Alert) -> None:
        try:
            self.call(stored, alert)
        except StoreAway:
            pass  # the scheduler says so once; after the lease it is called again with the same key
        except Exception:
            log.exception("failed", what=f"pager effect-{stored.id}")
        finally:
            self._at_it.discard(stored.id)

    def call(self, stored: StoredEffect, alert: Alert) -> bool:
        """One try. False: another process has it."""
        now = self.engine.clock()
        if why := still_due(stored.effect, alert):
            return self.store.outbox.end(stored.id, "dropped", why, now)
        team = self.engine.catalog.teams.get(alert.terms.team)
        job = pager_job(team) if team else None
        if job is None:
            return self._failed(stored, alert, "the team has no pager any more")
        if not self.store.outbox.take(stored.id, now, job.timeout + BEYOND):
            return False
        reason = in_plain(stored.effect.text or alert.last_event, names(self.engine.catalog.teams))
        try:
            key = f"patrol-effect-{stored.id}"
            said = about(job, alert, reason, self._house().sensitive(alert))
            ended = self.runners(job.kind).start(job, said, key)
        except JobRefused as refused:
            return self._failed(stored, alert, f"the pager refused: {refused}")
        except JobUnknown as unknown:
            return self._later(stored, alert, str(unknown))
        return self._called(stored, alert, ended.outcome)

    def _house(self) -> House:
        return House(self.engine.catalog, self.engine.project.owner, self.engine.clock())

    def _called(self, stored: StoredEffect, alert: Alert, said: str) -> bool:
        if not self._told(stored):
            self.engine.act(alert.id, PagerCalled(stored.id, said))
        log.info("pager called", alert=alert.id, said=said)
        return self.store.outbox.end(stored.id, "done", said, self.engine.clock())

    def _told(self, stored: StoredEffect) -> bool:
        """Whether somebody died after he had told it."""
        return any(
            event.action.get("action") == "PagerCalled" and event.action.get("effect") == stored.id
            for event in self.store.alerts.history(stored.alert)
        )

    def _later(self, stored: StoredEffect, alert: Alert, why: str) -> bool:
        """Tried again, ever more rarely; in the end the ladder goes on without it."""
        now = self.engine.clock()
        if stored.since and now - stored.since >= GIVES_UP:
            return self._failed(stored, alert, f"the pager does not answer: {why}")
        log.warning("pager not called", alert=alert.id, why=why, attempts=stored.attempts + 1)
        wait = min(timedelta(seconds=2 ** min(stored.attempts + 1, 9)), SLOWEST)
        return self.store.outbox.later(stored.id, now + wait, why)

    def _failed(self, stored: StoredEffect, alert: Alert, why: str) -> bool:
        """The next step is told at once, with the reason, unless it has been meanwhile."""
        log.error("pager failed", alert=alert.id, why=why)
        step = int(stored.effect.data.get("step") or 0)
        self.engine.act(alert.id, Unheard(step, why=why))
        return self.store.outbox.end(stored.id, "dropped", why, self.engine.clock())
