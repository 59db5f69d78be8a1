"""Whether the store can be written to, as its own writes found it; and what of that is still to be said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

CALM_S = 5.0  # without a failure, before one success is believed
STILL_S = 600.0  # after so long an outage is said again


@dataclass(frozen=True)
class News:
    """What is to be said now: `why` the store is away, or nothing where it is back; for how long it was."""

    why: str
    seconds: float


class Outage:
    """Begins with a failure, ends with a write that succeeds some time after the last one. Thread-safe.

    A read that succeeds ends nothing: a locked or full store can be read.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.why = ""  # the last failure, in words; empty while all is well
        self._clock = clock
        self._lock = threading.Lock()
        self._began = self._failed_at = self._said_at = 0.0
        self._untold: News | None = None

    def failed(self, why: str) -> None:
        with self._lock:
            now = self._clock()
            if not self.why:
                self._began = self._said_at = now
                self._untold = News(why, 0.0)
            self.why, self._failed_at = why, now

    def worked(self) -> None:
        if not self.why:  # what every write comes by costs nothing
            return
        with self._lock:
            now = self._clock()
            if self.why and now - self._failed_at >= CALM_S:
                self.why = ""
                self._untold = News("", now - self._began)

    def news(self) -> News | None:
        """Each beginning and each end once, and every ten minutes that it still lasts."""
        with self._lock:
            now, told = self._clock(), self._untold
            if told is None and self.why and now - self._said_at >= STILL_S:
                self._said_at, told = now, News(self.why, now - self._began)
            self._untold = None
            return told
