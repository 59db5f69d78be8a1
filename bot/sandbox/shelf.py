"""Where a workspace's things are kept between runs: one SQLite file, or nowhere.

Survives a kill of the process, not of the machine.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any, Protocol


class Shelf(Protocol):
    def put(self, kind: str, key: str, value: Any, /) -> None: ...
    def drop(self, kind: str, key: str, /) -> None: ...
    def all(self, kind: str, /) -> list[tuple[str, Any]]: ...
    def close(self) -> None: ...


class NoShelf:
    """Keeps nothing: the workspace ends with the process."""

    def put(self, _kind: str, _key: str, _value: Any) -> None: ...
    def drop(self, _kind: str, _key: str) -> None: ...
    def all(self, _kind: str) -> list[tuple[str, Any]]:
        return []

    def close(self) -> None: ...


class FileShelf:
    """Every put is its own transaction in write-ahead mode, so what was answered is there after a kill.

    Things come back in the order in which they were first put.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "sandbox.db", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS thing (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))"
        )

    def put(self, kind: str, key: str, value: Any) -> None:
        text = json.dumps(value, separators=(",", ":"))
        self._db.execute(
            "INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
            (kind, key, text),
        )

    def drop(self, kind: str, key: str) -> None:
        self._db.execute("DELETE FROM thing WHERE kind = ? AND key = ?", (kind, key))

    def all(self, kind: str) -> list[tuple[str, Any]]:
        rows = self._db.execute("SELECT key, value FROM thing WHERE kind = ? ORDER BY rowid", (kind,))
        return [(key, json.loads(value)) for key, value in rows]

    def close(self) -> None:
        self._db.close()


def open_shelf(folder: str | Path | None) -> Shelf:
    return FileShelf(Path(folder)) if folder else NoShelf()
