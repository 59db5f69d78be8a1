"""Backfills as they are carried out: by whichever bot is free, or by the command that begins one.

Stopped between two windows, and gone on with where a process died. What was looked at, the ledger knows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.backfill import BackfillRun, BackfillState, ended
from bot.core.context import House
from bot.core.notice import Notice
from bot.core.trail import Line
from bot.core.words import clean, when
from bot.engine.backfill import Backfill, Step, resumed
from bot.engine.engine import Engine
from bot.process.errors import StoreAway
from bot.process.log import get

log = get("backfilling")

AT_ONCE = 2  # of one process
LEASE = timedelta(seconds=15)  # renewed each time that the chore comes by
EDIT_EVERY_S = 5.0  # its message, shared by all that run: Slack takes 50 edits a minute of us
ENDS_WITHIN_S = 60.0  # the window at hand, when the process must end
TRIES = 3  # of a window that failed for a passing reason
AGAIN_AFTER_S = 10.0  # the first time, then twice as long
CHANGED = "`{}` was changed meanwhile: half of it would be by another text"
BROKEN = "something broke inside Patrol: its log says what"


class Backfills:
    """Thread-safe. What is to be done lies in the store; here is what this process is at."""

    def __init__(self, engine: Engine, at_once: int = AT_ONCE) -> None:
        self.engine = engine
        self.store = engine.store
        self._at_once = at_once
        self._at: dict[int, Carrying] = {}
        self._closing = False

    def once(self) -> int:
        """Keeps what is ours, takes up what nobody is at. How many run here."""
        begun = self.store.backfills.begun()
        for carrying in list(self._at.values()):
            carrying.keep(gap_s=EDIT_EVERY_S * max(1, len(begun)))
        self._at = {n: one for n, one in self._at.items() if one.thread.is_alive()}
        if begun and not self._closing:
            for run in self.store.backfills.take(self.engine.clock(), LEASE, self._at_once - len(self._at)):
                log.info("backfill taken up", backfill=run.id, done=run.done, windows=run.windows)
                self._at[run.id] = Carrying(self.engine, run)
                self._at[run.id].thread.start()
        return len(self._at)

    def close(self) -> None:
        """The windows at hand are ended, and the rest is left to whoever comes next."""
        self._closing = True
        until = time.monotonic() + ENDS_WITHIN_S
        for one in list(self._at.values()):
            one.over.set()
        for one in list(self._at.values()):
            one.thread.join(max(0.0, until - time.monotonic()))


class Carrying:
    """One that this process is at, on a thread of its own.

    Where it is broken off, another process may have it; with `ends`, which makes the line of
    the audit, it is stopped.
    """

    def __init__(
        self, engine: Engine, run: BackfillRun, ends: Callable[[datetime], Line] | None = None
    ) -> None:
        self.engine = engine
        self.store = engine.store
        self.run = run
        self._ends = ends
        self.over = threading.Event()  # no further window is begun
        self.thread = threading.Thread(target=self._begin, name=run.name, daemon=True)
        self._gap_s = EDIT_EVERY_S
        self._told_at = float("-inf")
        self._lost = False
        self._hears(run.state)

    def keep(self, gap_s: float) -> None:
        """Renews its lease, and hears whether somebody has said stop."""
        self._gap_s = gap_s
        if self.thread.is_alive():
            self._hears(self.store.backfills.keep(self.run, self.engine.clock(), LEASE))

    def _hears(self, state: BackfillState | None) -> None:
        self._lost = self._lost or state is None
        if state is not BackfillState.running:
            self.over.set()

    def _begin(self) -> None:
        try:
            self._soundly()
        except StoreAway:
            log.warning("backfill left", backfill=self.run.id, why="the store is away: it is taken up again")

    def _soundly(self) -> None:
        """What breaks here is told as any failure is."""
        try:
            self._carry_out()
        except StoreAway:
            raise
        except Exception:
            log.exception("backfill broke", backfill=self.run.id)
            self._end(BackfillState.failed, BROKEN)

    def _carry_out(self) -> None:
        """Policy after policy, to the end of it; or to where it is left, or has failed."""
        while (n := self.run.stage) is not None and not self.over.is_set():
            if why := self._stage(n):
                self._end(BackfillState.failed, why)
                return
        if self._lost:
            log.warning("backfill lost", backfill=self.run.id, why="another process has taken it up")
        elif self.run.stage is None:
            self._end(BackfillState.done)
        else:
            self._leave()

    def _leave(self) -> None:
        """Somebody has said stop; or this process ends, and another may have it."""
        now = self.engine.clock()
        if self._ends:
            self.store.backfills.stop(self.run.id, self.run.by, self._ends(now))
        if self.store.backfills.keep(self.run, now, LEASE) is BackfillState.stopping:
            self._end(BackfillState.stopped)
        else:
            self.store.backfills.give_back(self.run, now)

    def _stage(self, n: int) -> str:
        """One policy's windows, as far as can be; why it failed, or nothing."""
        for attempt in range(TRIES):
            failed = self._windows(n)
            self._advance(n, told=False)
            if self.run.stages[n].over or self.over.is_set():
                return ""
            if self._changed(n):
                return CHANGED.format(clean(self.run.stages[n].policy))
            if failed is None or not failed.passing or attempt == TRIES - 1:
                return _failure(failed)
            self.over.wait(AGAIN_AFTER_S * 2**attempt)
        return ""

    def _windows(self, n: int) -> Step | None:
        """Window after window; the one that failed, if one did."""
        stage = self.run.stages[n]
        policy = self.engine.catalog.policies.get(stage.policy)
        if policy is None or self._changed(n):
            return None
        work = Backfill(
            self.engine,
            resumed(policy, stage),
            lambda seconds: self.over.wait(seconds) or self._changed(n),
            by=self.run.by,
            again=self.run.again,
            waits=lambda why: self._waits(n, clean(why)),
        )
        since = time.monotonic()
        for step in work.steps():
            if step.failed:
                return step
            took, since = time.monotonic() - since, time.monotonic()
            self._count(n, step, timedelta(seconds=took))
        return None

    def _changed(self, n: int) -> bool:
        """Whether its policy is another than was agreed to."""
        stage = self.run.stages[n]
        policy = self.engine.catalog.policies.get(stage.policy)
        return policy is None or not policy.runs or policy.content != stage.content

    def _count(self, n: int, step: Step, took: timedelta) -> None:
        """One window more. What was looked at before passes quickly: it is not written each by each."""
        run, stage = self.run, self.run.stages[n]
        stage = replace(stage, done=stage.done + 1, bad_rows=stage.bad_rows + step.bad_rows)
        waited, stages = bool(run.why), (*run.stages[:n], stage, *run.stages[n + 1 :])
        looked = (run.looked, run.worked) if step.before else (run.looked + 1, run.worked + took)
        self.run = replace(run, stages=stages, looked=looked[0], worked=looked[1], why="")
        told = waited or time.monotonic() - self._told_at >= self._gap_s
        if told or not step.before:
            self._advance(n, told)

    def _waits(self, n: int, why: str) -> None:
        """Nothing can be looked at just now: that is told once."""
        if why != self.run.why:
            self.run = replace(self.run, why=why)
            self._advance(n, told=True)

    def _advance(self, n: int, told: bool) -> None:
        self._told_at = time.monotonic() if told else self._told_at
        self._hears(self.store.backfills.advance(self.run, n, told=told))

    def _end(self, state: BackfillState, why: str = "") -> None:
        now = self.engine.clock()
        kept = self.store.backfills.get(self.run.id)
        by = kept.ended_by if kept and state is BackfillState.stopped else ""
        self.run = replace(self.run, state=state, why=why, ended_by=by, ended_at=now)
        told = [self._told(now)] if state is not BackfillState.stopped and self.run.in_slack else []
        if self.store.backfills.end(self.run, told, now):
            log.info("backfill ended", backfill=self.run.id, state=state.value, why=why, done=self.run.done)

    def _told(self, at: datetime) -> Notice:
        """Who asked for it hears of its end, below its message."""
        house = House(self.engine.catalog, self.engine.project.owner, self.run.asked_at)
        text = ended(self.run, self.store.backfills.found(self.run), house.hides(self.run))
        body = {"text": text, "people": [self.run.by], "under": self.run.key}
        return Notice(f"{self.run.key}-ended-{at:%Y%m%d%H%M%S%f}", self.run.team, self.run.channel, body)


def _failure(failed: Step | None) -> str:
    if failed is None:
        return "it could not be looked at"
    start = f"{when(failed.window.start)} → " if failed.window.start else ""
    return f"{start}{when(failed.window.end)}: {clean(failed.failed)}"
