"""Writing changes of alerts: compare and set on the version, one line of history each, and their effects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, insert, select, update

from bot.core.action import MACHINE
from bot.core.alert import Alert, Snooze, due
from bot.core.change import Change
from bot.process.errors import Conflict
from bot.store.codec import encode, pack_values
from bot.store.columns import Moment
from bot.store.database import Database
from bot.store.tables import STILL_ON, effects, history, snoozes
from bot.store.tables import alerts as t
from bot.store.tables_snoozes import alert_entities
from sensors.model.violation import canonical

PENDING = "pending"
Name = tuple[Any, ...]  # of an alert: its id, or what it is about while it has none
HOLDER = (t.c.policy, t.c.key_hash, t.c.lane)

# Statements are built once: what they cost is mostly their building.
WRITTEN = (
    *("policy", "key_hash", "entity_hash", "lane", "team", "work", "condition", "severity", "owner"),
    *("snoozed_until", "due_at", "opened_at", "fired_at", "resolved_at", "disposition"),
    *("version", "work_seq", "face_seq", "by_person", "body"),
)
ADVANCE = (
    update(t)
    .where(t.c.id == bindparam("its_id"), t.c.version == bindparam("was"))
    .values(
        {t.c[name]: bindparam(f"new_{name}") for name in WRITTEN}
        | {
            # a change that its card does not show yet keeps its place in the queue
            t.c.waiting_since: case(
                (t.c.shown_seq >= t.c.face_seq, bindparam("its_now", type_=Moment)), else_=t.c.waiting_since
            )
        }
    )
)
CURRENT_SNOOZE = select(snoozes.c.since, snoozes.c.until, snoozes.c.of_id).where(
    snoozes.c.alert_id == bindparam("its_alert"), STILL_ON
)
END_SNOOZE = update(snoozes).where(snoozes.c.alert_id == bindparam("its_alert"), STILL_ON)
NEW_SNOOZE, NEW_LINE, NEW_EFFECT, NEW_ENTITY = (
    insert(one) for one in (snoozes, history, effects, alert_entities)
)


def write_changes(
    database: Database, c: Connection, changes: Sequence[Change], now: datetime
) -> tuple[Alert, ...]:
    """The alerts of the changes, in order and with ids. Several changes of one alert are one step of it.

    Raises Conflict where a stored version is not the one before, or where another alert holds the key.
    """
    # alerts in one order for all, so that two writers never wait for each other
    grouped = sorted(_by_alert(changes).items(), key=lambda item: str(item[0]))
    fresh = [steps for _, steps in grouped if not steps[0].alert.id]
    known = [steps for _, steps in grouped if steps[0].alert.id]
    ids = _open(database, c, [steps[-1].alert for steps in fresh], now)
    ids |= {_name(steps[0].alert): steps[0].alert.id for steps in known}
    _write_entities(c, ids, fresh)
    _advance(c, known, now)
    _mirror_snoozes(c, ids, fresh, known, now)
    _write_history(c, ids, [steps for _, steps in grouped])
    return tuple(replace(change.alert, id=ids[_name(change.alert)]) for change in changes)


def _name(alert: Alert) -> Name:
    return (alert.id,) if alert.id else (0, alert.policy, alert.key, alert.lane.value)


def _by_alert(changes: Sequence[Change]) -> dict[Name, list[Change]]:
    """The changes of each alert, in the order given."""
    grouped: dict[Name, list[Change]] = {}
    for change in changes:
        grouped.setdefault(_name(change.alert), []).append(change)
    return grouped


def _open(database: Database, c: Connection, alerts: Sequence[Alert], now: datetime) -> dict[Name, int]:
    """The ids of new alerts. Conflict where one of their keys is held."""
    if not alerts:
        return {}
    unseen = {"shown_seq": -1, "waiting_since": now, "evidence_total": 0}
    rows = [{**columns(alert), **unseen} for alert in alerts]
    new = database.statement(
        "new alerts",
        lambda: database.insert(t).on_conflict_do_nothing().returning(t.c.id, *HOLDER),
    )
    ids = {(policy, key, lane): alert_id for alert_id, policy, key, lane in c.execute(new, rows)}
    for alert, row in zip(alerts, rows, strict=True):
        if (row["policy"], row["key_hash"], row["lane"]) not in ids:
            raise Conflict(f"Another open alert of {alert.policy} holds this key. Load it and decide again.")
    return {
        _name(alert): ids[row["policy"], row["key_hash"], row["lane"]]
        for alert, row in zip(alerts, rows, strict=True)
    }


def _write_entities(c: Connection, ids: Mapping[Name, int], fresh: Sequence[Sequence[Change]]) -> None:
    """Whom new alerts are about; that never changes."""
    rows = [
        {"alert_id": ids[_name(steps[0].alert)], "entity_hash": hash_of(entity)}
        for steps in fresh
        for entity in dict.fromkeys(steps[0].alert.entities)
    ]
    if rows:
        c.execute(NEW_ENTITY, rows)


def _advance(c: Connection, known: Sequence[Sequence[Change]], now: datetime) -> None:
    rows = [
        {
            **{f"new_{name}": value for name, value in columns(steps[-1].alert).items()},
            "its_id": steps[0].alert.id,
            "was": steps[0].alert.version - 1,
            "its_now": now,
        }
        for steps in known
    ]
    if rows and c.execute(ADVANCE, rows).rowcount != len(rows):
        name = known[0][0].alert.name if len(known) == 1 else "An alert"
        raise Conflict(f"{name} was changed by somebody else. Load it and decide again.")


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


def _mirror_snoozes(
    c: Connection,
    ids: Mapping[Name, int],
    fresh: Sequence[Sequence[Change]],
    known: Sequence[Sequence[Change]],
    now: datetime,
) -> None:
    """The rows of snoozes that began, and the end of those that are over."""
    awake = [{"its_alert": s[-1].alert.id, "ended_at": now} for s in known if s[-1].alert.snooze is None]
    if awake:
        c.execute(END_SNOOZE, awake)
    for steps in (*fresh, *known):
        alert = steps[-1].alert
        if alert.snooze is None:
            continue
        of_alert = {"its_alert": ids[_name(alert)]}
        current = c.execute(CURRENT_SNOOZE, of_alert).first() if alert.id else None
        known_as = (alert.snooze.since, alert.snooze.until, alert.snooze.of or None)
        if current and tuple(current) == known_as:
            continue
        c.execute(END_SNOOZE, {**of_alert, "ended_at": now})
        c.execute(NEW_SNOOZE, _snooze_row(ids[_name(alert)], alert.snooze))


def _snooze_row(alert_id: int, snooze: Snooze) -> dict[str, Any]:
    return {
        "scope": "alert",
        "alert_id": alert_id,
        "until": snooze.until,
        "ceiling": int(snooze.ceiling),
        "by": snooze.by,
        "why": snooze.why,
        "since": snooze.since,
        "of_id": snooze.of or None,
    }


def _write_history(c: Connection, ids: Mapping[Name, int], grouped: Sequence[Sequence[Change]]) -> None:
    steps = [(ids[_name(step.alert)], step) for group in grouped for step in group]
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
        for alert_id, step in steps
    ]
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
        for alert_id, step in steps
        for n, effect in enumerate(step.effects)
    ]
    if lines:
        c.execute(NEW_LINE, lines)
    if follow:
        c.execute(NEW_EFFECT, follow)
