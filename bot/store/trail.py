"""The audit in the store: lines are added and never changed; a seal is made by one process at a time."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from bot.core.trail import AT_ONCE, Kept, Line, Seal, sealed, words_hash
from bot.store.database import Database
from bot.store.tables_of_people import UNSEALED, audit_seals
from bot.store.tables_of_people import audit as t

FIELDS = ("at", "by", "via", "channel", "deed", "about", "outcome", "words")
NEW = insert(t)
LAST = select(audit_seals).order_by(audit_seals.c.number.desc()).limit(1)
SEALS = update(t).where(t.c.id == bindparam("its_id"), UNSEALED).values(seal=bindparam("number"))


class Trail:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *lines: Line) -> None:
        """Acts that change nothing else here, or of which nothing came."""
        with self._database.write() as c:
            add_lines(c, lines)

    def seal(self, now: datetime) -> Seal | None:
        """Seals what is not sealed yet; None where there is nothing, or another process is at it."""
        with self._database.read() as c:
            if c.execute(select(t.c.id).where(UNSEALED).limit(1)).first() is None:
                return None
        with self._database.write() as c:
            last = c.execute(LAST).first()
            lines = [
                _kept(row) for row in c.execute(select(t).where(UNSEALED).order_by(t.c.id).limit(AT_ONCE))
            ]
            if not lines:
                return None
            seal = sealed(lines, _seal(last) if last else None, now)
            values = {name: getattr(seal, name) for name in ("number", "at", "previous", "hash")}
            new = self._database.insert(audit_seals).values(**values, lines=[list(one) for one in seal.lines])
            if c.execute(new.on_conflict_do_nothing().returning(audit_seals.c.number)).first() is None:
                return None
            c.execute(SEALS, [{"its_id": kept.id, "number": seal.number} for kept in lines])
            return seal

    def last(self) -> Seal | None:
        with self._database.read() as c:
            row = c.execute(LAST).first()
        return _seal(row) if row else None

    def seals(self) -> Iterator[Seal]:
        """In their order, few at a time."""
        after = 0
        while True:
            query = select(audit_seals).where(audit_seals.c.number > after)
            with self._database.read() as c:
                found = [_seal(row) for row in c.execute(query.order_by(audit_seals.c.number).limit(200))]
            if not found:
                return
            yield from found
            after = found[-1].number

    def of_seal(self, number: int) -> list[Kept]:
        with self._database.read() as c:
            return [_kept(row) for row in c.execute(select(t).where(t.c.seal == number).order_by(t.c.id))]

    def strays(self) -> list[tuple[int, int]]:
        """Lines that name a seal that is not there, each with the seal."""
        known = select(audit_seals.c.number)
        with self._database.read() as c:
            found = c.execute(
                select(t.c.id, t.c.seal).where(t.c.seal.is_not(None), t.c.seal.not_in(known)).order_by(t.c.id)
            )
            return [(row.id, row.seal) for row in found]

    def counts(self) -> Mapping[str, int]:
        """Lines in all, those not sealed yet, and those whose words were erased."""
        with self._database.read() as c:
            whole = c.execute(select(func.count()).select_from(t)).scalar_one()
            unsealed = c.execute(select(func.count()).select_from(t).where(UNSEALED)).scalar_one()
            erased = c.execute(select(func.count()).select_from(t).where(t.c.words.is_(None))).scalar_one()
        return {"lines": whole, "unsealed": unsealed, "erased": erased}

    def lines(self, start: datetime | None = None, end: datetime | None = None) -> Iterator[Kept]:
        """Those of a time, oldest first, few at a time."""
        begins = [t.c.at >= start] if start else []
        asked = [*begins, *([t.c.at < end] if end else [])]
        after = 0
        while True:
            query = select(t).where(t.c.id > after, *asked).order_by(t.c.id).limit(AT_ONCE)
            with self._database.read() as c:
                found = [_kept(row) for row in c.execute(query)]
            yield from found
            if len(found) < AT_ONCE:
                return
            after = found[-1].id


class LinesBySeal(Mapping[int, Sequence[Kept]]):
    """The lines of a seal, read when they are asked for."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def __getitem__(self, number: int) -> Sequence[Kept]:
        return self._trail.of_seal(number)

    def __iter__(self) -> Iterator[int]:
        return (seal.number for seal in self._trail.seals())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def add_lines(c: Connection, lines: Iterable[Line]) -> None:
    """As a part of the transaction in which what they tell of is done."""
    rows = []
    for line in lines:
        salt, words = secrets.token_hex(16), line.words or ""
        row = {name: getattr(line, name) for name in FIELDS}
        row |= {"words": words, "alert_id": line.alert, "seq": line.seq}
        rows.append({**row, "salt": salt, "words_hash": words_hash(words, salt)})
    if rows:
        c.execute(NEW, rows)


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    line = Line(**{name: getattr(row, name) for name in FIELDS}, alert=row.alert_id, seq=row.seq)
    return Kept(row.id, line, row.words_hash, row.salt, row.seal)


def _seal(row: Row[tuple[object, ...]]) -> Seal:
    lines = tuple((int(number), str(digest)) for number, digest in row.lines)
    return Seal(row.number, row.at, row.previous, lines, row.hash, row.pruned_at)
