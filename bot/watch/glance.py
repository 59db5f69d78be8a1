"""Sees within a tenth of a second that the warehouse has changed, where it says so for nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bot.process.log import get
from sensors.warehouse import Warehouse
from sensors.warehouse.able import Marked, mark

log = get("glance")

GLANCE_S = 0.1
ENDS_WITHIN_S = 10.0


class Glance:
    """A thread of its own, since most times there is nothing to do. What the clock says does not matter."""

    def __init__(self, warehouse: Warehouse, changed: Callable[[], object]) -> None:
        """`changed` is called once for each change, and never while it is at one."""
        self._warehouse = warehouse
        self._changed = changed
        self._mark = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="glance", daemon=True)

    def start(self) -> None:
        if isinstance(self._warehouse, Marked):
            self._thread.start()

    def stop(self) -> None:
        """What is being seen to is ended first."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(ENDS_WITHIN_S)

    def _go_on(self) -> None:
        rest = GLANCE_S
        while not self._stopping.wait(rest):
            began = time.monotonic()
            try:
                self.look()
            except Exception:
                log.exception("what a change of the warehouse makes due was not seen to")
            rest = max(GLANCE_S, time.monotonic() - began)  # at most half a core for one that always changes

    def look(self) -> None:
        found = mark(self._warehouse)
        if found not in ("", self._mark):
            self._mark = found
            self._changed()
