"""What channels are told that is of no one alert, until it stands there. Posted as every message is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, cast, insert, select, update

from bot.core.message import LOOK_APART, Message
from bot.store.database import Database
from bot.store.outbox import message_of
from bot.store.queues import MESSAGE, workable
from bot.store.tables import UNTOLD
from bot.store.tables import messages as m
from bot.store.tables import notices as t

WAITING = (
    select(*t.c, *MESSAGE)
    .join_from(t, m, m.c.delivery == "notice-" + cast(t.c.id, String), isouter=True)
    .where(UNTOLD, workable())
    .order_by(t.c.id)
    .limit(50)
)


@dataclass(frozen=True)
class Notice:
    """A sentence for a channel, by which those named in `to` are told and nobody else is pinged."""

    channel: str
    text: str
    to: tuple[str, ...] = ()
    id: int = 0
    at: datetime | None = None

    @property
    def delivery(self) -> str:
        return f"notice-{self.id}"


class Notices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, notices: Iterable[Notice], now: datetime) -> None:
        with self._database.write() as c:
            write_notices(c, notices, now)

    def waiting(self, now: datetime) -> list[tuple[Notice, Message | None]]:
        """Those that do not stand yet and may be worked on now, the oldest first."""
        asked: dict[str, Any] = {"now": now, "looked_before": now - LOOK_APART}
        with self._database.read() as c:
            return [
                (Notice(row.channel, row.text, tuple(row.to), row.id, row.at), message_of(row))
                for row in c.execute(WAITING, asked)
            ]

    def end(self, notice_id: int, now: datetime) -> bool:
        """It stands in Slack, or never will."""
        with self._database.write() as c:
            return c.execute(update(t).where(t.c.id == notice_id, UNTOLD).values(ended_at=now)).rowcount == 1


def write_notices(c: Connection, notices: Iterable[Notice], now: datetime) -> None:
    rows = [
        {"channel": one.channel, "text": one.text, "to": list(one.to), "at": now}
        for one in notices
        if one.channel
    ]
    if rows:
        c.execute(insert(t), rows)
