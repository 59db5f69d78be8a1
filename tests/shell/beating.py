"""One process of Patrol without its threads: all that its scheduler does at a moment, called by hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from bot.engine.rounds import Want
from bot.mending import Mending
from bot.process.errors import StoreAway
from bot.schedule import Scheduler
from bot.watch.clockwatch import STEPS, Watch
from bot.watch.late import LateRows
from bot.watch.worth import Worth
from tests.shell.making import Node


class Crash(BaseException):
    """The process is gone at this point."""


class Bot:
    """One process: what its scheduler does at a moment, without its threads."""

    def __init__(self, node: Node, now: datetime) -> None:
        self.node, self.engine = node, node.engine
        self.schedule = Scheduler(node.engine, node.starting, None, 1)
        self.rounds = self.schedule.rounds
        self.late, self.mending, self.worth = LateRows(node.engine), Mending(node.engine), Worth(node.engine)
        self.watch, self.wall, self.now = Watch(node.clock()), node.clock(), now
        self.engine.circuit.on_back = self.schedule._wake
        node.store.set_right(node.clock())
        self.schedule._plan_policies()

    def beat(self, now: datetime) -> None:
        """Everything that may be due. `now` is the truth, which only its monotonic clock knows."""
        self._watch_clock(now)
        chores: tuple[Callable[[], object], ...] = (
            self.schedule._reload,
            self.schedule._ring,
            self.look,
            self._take_over,
            self._retry,
            self.engine.circuit.beat,
            self.look,
            self.engine.sweep,
            self.engine.silence.once,
            self.engine.auditor.once,
            self.late.once,
            self.mending.once,
            self.worth.once,
        )
        for chore in chores:
            with suppress(StoreAway):
                chore()

    def _watch_clock(self, now: datetime) -> None:
        wall, passed = self.node.clock(), now - self.now
        by, right = wall - self.wall - passed, self.watch.saw(wall, passed)
        self.wall, self.now = wall, now
        if abs(by) > STEPS:
            self.schedule._clock_jumped(by, right)

    def _take_over(self) -> None:
        for run in self.engine.dead():
            self.engine.take_over(run)

    def _retry(self) -> None:
        for run in self.engine.retries():
            self.engine.try_again(run)

    def look(self) -> None:
        """What the rounds' threads do, one after the other."""
        rounds = self.rounds
        while rounds._wanted or rounds._claimed or rounds._found:
            if rounds._found:
                rounds._save_these(rounds._next_found())
            elif isinstance(work := rounds._next(), list):
                rounds._claim(work)
            elif work:
                rounds._look(*work)

    def claims_and_looks(self, policy: str) -> Callable[[], None]:
        """A run is begun; what is called ends it, whatever has happened meanwhile."""
        rounds = self.rounds
        if policy not in rounds._at_it:
            rounds._at_it.add(policy)
            with suppress(StoreAway):
                rounds._claim([Want(policy)])
        while rounds._claimed:
            rounds._look(*rounds._claimed.popleft())
        return self.look
