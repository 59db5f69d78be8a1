"""Notices a wall clock that is put forward or back while we run. Mends nothing itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.process.log import get

log = get("clock")

LOOK_S = 1.0
STEPS = timedelta(seconds=2)  # by which clocks are corrected while nobody notices


class Watch:
    """Whether the clock on the wall goes on as time does."""

    def __init__(self, wall: datetime) -> None:
        self._wall = wall
        self._ahead: list[tuple[datetime, timedelta]] = []  # right until then, and by how much it jumped

    def saw(self, wall: datetime, passed: timedelta) -> datetime | None:
        """Until when the clock had been right, where it has just gone back; `passed` since the last time."""
        before, self._wall = self._wall, wall
        jumped = wall - before - passed
        if jumped > STEPS:
            self._ahead.append((before, jumped))
        if jumped >= -STEPS:
            return None
        # a jump ahead that this does not take back was right: a machine that had slept
        taken_back = [right for right, by in self._ahead if by <= -2 * jumped]
        self._ahead.clear()
        return min([wall, *taken_back])


class ClockWatch:
    """Holds the wall's clock against one that only ever goes on. Slow drift is no jump."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        jumped: Callable[[timedelta, datetime | None], bool],
        look_s: float = LOOK_S,
    ) -> None:
        """`jumped` is told by how much, and until when a clock that went back had been right. False: it
        could not be seen to yet, tell again."""
        self._clock = clock
        self._jumped = jumped
        self._look_s = look_s
        self._stopping = threading.Event()
        self._wall, self._before = clock(), time.monotonic()
        self._watch = Watch(self._wall)
        self._untold: tuple[timedelta, datetime | None] | None = None
        self._thread = threading.Thread(target=self._go_on, name="clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _go_on(self) -> None:
        while not self._stopping.wait(self._look_s):
            try:
                self.look()
            except Exception:
                log.exception("the clock could not be seen to")  # and is looked at again in a second

    def look(self) -> None:
        wall, now = self._clock(), time.monotonic()
        passed = timedelta(seconds=now - self._before)
        by, right = wall - self._wall - passed, self._watch.saw(wall, passed)
        self._wall, self._before = wall, now
        if abs(by) > STEPS:
            before, was = self._untold or (timedelta(), None)
            self._untold = before + by, min(filter(None, (was, right)), default=None)
        if self._untold and self._jumped(*self._untold):
            self._untold = None
