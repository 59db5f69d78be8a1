"""Handoffs of shifts: one of each, accepted once, the lead told once; with what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from bot.core.handoff import Burden, Handoff
from bot.core.notice import Notice
from bot.core.record import decode, encode
from bot.store.database import Database
from bot.store.notices import add_notices, changed
from bot.store.tables_shifts import handoffs as t


class Handoffs:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, handoff: Handoff, card: Callable[[Handoff], Notice]) -> Handoff | None:
        """The handoff with its id, and the notice that shows it; None where that of the shift is there."""
        values = {
            "team": handoff.team,
            "shift": handoff.shift,
            "at": handoff.at,
            "told_lead": False,
            "body": {
                "leaving": list(handoff.leaving),
                "taking": list(handoff.taking),
                "burden": encode(handoff.burden),
            },
        }
        with self._database.write() as c:
            made = c.execute(self._database.insert_or_leave(t), values).scalar()
            if made is None:
                return None
            kept = replace(handoff, id=made)
            add_notices(self._database, c, [card(kept)], handoff.at)
            return kept

    def get(self, handoff_id: int) -> Handoff | None:
        with self._database.read() as c:
            row = c.execute(select(t).where(t.c.id == handoff_id)).first()
        return _handoff(row) if row else None

    def known(self, team: str, shift: str) -> bool:
        query = select(t.c.id).where(t.c.team == team, t.c.shift == shift)
        with self._database.read() as c:
            return c.execute(query).first() is not None

    def accept(self, handoff: Handoff, by: str, now: datetime) -> bool:
        """False: somebody has accepted it before."""
        free = (t.c.id == handoff.id, t.c.accepted_at.is_(None))
        with self._database.write() as c:
            change = update(t).where(*free).values(accepted_by=by, accepted_at=now)
            if c.execute(change).rowcount != 1:
                return False
            changed(c, handoff.key)
            return True

    def unaccepted(self, before: datetime, after: datetime) -> list[Handoff]:
        """Those from between the two that nobody has accepted and no lead has been told of."""
        waits = (t.c.accepted_at.is_(None), t.c.told_lead.is_(False), t.c.at <= before, t.c.at > after)
        with self._database.read() as c:
            return [_handoff(row) for row in c.execute(select(t).where(*waits).order_by(t.c.id))]

    def tell_lead(self, handoff: Handoff, told: Notice, now: datetime) -> bool:
        """False: it has been accepted meanwhile, or the lead was told."""
        waits = (t.c.id == handoff.id, t.c.accepted_at.is_(None), t.c.told_lead.is_(False))
        with self._database.write() as c:
            if c.execute(update(t).where(*waits).values(told_lead=True)).rowcount != 1:
                return False
            add_notices(self._database, c, [told], now)
            return True


def _handoff(row: Row[Any]) -> Handoff:
    body = row.body
    return Handoff(
        row.id,
        row.team,
        row.shift,
        tuple(body["leaving"]),
        tuple(body["taking"]),
        row.at,
        decode(Burden, body["burden"]),
        row.accepted_by,
        row.accepted_at,
    )
