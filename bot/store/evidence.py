"""Writing what runs found: the rows behind alerts, and which rows were looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bot.core.alert import Alert, Lane
from bot.core.reconcile import Seen
from bot.core.reply import Evidence
from bot.store.changes import hash_of
from bot.store.codec import pack_values
from bot.store.database import Database
from bot.store.tables import HOLDS_KEY, evidence, seen
from bot.store.tables import alerts as t
from bot.store.values import RunSave

# Statements are built once: what they cost is mostly their building.
ONE = update(t).where(t.c.id == bindparam("its_id"))
COLUMNS = bindparam("its_columns", type_=t.c.evidence_columns.type)
MORE_EVIDENCE = ONE.values(evidence_total=t.c.evidence_total + bindparam("more"), evidence_columns=COLUMNS)
OTHER_EVIDENCE = ONE.values(evidence_total=bindparam("more"), evidence_columns=COLUMNS)
NEW_ROW = insert(evidence)


def write_evidence(c: Connection, saved: Sequence[tuple[RunSave, Sequence[Alert]]]) -> None:
    """The rows behind alerts. Events add up, on the alert just changed or else on the open one of their key;
    the rows of a condition are those of the newest look that changed its alert."""
    heads: dict[bool, list[dict[str, Any]]] = {True: [], False: []}  # by whether they add up
    rows: list[dict[str, Any]] = []
    for one, alerts in saved:
        ids = _whose(c, one, alerts)
        heads[one.incremental] += [
            {"its_id": ids[key], "more": max(e.total, len(e.rows)), "its_columns": list(e.columns)}
            for key, e in one.evidence.items()
            if key in ids
        ]
        # the newest row is added last, so that the highest id is the newest of all
        rows += [
            {"alert_id": ids[key], "run_id": one.run.id, "row": pack_values(row)}
            for key, e in one.evidence.items()
            if key in ids
            for row in reversed(e.rows)
        ]
    for statement, found in ((MORE_EVIDENCE, heads[True]), (OTHER_EVIDENCE, heads[False])):
        if found:
            c.execute(statement, found)
    if gone := [head["its_id"] for head in heads[False]]:
        c.execute(delete(evidence).where(evidence.c.alert_id.in_(gone)))
    if rows:
        c.execute(NEW_ROW, rows)


def add_evidence(c: Connection, found: Mapping[str, Evidence], alerts: Sequence[Alert]) -> None:
    """Rows that no run found, on alerts just changed, beside those that are there."""
    wanted = [(alert.id, found[alert.key]) for alert in alerts if alert.key in found]
    heads = [{"its_id": n, "more": len(one.rows), "its_columns": list(one.columns)} for n, one in wanted]
    rows = [
        {"alert_id": n, "run_id": None, "row": pack_values(row)}
        for n, one in wanted
        for row in reversed(one.rows)
    ]
    if rows:
        c.execute(MORE_EVIDENCE, heads)
        c.execute(NEW_ROW, rows)


def _whose(c: Connection, one: RunSave, alerts: Sequence[Alert]) -> dict[str, int]:
    ids = {alert.key: alert.id for alert in alerts}
    if one.incremental:
        missing = [key for key in one.evidence if key not in ids]
        ids |= _holders(c, one.run.policy, missing, one.lane)
    return ids


def _holders(c: Connection, policy: str, keys: Sequence[str], lane: Lane | None) -> dict[str, int]:
    if not keys:
        return {}
    by_hash = {hash_of(key): key for key in keys}
    held = select(t.c.id, t.c.key_hash).where(t.c.policy == policy, t.c.key_hash.in_(by_hash), HOLDS_KEY)
    if lane:
        held = held.where(t.c.lane == lane.value)
    return {by_hash[row.key_hash]: row.id for row in c.execute(held.order_by(t.c.id))}


def write_memory(database: Database, c: Connection, rows: Sequence[Seen], now: datetime) -> None:
    """Remembers rows; one that is known keeps the moment at which it was seen first."""
    if not rows:
        return
    values = [
        {
            "policy": row.policy,
            "key_hash": hash_of(row.key),
            "row_hash": row.row_hash,
            "event_time": row.event_time,
            "value": row.value,
            "seen_at": now,
        }
        for row in rows
    ]
    c.execute(database.insert_or_leave(seen), values)
