"""Finding and erasing what is kept of somebody: words and values go, counts and the audit's chain stay."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, delete, func, or_, select, update
from sqlalchemy.sql.schema import Table

from bot.core.alert import Alert
from bot.core.erasure import ERASED, Entity, erased, erased_record
from bot.core.trail import Line
from bot.store.alerts import ALERTS, alert_of
from bot.store.changes import columns
from bot.store.codec import unpack_values
from bot.store.database import Database
from bot.store.tables import UNDONE, alerts, effects, evidence, history, job_runs, notices, seen, snoozes
from bot.store.tables_jobs import sightings
from bot.store.tables_of_people import approvals, audit
from bot.store.tables_shifts import handoffs
from bot.store.tables_snoozes import alert_entities, asks
from bot.store.trail import add_lines

OF_ENTITIES = ("snooze_entity", "wake")  # acts whose lines name whom they are about in their words


@dataclass(frozen=True)
class Traces:
    """What is kept of an entity: `about` are alerts whose key or rows name it; `open` ones are in work."""

    about: tuple[Alert, ...] = ()
    rows: int = 0  # of evidence
    history: int = 0
    audit: int = 0
    jobs: tuple[int, ...] = ()
    approvals: tuple[int, ...] = ()
    memory: int = 0  # rows remembered for counting distinct values

    @property
    def open(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.about if alert.is_open)

    @property
    def resolved(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.about if not alert.is_open)

    @property
    def nothing(self) -> bool:
        return not (self.about or self.jobs or self.approvals or self.memory)


class Erasing:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, entity: Entity) -> Traces:
        """Reads whatever may name it; changes nothing."""
        with self._database.read() as c:
            by_row = self._by_rows(c, entity)
            found = [
                alert
                for alert in self._alerts(c, entity, by_row)
                if alert.id in by_row or entity.within(alert.key_values) or entity.within(alert.newest)
            ]
            ids = [alert.id for alert in found]
            return Traces(
                about=tuple(sorted(found, key=lambda alert: alert.id)),
                rows=_count(c, evidence, evidence.c.alert_id, ids),
                history=_count(c, history, history.c.alert_id, ids),
                audit=_count(c, audit, audit.c.alert_id, ids),
                jobs=self._with_params(c, job_runs, entity, ids),
                approvals=self._with_params(c, approvals, entity, ids),
                memory=c.execute(
                    select(func.count()).select_from(seen).where(seen.c.value == entity.value)
                ).scalar_one(),
            )

    def _by_rows(self, c: Connection, entity: Entity) -> set[int]:
        """Alerts of which some row of evidence names it."""
        query = select(evidence.c.alert_id, evidence.c.row).where(_may_hold(evidence.c.row, entity))
        return {row.alert_id for row in c.execute(query) if entity.within(unpack_values(row.row))}

    def _alerts(self, c: Connection, entity: Entity, by_row: Iterable[int]) -> Iterator[Alert]:
        wanted = or_(_may_hold(alerts.c.body, entity), alerts.c.id.in_(list(by_row)))
        query: Any = ALERTS.where(wanted)
        for row in c.execute(query):
            yield alert_of(row)

    def _with_params(
        self, c: Connection, table: Table, entity: Entity, ids: Sequence[int]
    ) -> tuple[int, ...]:
        t = table.c
        query = select(t.id, t.params, t.alert_id).where(
            or_(_may_hold(t.params, entity), t.alert_id.in_(list(ids)))
        )
        return tuple(
            row.id
            for row in c.execute(query)
            if row.alert_id in ids or entity.within(unpack_values(row.params))
        )

    # ------------------------------------------------------------------- erasing

    def erase(self, entity: Entity, found: Traces, line: Line, now: datetime) -> Iterator[int]:
        """Erases it, an alert at a time, after the audit's line; gives the id of each. What is open stays.

        Whoever is killed in the middle does it again: what is left is found as before.
        """
        with self._database.write() as c:
            add_lines(c, [line])
            self._beside(c, entity, found)
        for alert in found.resolved:
            if self._alert(alert.id, now):
                yield alert.id

    def _beside(self, c: Connection, entity: Entity, found: Traces) -> None:
        open_ids = [alert.id for alert in found.open]
        for table, ids in ((job_runs, found.jobs), (approvals, found.approvals)):
            done = or_(table.c.alert_id.is_(None), table.c.alert_id.not_in(open_ids))
            gone: dict[str, Any] = {"params": {}}
            gone |= {"outcome": ERASED, "link": None, "tail": None} if table is job_runs else {"why": ""}
            over = job_runs.c.ended_at.is_not(None) if table is job_runs else approvals.c.state != "waiting"
            c.execute(update(table).where(table.c.id.in_(list(ids)), done, over).values(gone))
        c.execute(delete(asks).where(_may_hold(asks.c.what, entity)))
        over_by_now = (snoozes.c.alert_id.is_(None), snoozes.c.ended_at.is_not(None))
        c.execute(delete(snoozes).where(*over_by_now, _may_hold(snoozes.c.match, entity)))
        named = sightings.c.outcome.contains(entity.value, autoescape=True)
        c.execute(update(sightings).where(named).values(outcome=ERASED))
        self._told(c, entity, frozenset(alert.id for alert in found.resolved))
        stand_in = f"{ERASED}-{secrets.token_hex(6)}"  # for counting only whether two are the same matters
        c.execute(update(seen).where(seen.c.value == entity.value).values(value=stand_in))

    def _told(self, c: Connection, entity: Entity, gone: frozenset[int]) -> None:
        """What was told or kept of it beside its alerts: snoozes that began and ended, handoffs of shifts."""
        named = re.compile(rf"(?<![\w-])(?:\w+:)?{re.escape(entity.value)}(?![\w-])")
        lines = select(audit.c.id, audit.c.words).where(
            audit.c.deed.in_(OF_ENTITIES), audit.c.alert_id.is_(None)
        )
        for line in c.execute(lines.where(audit.c.words.contains(entity.value, autoescape=True))).all():
            if named.search(line.words):
                c.execute(update(audit).where(audit.c.id == line.id).values(words=None, salt=None))
        said = select(notices).where(notices.c.state != "pending", _may_hold(notices.c.body, entity))
        for row in c.execute(said).all():
            if named.search(str(row.body.get("text") or "")):
                left = {**row.body, "text": ERASED}
                c.execute(update(notices).where(notices.c.id == row.id).values(body=left))
        for row in c.execute(select(handoffs).where(_may_hold(handoffs.c.body, entity))).all():
            left = {**row.body, "burden": _without(row.body["burden"], gone)}
            c.execute(update(handoffs).where(handoffs.c.id == row.id).values(body=left))

    def _alert(self, alert_id: int, now: datetime) -> bool:
        """One alert with all that belongs to it; False where somebody opened it again meanwhile."""
        with self._database.write() as c:
            query: Any = ALERTS.where(alerts.c.id == alert_id)
            row = c.execute(query).first()
            alert = alert_of(row) if row else None
            if alert is None or alert.is_open:
                return False
            left = {**columns(erased(alert)), "waiting_since": now, "evidence_columns": None}
            c.execute(update(alerts).where(alerts.c.id == alert_id).values(left))
            c.execute(delete(evidence).where(evidence.c.alert_id == alert_id))
            c.execute(delete(alert_entities).where(alert_entities.c.alert_id == alert_id))
            c.execute(update(snoozes).where(snoozes.c.alert_id == alert_id).values(why=""))
            self._history(c, alert_id)
            self._effects(c, alert_id, now)
            gone = update(audit).where(audit.c.alert_id == alert_id)
            c.execute(gone.values(words=None, salt=None))
            return True

    def _history(self, c: Connection, alert_id: int) -> None:
        lines = c.execute(select(history.c.seq, history.c.action).where(history.c.alert_id == alert_id)).all()
        for line in lines:
            mine = (history.c.alert_id == alert_id, history.c.seq == line.seq)
            left = {"story": ERASED, "action": erased_record(line.action)}
            c.execute(update(history).where(*mine).values(left))

    def _effects(self, c: Connection, alert_id: int, now: datetime) -> None:
        """What was not said yet is not said any more."""
        mine = effects.c.alert_id == alert_id
        dropped = {"state": "dropped", "result": ERASED, "ended_at": now, "lease_until": None}
        c.execute(update(effects).where(mine, UNDONE).values(dropped))
        for effect in c.execute(select(effects.c.id, effects.c.body).where(mine)).all():
            left = {**effect.body, "text": "", "data": {}}
            c.execute(update(effects).where(effects.c.id == effect.id).values(body=left))


def _without(burden: Mapping[str, Any], gone: frozenset[int]) -> dict[str, Any]:
    """What was handed over, without the titles of these alerts."""
    kinds = ("waiting", "taken", "snoozed", "late")
    return {
        kind: [{**one, "title": ERASED} if one["alert"] in gone else one for one in part]
        if kind in kinds
        else part
        for kind, part in burden.items()
    }


def _may_hold(column: ColumnElement[Any], entity: Entity) -> ColumnElement[bool]:
    """Whether the JSON may name the value; what it really says is judged by who reads it."""
    inside = json.dumps(entity.value)[1:-1]
    return cast(column, Text).contains(inside, autoescape=True)


def _count(c: Connection, table: Table, column: ColumnElement[Any], ids: Sequence[int]) -> int:
    return c.execute(select(func.count()).select_from(table).where(column.in_(list(ids)))).scalar_one()
