"""What people ordered of policies for a while: pauses and other paces. Append-only, with an end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from bot.core.notice import Notice
from bot.core.order import Order, OrderKind
from bot.store.database import Database
from bot.store.notices import add_notices
from bot.store.tables import STILL_ON
from bot.store.tables_snoozes import orders as t

ON = select(t).where(STILL_ON).order_by(t.c.id)


class Orders:
    def __init__(self, database: Database) -> None:
        self._database = database

    def on(self) -> list[Order]:
        """Those that have not ended."""
        with self._database.read() as c:
            return [_order(row) for row in c.execute(ON)]

    def begin(self, order: Order, notices: Iterable[Notice], now: datetime) -> Order:
        """It is on, in the place of another of its kind. With the id that it got."""
        row = {
            "policy": order.policy,
            "kind": order.kind.value,
            "interval_s": order.interval.total_seconds() if order.interval else None,
            "until": order.until,
            "by": order.by,
            "why": order.why,
            "since": order.since,
        }
        same = (t.c.policy == order.policy, t.c.kind == order.kind.value, STILL_ON)
        with self._database.write() as c:
            c.execute(update(t).where(*same).values(ended_at=now, ended_by=order.by))
            found = c.execute(insert(t).values(row).returning(t)).one()
            add_notices(self._database, c, notices, now)
            return _order(found)

    def end(self, order_id: int, by: str | None, notices: Iterable[Notice], now: datetime) -> bool:
        """It is over: by hand, or (None) since its time is. False: somebody else has ended it."""
        with self._database.write() as c:
            mine = update(t).where(t.c.id == order_id, STILL_ON)
            ended = c.execute(mine.values(ended_at=now, ended_by=by)).rowcount == 1
            if ended:
                add_notices(self._database, c, notices, now)
            return ended


def _order(row: Row[Any]) -> Order:
    return Order(
        policy=row.policy,
        kind=OrderKind(row.kind),
        until=row.until,
        by=row.by,
        why=row.why,
        since=row.since,
        interval=timedelta(seconds=row.interval_s) if row.interval_s else None,
        id=row.id,
        ended_at=row.ended_at,
        ended_by=row.ended_by or "",
    )
