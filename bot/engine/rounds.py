"""Looks at what is due: policies are claimed in handfuls, and what was found meanwhile is saved together."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.catchup import Tick
from bot.engine.asked import Asked, Claimed, Ticked
from bot.engine.due import due_runs
from bot.engine.engine import Engine
from bot.engine.runs import MOST_PARTS
from bot.process.errors import StoreAway
from bot.process.log import get
from sensors.model.run import Looked

log = get("rounds")

HANDFUL = 50  # runs that are claimed, and at most saved, in one transaction
AGAIN = timedelta(seconds=2)
GATHERED_S = 0.02  # while more is being looked at, what is found in this time is saved together
ENDS_WITHIN_S = 60.0  # what is being looked at when it must end


@dataclass(frozen=True)
class Want:
    """A policy to be looked at: which ticks, once that is known, and how much of the first is done."""

    policy: str
    ticks: tuple[Tick, ...] = ()
    part: int = 0
    after: datetime | None = None  # where the last part ended

    def asked(self) -> Asked:
        tick = self.ticks[0]
        cause = replace(tick.cause, detail=f"{tick.cause.detail}+{self.part}") if self.part else tick.cause
        states = () if self.part else tick.states
        return Asked(self.policy, cause, tick.due, after=self.after, begins=tick.begins, states=states)


class Rounds:
    """Threads that look, and one that saves. Each policy once at a time; what comes due meanwhile follows."""

    def __init__(self, engine: Engine, workers: int, store_away: Callable[[StoreAway], None]) -> None:
        self.engine = engine
        self._store_away = store_away
        self._workers = workers
        self._changed = threading.Condition()
        self._ending = False
        self._wanted: deque[Want] = deque()
        self._claimed: deque[tuple[Want, Claimed]] = deque()
        self._found: list[tuple[Want, Claimed, Looked]] = []
        self._later: list[tuple[float, int, Want]] = []
        self._count = itertools.count()  # so that two of one moment need not be compared
        self._at_it: set[str] = set()
        self._also: set[str] = set()  # came due while it was being looked at
        self._threads = [
            *(threading.Thread(target=self._work, name=f"look-{n}", daemon=True) for n in range(workers)),
            threading.Thread(target=self._save, name="save", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def want(self, policies: Iterable[str]) -> None:
        """These may be due now: whether they are is decided by what was looked at last."""
        with self._changed:
            for name in policies:
                if name in self._at_it:
                    self._also.add(name)
                else:
                    self._at_it.add(name)
                    self._wanted.append(Want(name))
            self._changed.notify_all()

    def idle(self, timeout_s: float) -> bool:
        """Waits until nothing is being looked at or saved; whether that came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._at_it, timeout_s)

    def close(self) -> None:
        """What is being looked at is finished and saved; the rest is left for the next start."""
        with self._changed:
            self._ending = True
            self._wanted.clear()
            self._changed.notify_all()
        self._release()
        deadline = time.monotonic() + ENDS_WITHIN_S
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._release()  # what was being claimed just then

    def _release(self) -> None:
        with self._changed:
            rest = [claimed for _, claimed in self._claimed]
            self._claimed.clear()
        try:
            self.engine.runs.release(rest)
        except StoreAway as away:
            self._store_away(away)

    # -------------------------------------------------------------------- looking

    def _work(self) -> None:
        while (work := self._next()) is not None:
            if isinstance(work, list):
                self._claim(work)
            else:
                self._look(*work)

    def _next(self) -> list[Want] | tuple[Want, Claimed] | None:
        """A run to look at, else a handful to claim, waiting for it; None at the end."""
        with self._changed:
            while not self._ending:
                self._come_due()
                if self._claimed:
                    return self._claimed.popleft()
                if self._wanted:
                    share = -(-len(self._wanted) // self._workers)
                    return [self._wanted.popleft() for _ in range(min(share, HANDFUL))]
                self._changed.wait(self._later[0][0] - time.monotonic() if self._later else None)
            return None

    def _come_due(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            want = heapq.heappop(self._later)[2]
            if want.policy not in self._at_it:
                self._at_it.add(want.policy)
                self._wanted.append(want)

    def _claim(self, wants: Sequence[Want]) -> None:
        """Of these the ones that are due, if they are ours."""
        try:
            due = self._due(wants)
            claims = self.engine.runs.claim([want.asked() for want in due])
        except StoreAway as away:
            self._away(away, wants)
            return
        except Exception:
            if len(wants) > 1:
                for want in wants:  # one that breaks something here holds up no other
                    self._claim([want])
                return
            log.exception("claim failed", policy=wants[0].policy)
            self._done(wants)
            return
        names = {want.policy for want in due}
        self._done([want for want in wants if want.policy not in names])
        for want, claim in zip(due, claims, strict=True):
            if isinstance(claim, Ticked):
                self._ended(want, claim)
            else:
                if want.ticks[0].missed and not want.part:
                    log.info("caught up", policy=want.policy, story=want.ticks[0].missed)
                with self._changed:
                    self._claimed.append((want, claim))
                    self._changed.notify_all()

    def _due(self, wants: Sequence[Want]) -> list[Want]:
        """Those of which something is due, with what it is."""
        policies, now, store = self.engine.orders.policies(), self.engine.clock(), self.engine.store
        running = {want.policy: policies[want.policy] for want in wants if want.policy in policies}
        running = {name: policy for name, policy in running.items() if policy.runs}
        due = due_runs(store, [running[w.policy] for w in wants if not w.ticks and w.policy in running], now)
        known = [(want, want.ticks or due[want.policy]) for want in wants if want.policy in running]
        return [replace(want, ticks=ticks) for want, ticks in known if ticks]

    def _look(self, want: Want, claimed: Claimed) -> None:
        looked = self.engine.runs.look(claimed)
        with self._changed:
            self._found.append((want, claimed, looked))
            self._changed.notify_all()

    # --------------------------------------------------------------------- saving

    def _save(self) -> None:
        """What was found while the last was being saved is saved together."""
        while found := self._next_found():
            self._save_these(found)

    def _save_these(self, found: Sequence[tuple[Want, Claimed, Looked]]) -> None:
        """One that breaks something here holds up no other: then each is saved by itself."""
        wants = [want for want, _, _ in found]
        try:
            ticked = self.engine.runs.save([(claimed, looked) for _, claimed, looked in found])
        except StoreAway as away:
            self._away(away, wants)
        except Exception:
            if len(found) > 1:
                for one in found:
                    self._save_these([one])
                return
            log.exception("save failed", policy=wants[0].policy)
            self._done(wants)
        else:
            for want, what in zip(wants, ticked, strict=True):
                self._ended(want, what)

    def _next_found(self) -> list[tuple[Want, Claimed, Looked]]:
        with self._changed:
            while not self._found:
                if self._ending and not self._looking():
                    return []
                self._changed.wait(0.1 if self._ending else None)
            self._gather()
            found, self._found = self._found[:HANDFUL], self._found[HANDFUL:]
            return found

    def _gather(self) -> None:
        """Waits a moment for more, where more is surely coming: one transaction costs as much for many."""
        until = time.monotonic() + GATHERED_S
        while self._claimed and len(self._found) < HANDFUL and not self._ending:
            left = until - time.monotonic()
            if left <= 0 or not self._changed.wait(left):
                return

    def _looking(self) -> bool:
        return any(thread.is_alive() for thread in self._threads[:-1])

    # --------------------------------------------------------------------- ending

    def _ended(self, want: Want, ticked: Ticked) -> None:
        """Where only a part of the window fitted the next part follows at once; after it the next tick."""
        follows = None
        if ticked.goes_on and ticked.looked and want.part + 1 < MOST_PARTS:
            follows = replace(want, part=want.part + 1, after=ticked.looked.window.end)
        elif want.ticks[1:] and not ticked.stops:
            follows = Want(want.policy, want.ticks[1:])
        if follows is None:
            self._done([want], again=ticked.busy)
            return
        with self._changed:
            self._wanted.appendleft(follows)
            self._changed.notify_all()

    def _away(self, away: StoreAway, wants: Sequence[Want]) -> None:
        self._store_away(away)
        self._done(wants, again=True)

    def _done(self, wants: Sequence[Want], again: bool = False) -> None:
        """`again`: another run is at it, or the store is away: it is tried again soon, not at the next due
        time, which may be a day away."""
        with self._changed:
            for want in wants:
                self._at_it.discard(want.policy)
                if again:
                    # a later part is due though its tick has been run; else the store says what is
                    same = want if want.part else Want(want.policy)
                    at = time.monotonic() + AGAIN.total_seconds()
                    heapq.heappush(self._later, (at, next(self._count), same))
                elif want.policy in self._also:
                    self._at_it.add(want.policy)
                    self._wanted.append(Want(want.policy))
                self._also.discard(want.policy)
            self._changed.notify_all()
