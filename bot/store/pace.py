"""When the next message may go: turns that keep their distance among all processes, and rests that Slack asks
for. Also moments that all processes know by a name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, or_, select

from bot.store.codec import microseconds
from bot.store.database import Database
from bot.store.tables import pacing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FREE_AT = select(pacing.c.free_at_us).where(pacing.c.name == bindparam("its_name"))
FARTHEST = timedelta(minutes=15)  # a turn farther off than that comes of a clock that was wrong: it is free


class Pace:
    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self, name: str, now: datetime, gap: timedelta) -> datetime:
        """`now`, where this turn was free and is ours: the next is free `gap` later. Else when it will be."""
        at = _stamp(now)
        taken = {"name": name, "free_at_us": at + microseconds(gap), "at": at}
        with self._database.write() as c:
            if c.execute(self._take(), {**taken, "farthest": at + microseconds(FARTHEST)}).first():
                return now
            return _moment(c.execute(FREE_AT, {"its_name": name}).scalar_one())

    def _take(self) -> Any:
        def build() -> Any:
            insert = self._database.insert(pacing)
            at, far = (bindparam(n, type_=pacing.c.free_at_us.type) for n in ("at", "farthest"))
            free = or_(pacing.c.free_at_us <= at, pacing.c.free_at_us > far)
            aim = {"free_at_us": insert.excluded.free_at_us}
            take = insert.on_conflict_do_update(index_elements=[pacing.c.name], set_=aim, where=free)
            return take.returning(pacing.c.name)

        return self._database.statement("take a turn", build)

    def rest(self, name: str, until: datetime) -> None:
        """Nobody gets a turn before then."""
        at = _stamp(until)
        insert = self._database.insert(pacing).values(name=name, free_at_us=at)
        later = case((pacing.c.free_at_us > at, pacing.c.free_at_us), else_=at)
        with self._database.write() as c:
            c.execute(
                insert.on_conflict_do_update(index_elements=[pacing.c.name], set_={"free_at_us": later})
            )

    def note(self, name: str, at: datetime) -> None:
        """Keeps a moment under a name that no turn has."""
        insert = self._database.insert(pacing).values(name=name, free_at_us=_stamp(at))
        changed = {"free_at_us": insert.excluded.free_at_us}
        with self._database.write() as c:
            c.execute(insert.on_conflict_do_update(index_elements=[pacing.c.name], set_=changed))

    def noted(self, name: str) -> datetime | None:
        query = select(pacing.c.free_at_us).where(pacing.c.name == name)
        with self._database.read() as c:
            found = c.execute(query).scalar()
        return None if found is None else _moment(found)


def _stamp(at: datetime) -> int:
    return microseconds(at - EPOCH)


def _moment(stamp: int) -> datetime:
    return EPOCH + timedelta(microseconds=stamp)
