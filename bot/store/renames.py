"""All that is remembered of a policy goes over to its new name, in one transaction and once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update

from bot.core.alert import Alert
from bot.core.change import Change
from bot.store.alerts import alert_of
from bot.store.changes import write_changes
from bot.store.database import Database, in_parts
from bot.store.snoozes import rename_target
from bot.store.tables import RUNNING, alerts, ledger, policy_state, runs, seen
from bot.store.tables import renames as t
from bot.store.tables_backfills import backfill_stages
from bot.store.tables_snoozes import orders
from bot.store.tables_states import ran_for, states
from bot.store.values import RENAMED_AWAY
from sensors.model.graph import policy_ref


class Renames:
    def __init__(self, database: Database) -> None:
        self._database = database

    def carry(self, old: str, new: str, rename: Callable[[Alert], Change], now: datetime) -> bool:
        """Alerts, runs, watermark, row memory and ledger of `old` become those of `new`, if it has none.

        A process that still has the old files is left with a policy whose watermark lies beyond all time, so
        that it finds nothing; what it is running is taken from it. Raises Conflict where somebody clicked.
        """
        with self._database.write() as c:
            if not _known(c, old) or not self._free(c, new):
                return False
            row = {"old": old, "new": new, "at": now}
            first = self._database.insert(t).values(row).on_conflict_do_nothing().returning(t.c.old)
            if c.execute(first).first() is None:
                return False
            watermark = self._part_from(c, old)
            c.execute(insert(policy_state), {"policy": new, "watermark": watermark})
            c.execute(delete(runs).where(runs.c.policy == old, RUNNING))
            rename_target(c, old, new)
            for table in (runs, ledger, seen, orders, backfill_stages):
                c.execute(update(table).where(table.c.policy == old).values(policy=new))
            _rename_states(c, policy_ref(old), policy_ref(new))
            mine: Any = select(alerts.c.id, alerts.c.body).where(alerts.c.policy == old).order_by(alerts.c.id)
            changes = [rename(alert_of(found)) for found in c.execute(mine).all()]
            write_changes(self._database, c, changes, now)
            return True

    def _free(self, c: Connection, new: str) -> bool:
        """Whether the new name has no past of its own; one that has left it for another is forgotten."""
        if c.execute(select(t.c.old).where(t.c.old == new)).first():
            _forget(c, new)
        free = not _known(c, new)
        if free:
            c.execute(delete(policy_state).where(policy_state.c.policy == new))
        return free

    def _part_from(self, c: Connection, old: str) -> datetime | None:
        """The old name's watermark, which is then beyond all time."""
        held = select(policy_state.c.watermark).where(policy_state.c.policy == old).with_for_update()
        watermark = c.execute(held).scalar()
        new = self._database.insert(policy_state).values(policy=old, watermark=RENAMED_AWAY)
        gone = new.on_conflict_do_update(
            index_elements=[policy_state.c.policy], set_={"watermark": RENAMED_AWAY}
        )
        c.execute(gone)
        return watermark

    def gone(self, policies: Iterable[str]) -> dict[str, datetime]:
        """Those of them whose past went to another name, and when."""
        found: dict[str, datetime] = {}
        with self._database.read() as c:
            for part in in_parts(policies):
                found |= {r.old: r.at for r in c.execute(select(t.c.old, t.c.at).where(t.c.old.in_(part)))}
        return found

    def begin_anew(self, policy: str) -> None:
        """A policy of a name whose past went to another begins without one."""
        with self._database.write() as c:
            _forget(c, policy)


def _rename_states(c: Connection, old: str, new: str) -> None:
    """Its states, and what it ran for. Whoever runs after it does so once more under its new name."""
    for table, name in ((states, states.c.ref), (ran_for, ran_for.c.consumer)):
        c.execute(delete(table).where(name == new))
        c.execute(update(table).where(name == old).values({name.name: new}))


def _known(c: Connection, policy: str) -> bool:
    """Whether anything is remembered under this name."""
    tables: tuple[Table, ...] = (runs, alerts, seen, ledger)
    if any(c.execute(select(1).where(of.c.policy == policy).limit(1)).first() for of in tables):
        return True
    has = and_(policy_state.c.policy == policy, policy_state.c.watermark < RENAMED_AWAY)
    return c.execute(select(1).where(has)).first() is not None


def _forget(c: Connection, policy: str) -> None:
    """The traces of processes that went on under a name that had been left."""
    c.execute(delete(t).where(t.c.old == policy))
    c.execute(delete(policy_state).where(policy_state.c.policy == policy))
    c.execute(delete(runs).where(runs.c.policy == policy))
