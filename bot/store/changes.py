"""Writing changes of alerts: compare and set on the version, one line of history each, and their effects."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from bot.core.action import MACHINE
from bot.core.alert import Alert, Lane, Snooze, due
from bot.core.change import Change
from bot.core.reconcile import Seen
from bot.errors import Conflict
from bot.store.codec import encode, pack_values
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.tables import HOLDS_KEY, STILL_ON, effects, evidence, history, seen, snoozes
from bot.store.tables import alerts as t
from bot.store.values import RunSave
from sensors.model.violation import canonical

PENDING = "pending"

# Statements are built once: what they cost is mostly their building.
ONE = update(t).where(t.c.id == bindparam("its_id"))
ADVANCE = ONE.where(t.c.version == bindparam("was")).values(
    # a change that its card does not show yet keeps its place in the queue
    waiting_since=case(
        (t.c.shown_seq >= t.c.face_seq, bindparam("its_now", type_=Moment)), else_=t.c.waiting_since
    )
)
MORE_EVIDENCE = ONE.values(evidence_total=t.c.evidence_total + bindparam("more"))
OTHER_EVIDENCE = ONE.values(evidence_total=bindparam("more"))
CURRENT_SNOOZE = select(snoozes.c.since, snoozes.c.until).where(
    snoozes.c.alert_id == bindparam("its_alert"), STILL_ON
)
END_SNOOZE = update(snoozes).where(snoozes.c.alert_id == bindparam("its_alert"), STILL_ON)
NEW_SNOOZE, NEW_LINE, NEW_EFFECT, NEW_ROW = (insert(one) for one in (snoozes, history, effects, evidence))


def write_changes(
    database: Database, c: Connection, changes: Sequence[Change], now: datetime
) -> tuple[Alert, ...]:
    """The alerts of the changes, in order and with ids. Several changes of one alert are one step of it.

    Raises Conflict where a stored version is not the one before, or where another alert holds the key.
    """
    ids: dict[Any, int] = {}
    # alerts in one order for all, so that two writers never wait for each other
    for name, steps in sorted(_by_alert(changes).items(), key=lambda item: str(item[0])):
        first, last = steps[0].alert, steps[-1].alert
        ids[name] = first.id or _open(database, c, last, now)
        if first.id:
            _advance(c, last, first.version - 1, now)
        _mirror_snooze(c, ids[name], last.snooze, new=not first.id, now=now)
        _write_history(c, ids[name], steps)
    return tuple(replace(change.alert, id=ids[_name(change.alert)]) for change in changes)


def _name(alert: Alert) -> tuple[Any, ...]:
    return (alert.id,) if alert.id else (0, alert.policy, alert.key, alert.lane.value)


def _by_alert(changes: Sequence[Change]) -> dict[tuple[Any, ...], list[Change]]:
    """The changes of each alert, in the order given."""
    grouped: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        grouped.setdefault(_name(change.alert), []).append(change)
    return grouped


def _open(database: Database, c: Connection, alert: Alert, now: datetime) -> int:
    values = {**columns(alert), "shown_seq": -1, "waiting_since": now, "evidence_total": 0}
    alert_id = c.execute(database.insert_or_leave(t), values).scalar()
    if alert_id is None:
        raise Conflict(f"Another open alert of {alert.policy} holds this key. Load it and decide again.")
    return int(alert_id)


def _advance(c: Connection, alert: Alert, was: int, now: datetime) -> None:
    values = {**columns(alert), "its_id": alert.id, "was": was, "its_now": now}
    if c.execute(ADVANCE, values).rowcount != 1:
        raise Conflict(f"{alert.name} was changed by somebody else. Load it and decide again.")


def columns(alert: Alert) -> dict[str, Any]:
    """An alert as its row, but for its id and what delivery and evidence keep there."""
    next_due = due(alert)
    body = encode(alert)
    del body["id"]
    return {
        "policy": alert.policy,
        "key_hash": hash_of(alert.key),
        "entity_hash": hash_of(canonical(alert.key_values)),
        "lane": alert.lane.value,
        "team": alert.terms.team,
        "work": alert.work.value,
        "condition": alert.condition.value,
        "severity": int(alert.severity),
        "owner": alert.owner,
        "snoozed_until": alert.snooze.until if alert.snooze else None,
        "due_at": next_due.at if next_due else None,
        "opened_at": alert.opened_at,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "disposition": alert.disposition.value if alert.disposition else None,
        "version": alert.version,
        "work_seq": alert.work_seq,
        "face_seq": alert.face_seq,
        "by_person": alert.last_event_by not in ("", MACHINE),
        "body": body,
    }


def hash_of(text: str) -> str:
    """A key as indexes hold it: as unique as the key, and never too long."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _mirror_snooze(c: Connection, alert_id: int, snooze: Snooze | None, *, new: bool, now: datetime) -> None:
    """The row of a snooze that began, and the end of one that is over."""
    of_alert = {"its_alert": alert_id}
    if snooze:
        current = None if new else c.execute(CURRENT_SNOOZE, of_alert).first()
        if current and (current.since, current.until) == (snooze.since, snooze.until):
            return
    if not new:
        c.execute(END_SNOOZE, {**of_alert, "ended_at": now})
    if snooze:
        c.execute(NEW_SNOOZE, _snooze_row(alert_id, snooze))


def _snooze_row(alert_id: int, snooze: Snooze) -> dict[str, Any]:
    return {
        "scope": "alert",
        "alert_id": alert_id,
        "until": snooze.until,
        "ceiling": int(snooze.ceiling),
        "by": snooze.by,
        "why": snooze.why,
        "since": snooze.since,
    }


def _write_history(c: Connection, alert_id: int, steps: Sequence[Change]) -> None:
    lines = [
        {
            "alert_id": alert_id,
            "seq": step.event.seq,
            "at": step.event.at,
            "actor": step.event.actor,
            "kind": step.event.kind,
            "story": step.event.story,
            "action": pack_values(step.event.action),
        }
        for step in steps
    ]
    c.execute(NEW_LINE, lines)
    follow = [
        {
            "alert_id": alert_id,
            "change_seq": step.event.seq,
            "n": n,
            "kind": effect.kind.value,
            "body": encode(effect),
            "state": PENDING,
            "attempts": 0,
        }
        for step in steps
        for n, effect in enumerate(step.effects)
    ]
    if follow:
        c.execute(NEW_EFFECT, follow)


def write_evidence(c: Connection, saved: RunSave, alerts: Sequence[Alert]) -> None:
    """The rows behind alerts. Events add up, on the alert just changed or else on the open one of their key;
    the rows of a condition are those of the newest look that changed its alert."""
    ids = {alert.key: alert.id for alert in alerts}
    if saved.incremental:
        missing = [key for key in saved.evidence if key not in ids]
        ids |= _holders(c, saved.run.policy, missing, saved.lane)
    else:
        gone = [ids[key] for key in saved.evidence if key in ids]
        c.execute(delete(evidence).where(evidence.c.alert_id.in_(gone)))
    rows: list[dict[str, Any]] = []
    for key, one in saved.evidence.items():
        if key not in ids:
            continue
        head = {
            "its_id": ids[key],
            "more": max(one.total, len(one.rows)),
            "evidence_columns": list(one.columns),
        }
        c.execute(MORE_EVIDENCE if saved.incremental else OTHER_EVIDENCE, head)
        # the newest row is added last, so that the highest id is the newest of all
        rows += [
            {"alert_id": ids[key], "run_id": saved.run.id, "row": pack_values(row)}
            for row in reversed(one.rows)
        ]
    if rows:
        c.execute(NEW_ROW, rows)


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
