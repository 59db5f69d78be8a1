"""The ordered record of everything that happened: API calls, sockets, deliveries, deletions. Memory only."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from bot.sandbox.names import Json

KEEP = 30_000


class Journal:
    """Entries are numbered from 1; safe to write and read from any thread."""

    def __init__(self, keep: int = KEEP) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Json] = deque(maxlen=keep)
        self._n = 0

    def write(self, kind: str, at: float, **details: Any) -> Json:
        with self._lock:
            self._n += 1
            entry: Json = {"n": self._n, "at": at, "kind": kind, **details}
            self._entries.append(entry)
            return entry

    def since(self, n: int = 0) -> list[Json]:
        """Entries with a number above n, oldest first."""
        with self._lock:
            return [dict(entry) for entry in self._entries if entry["n"] > n]
