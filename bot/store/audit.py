"""What the auditor compares of every open alert: columns and cards, without the bodies that it knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Select, and_, bindparam, func, select, update

from bot.core.message import MessageState
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.tables import HOLDS_KEY, UNDONE, effects, history
from bot.store.tables import alerts as t
from bot.store.tables import messages as m


@dataclass(frozen=True)
class Standing:
    """An open alert's columns, and how its card and its effects stand."""

    id: int
    version: int
    policy: str
    lane: str
    due_at: datetime | None
    waiting_since: datetime
    carded: bool
    parked: bool
    error: str
    effect_since: datetime | None  # the oldest change of which an effect has not ended


class Audit:
    def __init__(self, database: Database) -> None:
        self._database = database

    def open_ids(self) -> list[int]:
        """All open alerts; read from the index of those that are due."""
        with self._database.read() as c:
            return sorted(c.execute(select(t.c.id).where(HOLDS_KEY)).scalars())

    def standing(self, ids: Collection[int]) -> list[Standing]:
        """Those of them that are open, by id. At most a thousand at a time."""
        with self._database.read() as c:
            return [
                Standing(
                    r.id,
                    r.version,
                    r.policy,
                    r.lane,
                    r.due_at,
                    r.waiting_since,
                    r.ts is not None,
                    r.state == MessageState.parked.value,
                    r.error or "",
                    r.effect_since,
                )
                for r in c.execute(STANDING, {"ids": list(ids)})
            ]

    def mend_due(self, alert_id: int, version: int, was: datetime | None, due_at: datetime) -> bool:
        """Sets the time by which the sweep finds the alert, where it still is as it was read."""
        same = and_(t.c.id == alert_id, t.c.version == version, t.c.due_at.is_not_distinct_from(was))
        with self._database.write() as c:
            return c.execute(update(t).where(same, HOLDS_KEY).values(due_at=due_at)).rowcount == 1


def _standing() -> Select[object]:
    ids = bindparam("ids", expanding=True, type_=BigInteger)
    waiting = (
        select(effects.c.alert_id, func.min(history.c.at, type_=Moment).label("effect_since"))
        .join(history, and_(history.c.alert_id == effects.c.alert_id, history.c.seq == effects.c.change_seq))
        .where(effects.c.alert_id.in_(ids), UNDONE)
        .group_by(effects.c.alert_id)
        .subquery()
    )
    columns = (t.c.id, t.c.version, t.c.policy, t.c.lane, t.c.due_at, t.c.waiting_since)
    return (
        select(*columns, m.c.ts, m.c.state, m.c.error, waiting.c.effect_since)
        .join_from(t, m, and_(m.c.alert_id == t.c.id, m.c.effect_id.is_(None)), isouter=True)
        .join(waiting, waiting.c.alert_id == t.c.id, isouter=True)
        .where(HOLDS_KEY, t.c.id.in_(ids))
        .order_by(t.c.id)
    )


STANDING = _standing()
