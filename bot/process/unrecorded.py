"""What was done outside and could not be written down, since the store went away in between. In memory only:
whoever starts anew finds out by looking."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bot.process.errors import StoreAway
from bot.process.log import get

log = get("unrecorded")
Write = Callable[[], object]


class Unrecorded:
    """Writes that wait for the store. Each must be safe to come late: it changes only what is as it was."""

    def __init__(self) -> None:
        self._waiting: dict[str, Write] = {}
        self._lock = threading.Lock()

    def record(self, name: str, write: Callable[[], bool]) -> bool:
        """Writes now; where the store is away, at the next `catch_up`. Raises StoreAway all the same."""
        try:
            return write()
        except StoreAway:
            self.keep(name, write)
            raise

    def keep(self, name: str, write: Write) -> None:
        """For the next `catch_up`."""
        with self._lock:
            self._waiting[name] = write

    def catch_up(self) -> None:
        """Writes what waits, in the order in which it happened. StoreAway while it is away still."""
        while waiting := next(iter(self._waiting.items()), None):
            name, write = waiting
            try:
                write()
            except StoreAway:
                raise
            except Exception:
                log.exception("not written down late", what=name)  # looking finds it out
            with self._lock:
                if self._waiting.get(name) is write:
                    del self._waiting[name]
