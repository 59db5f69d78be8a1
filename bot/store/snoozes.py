"""Snoozes of entities and policies, and what was asked for and waits for a yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from bot.core.notice import Notice
from bot.core.snooze import Scope, ScopeSnooze, Target
from bot.store.codec import pack_values, unpack_values
from bot.store.database import Database
from bot.store.notices import add_notices
from bot.store.tables import COPIES, SCOPED, STILL_ON
from bot.store.tables import snoozes as t
from bot.store.tables_snoozes import asks
from sensors.model.policy import Severity

ON = select(t).where(SCOPED, STILL_ON).order_by(t.c.id)
_SCOPE = t.alias("scope")
STRAY = (  # copies of a snooze that was ended before its time
    select(t.c.alert_id, _SCOPE)
    .join(_SCOPE, _SCOPE.c.id == t.c.of_id)
    .where(t.c.of_id.is_not(None), t.c.ended_at.is_(None), _SCOPE.c.ended_by.is_not(None))
    .order_by(t.c.alert_id)
)


class Snoozes:
    def __init__(self, database: Database) -> None:
        self._database = database

    def on(self) -> list[ScopeSnooze]:
        """Those of entities and policies that have not ended."""
        with self._database.read() as c:
            return [_snooze(row) for row in c.execute(ON)]

    def of(self, target: Target, limit: int = 20) -> list[ScopeSnooze]:
        """All that there were of it, the newest first."""
        mine = select(t).where(SCOPED, t.c.scope == target.scope.value).order_by(t.c.id.desc())
        with self._database.read() as c:
            found = (_snooze(row) for row in c.execute(mine))
            return [one for one in found if one.target == target][:limit]

    def begin(self, snooze: ScopeSnooze, notices: Iterable[Notice], now: datetime) -> ScopeSnooze:
        """It is on; one of the same target that was on is replaced by it. With the id that it got."""
        match = {snooze.target.scope.value: snooze.target.name}
        row = {
            "scope": snooze.target.scope.value,
            "match": match,
            "until": snooze.until,
            "ceiling": int(snooze.ceiling),
            "by": snooze.by,
            "why": snooze.why,
            "since": snooze.since,
        }
        with self._database.write() as c:
            for other in c.execute(ON).all():
                if _snooze(other).target == snooze.target:
                    over = {"ended_at": now, "ended_by": snooze.by}
                    c.execute(update(t).where(t.c.id == other.id).values(over))
            found = c.execute(insert(t).values(row).returning(t)).one()
            add_notices(self._database, c, notices, now)
            return _snooze(found)

    def end(self, snooze_id: int, by: str | None, notices: Iterable[Notice], now: datetime) -> bool:
        """It is over: by hand, or (None) since its time is. False: somebody else has ended it."""
        mine = update(t).where(t.c.id == snooze_id, SCOPED, STILL_ON)
        with self._database.write() as c:
            ended = c.execute(mine.values(ended_at=now, ended_by=by)).rowcount == 1
            if ended:
                add_notices(self._database, c, notices, now)
            return ended

    def hid(self, snooze_id: int) -> list[int]:
        """The alerts that it has covered, by id."""
        mine = select(t.c.alert_id).where(t.c.of_id == snooze_id, COPIES).distinct().order_by(t.c.alert_id)
        with self._database.read() as c:
            return list(c.execute(mine).scalars())

    def stray(self) -> list[tuple[int, ScopeSnooze]]:
        """Alerts that are still quiet under a snooze that was ended early."""
        with self._database.read() as c:
            return [(row[0], _snooze(row, 1)) for row in c.execute(STRAY)]

    def of_alerts(self, alert_ids: Iterable[int]) -> list[ScopeSnooze]:
        """Those that have covered any of these alerts, the newest first."""
        ids = select(t.c.of_id).where(t.c.alert_id.in_(list(alert_ids)), COPIES)
        with self._database.read() as c:
            return [
                _snooze(row) for row in c.execute(select(t).where(t.c.id.in_(ids)).order_by(t.c.id.desc()))
            ]

    # --------------------------------------------------------------------- asks

    def ask(self, by: str, what: Mapping[str, Any], now: datetime) -> int:
        """Keeps what was asked for until it is confirmed; the number by which it can be."""
        row = {"by": by, "at": now, "what": pack_values(what)}
        with self._database.write() as c:
            return int(c.execute(insert(asks).values(row).returning(asks.c.id)).scalar_one())

    def prune(self, before: datetime) -> int:
        """Forgets what was asked before then; how much that was."""
        with self._database.write() as c:
            return c.execute(delete(asks).where(asks.c.at < before)).rowcount

    def take(self, ask_id: int, by: str, since: datetime, now: datetime) -> dict[str, Any] | None:
        """What this person asked for since then: once. None where that is not so, or was taken."""
        his = and_(asks.c.id == ask_id, asks.c.by == by, asks.c.at >= since, asks.c.ended_at.is_(None))
        with self._database.write() as c:
            found = c.execute(update(asks).where(his).values(ended_at=now).returning(asks.c.what)).first()
        return dict(unpack_values(found.what)) if found else None


def rename_target(c: Connection, old: str, new: str) -> None:
    """Snoozes of a policy go on under its new name."""
    for row in c.execute(ON).all():
        if _snooze(row).target == Target(Scope.policy, old):
            c.execute(update(t).where(t.c.id == row.id).values(match={Scope.policy.value: new}))


def _snooze(row: Row[Any], first: int = 0) -> ScopeSnooze:
    """From the columns of the row, beginning at `first`."""
    r = dict(zip((column.name for column in t.c), tuple(row)[first:], strict=True))
    scope = Scope(r["scope"])
    return ScopeSnooze(
        target=Target(scope, str((r["match"] or {}).get(scope.value, ""))),
        until=r["until"],
        by=r["by"],
        why=r["why"],
        since=r["since"],
        ceiling=Severity(r["ceiling"]),
        id=r["id"],
        ended_at=r["ended_at"],
        ended_by=r["ended_by"] or "",
    )
