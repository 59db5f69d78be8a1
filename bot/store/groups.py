"""Who is in Slack's user groups, as it was last read: known to all processes, and while Slack is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables_shifts import groups as t

Names = Mapping[str, str]  # Slack id -> name


class Groups:
    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, Names]:
        """The members of every group that was ever read."""
        with self._database.read() as c:
            return {row.id: dict(map(tuple, row.members)) for row in c.execute(select(t.c.id, t.c.members))}

    def read_at(self) -> dict[str, datetime]:
        with self._database.read() as c:
            return {row.id: row.read_at for row in c.execute(select(t.c.id, t.c.read_at))}

    def keep(self, group: str, members: Names, now: datetime) -> None:
        values = {"members": [[slack, name] for slack, name in members.items()], "read_at": now}
        insert = self._database.insert(t).values(id=group, **values)
        with self._database.write() as c:
            c.execute(insert.on_conflict_do_update(index_elements=[t.c.id], set_=values))
