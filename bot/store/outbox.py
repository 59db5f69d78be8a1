"""What is still to be said or done: cards behind, effects in order. Sends nothing itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    TextClause,
    and_,
    bindparam,
    delete,
    select,
    true,
    update,
)

from bot.core.alert import Alert
from bot.core.change import Effect, EffectKind, StoredEffect
from bot.core.message import LOOK_APART, Message, MessageState
from bot.process.errors import Conflict
from bot.store.alerts import alert_of, readable
from bot.store.codec import decode
from bot.store.columns import NOW, free
from bot.store.database import Database, in_parts
from bot.store.queues import ANSWERED, CARDS, EFFECTS, SAID, UNPOSTED, UNSAID, WAITING
from bot.store.tables import CARD, UNDONE, alerts, effects, history
from bot.store.tables import messages as t
from bot.store.values import Waits

PARKED = MessageState.parked.value
MOVING = (
    *("ts", "state", "shown_seq", "sending_since", "lease_until"),
    *("absent_at", "attempts", "retry_at", "look_again_at", "file_id"),
)
NAMES = {
    "alert_id": "alert",
    "effect_id": "effect",
    "notice_id": "notice",
}  # columns that are called otherwise in a Message

# Statements are built once: half of what they cost is their building.
SAME = and_(  # the stored message is the one that was read
    t.c.delivery == bindparam("was_delivery"),
    *(t.c[name].is_not_distinct_from(bindparam(f"was_{name}", type_=t.c[name].type)) for name in MOVING),
)
BECOMES = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in t.c}
RECORD = update(t).where(SAME).values(BECOMES)
TAKE = update(t).where(SAME, free(t.c.lease_until)).values(BECOMES)
DROP = delete(t).where(SAME)
SHOWS = update(alerts).where(alerts.c.id == bindparam("its_id")).values(shown_seq=bindparam("shown"))
PAGES = (
    select(effects.c.alert_id, effects.c.body, history.c.at)
    .join_from(
        effects,
        history,
        and_(history.c.alert_id == effects.c.alert_id, history.c.seq == effects.c.change_seq),
    )
    .where(effects.c.alert_id.in_(bindparam("ids", expanding=True)), effects.c.kind == EffectKind.page.value)
)
LOOK_AGAIN = (
    select(t)
    .where(
        *(t.c.state == MessageState.posted.value, t.c.look_again_at <= NOW),
        *(free(t.c.lease_until), free(t.c.retry_at)),
    )
    .order_by(t.c.look_again_at)
    .limit(bindparam("limit"))
)
BEGIN = update(effects).where(effects.c.id == bindparam("its_id"), UNDONE).values(state="sending")


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def cards(self, now: datetime, limit: int = 50) -> list[tuple[Alert, Message | None]]:
        """Alerts whose card is absent or behind and may be worked on now; the longest behind first, teams
        and kinds of edits by turns."""
        asked = {"now": now, "looked_before": now - LOOK_APART, "limit": limit}
        with self._database.read() as c:
            return readable(c.execute(CARDS, asked), _card)

    def intend(self, message: Message, now: datetime, *, was: Message | None = None) -> bool:
        """Writes down that the message is about to be sent: a new one, or one that still is as it `was`
        read and under nobody's lease. False: another process has it."""
        with self._database.write() as c:
            if was is None:
                if message.effect is not None and not _begin(c, message.effect):
                    return False  # it has ended meanwhile, unsent
                done = c.execute(self._new(), _columns(message)).first() is not None
            else:
                done = c.execute(TAKE, {**_was(was), **_new(message), "now": now}).rowcount == 1
            if done:
                _note_shown(c, message)
            return done

    def record(self, message: Message, *, was: Message) -> bool:
        """What came of it, where the stored message still is as it `was`."""
        with self._database.write() as c:
            done = c.execute(RECORD, {**_was(was), **_new(message)}).rowcount == 1
            if done:
                _note_shown(c, message)
            return done

    def _new(self) -> Any:
        def build() -> Any:
            return self._database.insert(t).on_conflict_do_nothing().returning(t.c.delivery)

        return self._database.statement("new message", build)

    def message(self, alert_id: int) -> Message | None:
        """The alert's card."""
        return self._one(t.c.alert_id == alert_id, CARD)

    def cards_of(self, alert_ids: Collection[int]) -> dict[int, Message]:
        """The cards of these alerts, as far as there are any."""
        with self._database.read() as c:
            rows = c.execute(select(t).where(t.c.alert_id.in_(list(alert_ids)), CARD))
            return {row.alert_id: _message(row._mapping) for row in rows}

    def standing(self, alert_id: int) -> tuple[int, int]:
        """How many effects of the alert are still to be said or done, and how many are parked."""
        mine = select(effects.c.state).where(effects.c.alert_id == alert_id)
        with self._database.read() as c:
            states = list(c.execute(mine).scalars())
        return sum(state in ("pending", "sending") for state in states), states.count(PARKED)

    def by_ts(self, channel: str, ts: str) -> Message | None:
        return self._one(t.c.channel == channel, t.c.ts == ts)

    def _one(self, *where: ColumnElement[bool] | TextClause) -> Message | None:
        with self._database.read() as c:
            row = c.execute(select(t).where(*where)).first()
        return _message(row._mapping) if row else None

    def effects(
        self, now: datetime, limit: int = 50, *, kinds: Collection[EffectKind] = tuple(EffectKind)
    ) -> list[tuple[StoredEffect, Alert, Message | None]]:
        """For each alert its first effect of these kinds that has not ended, where it may be done now; with
        the message that it sent. What is said in a thread waits for the card; teams take turns."""
        asked: dict[str, Any] = {"now": now, "looked_before": now - LOOK_APART, "limit": limit}
        asked["kinds"] = [kind.value for kind in kinds]
        with self._database.read() as c:
            return readable(c.execute(EFFECTS, asked), _line)

    def release(self, now: datetime, channel: str = "") -> None:
        """What was put off is tried at once: in one channel, or everywhere."""
        put_off = and_(t.c.retry_at > now, t.c.state != MessageState.parked.value)
        here = t.c.channel == channel if channel else true()
        with self._database.write() as c:
            c.execute(update(t).where(put_off, here).values(retry_at=None))

    def look_again(self, now: datetime, limit: int = 50) -> list[Message]:
        """Posted messages to be looked at once more, since an earlier attempt may have landed late."""
        with self._database.read() as c:
            return [_message(row._mapping) for row in c.execute(LOOK_AGAIN, {"now": now, "limit": limit})]

    def answered(self, now: datetime, limit: int = 50) -> list[tuple[StoredEffect, Alert, Message]]:
        """Pages that ask for somebody, of alerts that people have acted on since or that are over."""
        with self._database.read() as c:
            return readable(c.execute(ANSWERED, {"now": now, "limit": limit}), _page)

    def told(self, kinds: Collection[EffectKind]) -> list[tuple[StoredEffect, Alert, Message | None]]:
        """Every effect of these kinds that has not ended, whether it may be sent now or not."""
        with self._database.read() as c:
            found = c.execute(UNSAID, {"kinds": [kind.value for kind in kinds]})
            return readable(found, _line)

    def pages(self, alert_ids: Iterable[int]) -> dict[int, list[tuple[str, datetime]]]:
        """By alert, whom its steps have told, as references, and when that was decided; but for its card."""
        found: dict[int, list[tuple[str, datetime]]] = {}
        with self._database.read() as c:
            for part in in_parts(alert_ids):
                for row in c.execute(PAGES, {"ids": part}):
                    to = decode(Effect, row.body).to or ""
                    found.setdefault(row.alert_id, []).append((to, row.at))
        return found

    def unposted(self, opened_before: datetime) -> list[tuple[Alert, Message | None]]:
        """Open alerts from before then whose card does not stand."""
        with self._database.read() as c:
            return readable(c.execute(UNPOSTED, {"before": opened_before}), _card)

    def waiting(self) -> list[Waits]:
        """How many cards and how many lines of threads are still to be posted, by where they belong."""
        with self._database.read() as c:
            return [Waits(**row) for row in c.execute(WAITING, {"said": SAID}).mappings()]

    def parked(self) -> list[Message]:
        """What Slack refused by itself, oldest first."""
        query = select(t).join(effects, effects.c.id == t.c.effect_id).where(effects.c.state == PARKED)
        with self._database.read() as c:
            return [_message(row._mapping) for row in c.execute(query.order_by(effects.c.id))]

    def unpark(self, now: datetime, *, after: timedelta, until: timedelta) -> int:
        """Gives what was parked so long ago, and not longer than `until`, another try. How many."""
        due = and_(effects.c.state == PARKED, effects.c.ended_at <= now - after)
        due = and_(due, effects.c.ended_at > now - until)
        anew: dict[str, Any] = {"state": MessageState.sending.value, "sending_since": None}
        anew |= {"lease_until": None, "retry_at": None, "attempts": 0}
        with self._database.read() as c:
            ids = list(c.execute(select(effects.c.id).where(due)).scalars())
        if not ids:
            return 0
        with self._database.write() as c:
            c.execute(update(t).where(t.c.effect_id.in_(ids), t.c.state == PARKED).values(anew))
            again = update(effects).where(effects.c.id.in_(ids), effects.c.state == PARKED)
            return c.execute(again.values(state="pending", ended_at=None, attempts=0)).rowcount

    def take(self, effect_id: int, now: datetime, lease: timedelta) -> bool:
        """The right to do this effect until the lease runs out. False: another has it, or it has ended."""
        unleased, attempts = free(effects.c.lease_until, now), effects.c.attempts + 1
        return self._effect(effect_id, unleased, state="sending", lease_until=now + lease, attempts=attempts)

    def end(self, effect_id: int, state: str, result: str, now: datetime) -> bool:
        """done, dropped (no longer meant) or parked (in nobody's way). False: it had ended before."""
        return self._effect(effect_id, state=state, result=result, ended_at=now, lease_until=None)

    def later(self, effect_id: int, at: datetime, why: str) -> bool:
        """Try again at that time."""
        return self._effect(effect_id, state="pending", due_at=at, result=why, lease_until=None)

    def give_back(self, effect_id: int, attempts: int, why: str) -> bool:
        """Ends the lease of who took it at this attempt. False: another has taken it since."""
        ours = effects.c.attempts == attempts
        return self._effect(effect_id, ours, state="pending", result=why, lease_until=None)

    def _effect(self, effect_id: int, *where: ColumnElement[bool], **values: Any) -> bool:
        with self._database.write() as c:
            change = update(effects).where(effects.c.id == effect_id, UNDONE, *where)
            return c.execute(change.values(**values)).rowcount == 1


