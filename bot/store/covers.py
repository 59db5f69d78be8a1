"""Who is on call for a while instead of who would be. A row is changed once at most: when it is ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import insert, select, update

from bot.core.cover import Cover
from bot.core.notice import Notice
from bot.store.database import Database
from bot.store.notices import add_notices
from bot.store.tables_shifts import covers


class Covers:
    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, at: datetime) -> tuple[Cover, ...]:
        """Those that have not ended by then, the first recorded first."""
        query = select(covers).where(covers.c.end > at).order_by(covers.c.id)
        with self._database.read() as c:
            found = [Cover(**row) for row in c.execute(query).mappings()]
        return tuple(cover for cover in found if cover.until > at)

    def get(self, cover_id: int) -> Cover | None:
        with self._database.read() as c:
            row = c.execute(select(covers).where(covers.c.id == cover_id)).mappings().first()
        return Cover(**row) if row else None

    def add(self, cover: Cover, told: Sequence[Notice], now: datetime) -> Cover:
        """The cover with its id; `told` are kept with it, their keys made unique by that id."""
        values = {name: value for name, value in asdict(cover).items() if name != "id"}
        with self._database.write() as c:
            made = c.execute(insert(covers).values(values).returning(covers.c.id)).scalar_one()
            named = [replace(one, key=f"cover-{made}-{one.key}") for one in told]
            add_notices(self._database, c, named, now)
        return replace(cover, id=made)

    def end(self, cover: Cover, by: str, told: Sequence[Notice], now: datetime) -> bool:
        """Ends it before its time. False: it has ended."""
        free = (covers.c.id == cover.id, covers.c.ended_at.is_(None), covers.c.end > now)
        with self._database.write() as c:
            change = update(covers).where(*free).values(ended_at=now, ended_by=by)
            if c.execute(change).rowcount != 1:
                return False
            named = [replace(one, key=f"cover-{cover.id}-ended-{one.key}") for one in told]
            add_notices(self._database, c, named, now)
            return True
