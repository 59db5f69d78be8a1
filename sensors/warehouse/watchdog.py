"""Stops what runs past its deadline: one sleeping thread for all queries of a warehouse."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

AGAIN_S = 0.05  # an interrupt that came before the query began is lost: say it again
FEW = 64


@dataclass
class Guard:
    """One query under watch. `fired` says that its deadline passed while it ran."""

    stop: Callable[[], object]
    fired: bool = False
    done: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fire(self) -> bool:
        """Stops the query unless it has ended; whether it must be told again."""
        with self.lock:
            if self.done:
                return False
            self.fired = True
            self.stop()
            return True


class Watchdog:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Guard]] = []
        self._most = FEW  # entries before those that are over are let go
        self._count = itertools.count()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def watch(self, seconds: float, stop: Callable[[], object]) -> Iterator[Guard]:
        """Calls `stop` (from another thread, repeatedly) if the block is not left within `seconds`."""
        guard = Guard(stop)
        self._add(time.monotonic() + seconds, guard)
        try:
            yield guard
        finally:
            with guard.lock:
                guard.done = True

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _add(self, deadline: float, guard: Guard) -> None:
        with self._wake:
            earliest = not self._heap or deadline < self._heap[0][0]
            if len(self._heap) > self._most:  # most queries have ended long before their deadline
                self._heap = [one for one in self._heap if not one[2].done]
                heapq.heapify(self._heap)
                self._most = 2 * len(self._heap) + FEW
            heapq.heappush(self._heap, (deadline, next(self._count), guard))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="query-watchdog", daemon=True)
                self._thread.start()
            elif earliest:
                self._wake.notify()

    def _run(self) -> None:
        while (guard := self._next_due()) is not None:
            if guard.fire():
                self._add(time.monotonic() + AGAIN_S, guard)

    def _next_due(self) -> Guard | None:
        """The next guard whose deadline has passed, waiting for it; None once closed."""
        with self._wake:
            while not self._closed:
                while self._heap and self._heap[0][2].done:
                    heapq.heappop(self._heap)
                if self._heap and self._heap[0][0] <= time.monotonic():
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
            return None
