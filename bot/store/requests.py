"""Which of Slack's requests were taken already, by any process. Keeps hashes, no request."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import delete, select

from bot.store.database import Database
from bot.store.tables import requests as t


class Requests:
    def __init__(self, database: Database) -> None:
        self._database = database

    def first(self, name: str, now: datetime) -> bool:
        """Remembers it. Whether it is new: of all who ask at once, in any process, one is told yes."""
        insert = self._database.insert(t).values(hash=_hash(name), at=now)
        with self._database.write() as c:
            return c.execute(insert.on_conflict_do_nothing().returning(t.c.hash)).first() is not None

    def known(self, name: str) -> bool:
        with self._database.read() as c:
            return c.execute(select(t.c.hash).where(t.c.hash == _hash(name))).first() is not None

    def prune(self, before: datetime) -> int:
        """Forgets what was taken before then. A request may come again for ten minutes, an event for six."""
        with self._database.write() as c:
            return c.execute(delete(t).where(t.c.at < before)).rowcount


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()
