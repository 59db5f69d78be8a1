"""What is to be said beside alerts, once each by its key. How it stands in Slack, the messages tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, bindparam, literal_column, select, update

from bot.core.message import Message
from bot.core.notice import Notice
from bot.core.reply import Place
from bot.store.columns import free
from bot.store.database import Database
from bot.store.outbox import joined
from bot.store.queues import MESSAGE
from bot.store.tables import UNTOLD, notices
from bot.store.tables import messages as m

WAITING = (  # built once: it is asked several times a second
    select(notices, *MESSAGE)
    .join_from(notices, m, m.c.notice_id == notices.c.id, isouter=True)
    .where(notices.c.state == literal_column("'pending'"))
    .where(free(m.c.retry_at), free(m.c.lease_until))
    .order_by(notices.c.id)
    .limit(bindparam("limit", type_=Integer))
)


class Notices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, now: datetime, limit: int = 100) -> list[tuple[Notice, Message | None]]:
        """What is still to be said or edited and may be tried now, in order."""
        with self._database.read() as c:
            found = c.execute(WAITING, {"now": now, "limit": limit})
            return [(_notice(row), joined(row)) for row in found]

    def message(self, key: str) -> Message | None:
        """How the notice of this key stands in Slack."""
        query = select(*MESSAGE).join_from(notices, m, m.c.notice_id == notices.c.id)
        with self._database.read() as c:
            row = c.execute(query.where(notices.c.key == key)).first()
        return joined(row) if row else None

    def places(self, keys: Collection[str]) -> dict[str, Place]:
        """Where those of these keys stand that have been posted."""
        query = select(notices.c.key, m.c.channel, m.c.ts).join_from(
            notices, m, m.c.notice_id == notices.c.id
        )
        posted = query.where(notices.c.key.in_(list(keys)), m.c.ts.is_not(None))
        if not keys:
            return {}
        with self._database.read() as c:
            return {row.key: (row.channel, row.ts) for row in c.execute(posted)}

    def team_of(self, notice_id: int) -> str:
        """Which team is told by it."""
        with self._database.read() as c:
            return str(c.execute(select(notices.c.team).where(notices.c.id == notice_id)).scalar() or "")

    def has(self, key: str) -> bool:
        """Whether it has been asked for, told or not."""
        with self._database.read() as c:
            return c.execute(select(notices.c.id).where(notices.c.key == key)).first() is not None

    def say(self, wanted: Collection[Notice], now: datetime) -> None:
        """What nothing else is written with; each key once."""
        if wanted:
            with self._database.write() as c:
                add_notices(self._database, c, wanted, now)

    def end(self, notice: Notice, state: str, result: str = "") -> bool:
        """done or dropped, unless it has changed meanwhile."""
        same = and_(notices.c.id == notice.id, notices.c.seq == notice.seq, UNTOLD)
        with self._database.write() as c:
            change = update(notices).where(same).values(state=state, result=result)
            return c.execute(change).rowcount == 1


def add_notices(database: Database, c: Connection, wanted: Iterable[Notice], now: datetime) -> None:
    """Beside what they tell of, in its transaction; what was told under the same key is not told again."""
    for one in wanted:
        row = {"key": one.key, "team": one.team, "to": one.to, "body": dict(one.body), "seq": one.seq}
        insert = database.insert_or_leave(notices)
        c.execute(insert, {**row, "since": now, "state": "pending", "result": ""})


def changed(c: Connection, key: str) -> None:
    """People would see something else than stands there."""
    again = {"seq": notices.c.seq + 1, "state": "pending"}
    c.execute(update(notices).where(notices.c.key == key).values(again))


def _notice(row: Row[Any]) -> Notice:
    return Notice(row.key, row.team, row.to, row.body, row.id, row.seq, row.since)