def _begin(c: Connection, effect_id: int) -> bool:
    """From now on it can no longer be dropped unsent."""
    return c.execute(BEGIN, {"its_id": effect_id}).rowcount == 1


def drop_unsent(c: Connection, dropped: Mapping[int, tuple[str, Message | None]], now: datetime) -> None:
    """Ends effects of which nothing is at Slack. Conflict where somebody has begun to send one meanwhile."""
    for effect_id, (why, message) in dropped.items():
        unsent: ColumnElement[bool] | TextClause = effects.c.state == "pending"
        if message is not None:
            if c.execute(DROP, _was(message)).rowcount != 1:
                raise Conflict(f"{message.delivery} is being sent.")
            unsent = UNDONE
        change = update(effects).where(effects.c.id == effect_id, unsent)
        ended = {"state": "dropped", "result": why, "ended_at": now, "lease_until": None}
        if c.execute(change.values(ended)).rowcount != 1:
            raise Conflict(f"effect-{effect_id} is being sent, or has ended.")


def _was(message: Message) -> dict[str, Any]:
    """The values that SAME compares with."""
    values = _columns(message)
    return {f"was_{name}": values[name] for name in ("delivery", *MOVING)}


def _new(message: Message) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in _columns(message).items()}


def _note_shown(c: Connection, message: Message) -> None:
    """Tells the alert what its card shows; while the outcome is unknown, nothing."""
    if message.effect is not None or message.notice is not None:
        return
    shown = message.shown_seq if message.state is MessageState.posted else -1
    c.execute(SHOWS, {"its_id": message.alert, "shown": shown})


