"""Notices a wall clock that is put forward or back while we run. Mends nothing itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.log import get

log = get("clock")

LOOK_S = 1.0
JUMP = timedelta(seconds=10)  # what is less, leases and slots bear


class ClockWatch:
    """Holds the wall's clock against one that only ever goes on. Slow drift is no jump."""

    def __init__(
        self, clock: Callable[[], datetime], jumped: Callable[[timedelta], bool], look_s: float = LOOK_S
    ) -> None:
        self._clock = clock
        self._jumped = jumped  # told by how much; False: it could not be seen to yet, tell again
        self._look_s = look_s
        self._stopping = threading.Event()
        self._apart = self._now_apart()
        self._untold = timedelta()
        self._thread = threading.Thread(target=self._watch, name="clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _now_apart(self) -> timedelta:
        """Of a wall that goes on evenly this stays the same."""
        return timedelta(seconds=self._clock().timestamp() - time.monotonic())

    def _watch(self) -> None:
        while not self._stopping.wait(self._look_s):
            try:
                self.look()
            except Exception:
                log.exception("the clock could not be seen to")  # and is looked at again in a second

    def look(self) -> None:
        now = self._now_apart()
        by, self._apart = now - self._apart, now
        if abs(by) >= JUMP:
            self._untold += by
        if self._untold and self._jumped(self._untold):
            self._untold = timedelta()