def _columns(message: Message) -> dict[str, Any]:
    values = {column.name: getattr(message, NAMES.get(column.name, column.name)) for column in t.c}
    return {**values, "state": message.state.value, "alert_id": message.alert or None}


def _message(row: Any, prefix: str = "") -> Message:
    values = {NAMES.get(column.name, column.name): row[prefix + column.name] for column in t.c}
    return Message(**{**values, "state": MessageState(values["state"]), "alert": values["alert"] or 0})


def joined(row: Row[Any]) -> Message | None:
    """The message that was selected as MESSAGE beside something else."""
    return _message(row._mapping, "m_") if row.m_delivery is not None else None


def _card(row: Row[Any]) -> tuple[Alert, Message | None]:
    return alert_of(row), joined(row)


def _line(row: Row[Any]) -> tuple[StoredEffect, Alert, Message | None]:
    return _effect(row), alert_of(row), joined(row)


def _page(row: Row[Any]) -> tuple[StoredEffect, Alert, Message]:
    return _effect(row), alert_of(row), _message(row._mapping, "m_")


def _effect(row: Row[Any]) -> StoredEffect:
    effect = decode(Effect, row.e_body)
    return StoredEffect(
        row.e_id,
        row.e_alert_id,
        row.e_change_seq,
        effect,
        row.e_state,
        row.e_attempts,
        row.e_due_at,
        row.e_since,
    )
