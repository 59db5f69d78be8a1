"""The two work queues of delivery, as statements built once: what waits, in which order."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)

from bot.core.alert import Work
from bot.core.change import EffectKind
from bot.core.message import MessageState
from bot.store.columns import Moment, free
from bot.store.tables import UNDONE, alerts, effects, history
from bot.store.tables import messages as m

LOOKED_BEFORE = bindparam("looked_before", type_=Moment)  # a first look before then may be repeated
LIMIT = bindparam("limit", type_=Integer)
KINDS = bindparam("kinds", expanding=True, type_=Text)

SAID = [kind.value for kind in (EffectKind.reply, EffectKind.page, EffectKind.tell, EffectKind.file)]
ASKING = text("messages.effect_id IS NOT NULL AND messages.shown_seq > 0")  # in words that fit its index
MESSAGE = [column.label(f"m_{column.name}") for column in m.c]


def _workable() -> ColumnElement[bool]:
    """Whether something can be done about a message: absent, or not parked, leased or to be tried later."""
    unknown = and_(m.c.state == MessageState.sending.value, m.c.sending_since.is_not(None))
    looked_at = or_(m.c.absent_at.is_(None), m.c.absent_at <= LOOKED_BEFORE)
    standing = and_(m.c.state != MessageState.parked.value, free(m.c.retry_at), free(m.c.lease_until))
    return or_(m.c.delivery.is_(None), and_(standing, or_(~unknown, looked_at)))


def _cards() -> Select[object]:
    """Each team's posts, its edits by people and its edits by the machine are lines of their own, longest
    behind first, and take turns: they go through different slots, and a full one must not hide the others."""
    its_card = and_(m.c.alert_id == alerts.c.id, m.c.effect_id.is_(None))
    line = (alerts.c.team, alerts.c.lane, alerts.c.by_person, m.c.ts.is_(None))
    since = (alerts.c.waiting_since, alerts.c.id)
    turn = func.row_number().over(partition_by=line, order_by=since).label("turn")
    first = (  # ids alone are sorted; bodies are read only of those that are wanted
        select(alerts.c.id, turn, alerts.c.waiting_since)
        .join_from(alerts, m, its_card, isouter=True)
        .where(alerts.c.shown_seq < alerts.c.face_seq, _workable())
        .order_by("turn", *since)
        .limit(LIMIT)
        .subquery()
    )
    return (
        select(alerts.c.id, alerts.c.body, *MESSAGE)
        .join_from(first, alerts, alerts.c.id == first.c.id)
        .join(m, its_card, isouter=True)
        .order_by(first.c.turn, first.c.waiting_since, first.c.id)
    )


def _effects() -> Select[object]:
    """The first undone effect of each alert, of the kinds asked for; teams take turns."""
    order = (effects.c.change_seq, effects.c.n)
    place = func.row_number().over(partition_by=effects.c.alert_id, order_by=order).label("place")
    e = select(effects, place).where(UNDONE, effects.c.kind.in_(KINDS)).subquery()
    card = m.alias("card")
    turn = func.row_number().over(partition_by=(alerts.c.team, alerts.c.lane), order_by=e.c.id)
    its = [e.c[column.name].label(f"e_{column.name}") for column in effects.c] + [
        history.c.at.label("e_since")
    ]
    its_line = and_(history.c.alert_id == e.c.alert_id, history.c.seq == e.c.change_seq)
    return (
        select(alerts.c.id, alerts.c.body, *its, *MESSAGE)
        .join_from(e, alerts, alerts.c.id == e.c.alert_id)
        .join(history, its_line)
        .join(m, m.c.effect_id == e.c.id, isouter=True)
        .join(card, and_(card.c.alert_id == e.c.alert_id, card.c.effect_id.is_(None)), isouter=True)
        .where(
            e.c.place == 1,
            free(e.c.due_at),
            free(e.c.lease_until),
            or_(e.c.kind.not_in(SAID), card.c.ts.is_not(None)),
            or_(_workable(), m.c.state == MessageState.parked.value),
        )
        .order_by(turn, e.c.id)
        .limit(LIMIT)
    )


def _unsaid() -> Select[object]:
    """All of these kinds that have not ended."""
    its = [column.label(f"e_{column.name}") for column in effects.c] + [history.c.at.label("e_since")]
    its_line = and_(history.c.alert_id == effects.c.alert_id, history.c.seq == effects.c.change_seq)
    return (
        select(alerts.c.id, alerts.c.body, *its, *MESSAGE)
        .join_from(effects, alerts, alerts.c.id == effects.c.alert_id)
        .join(history, its_line)
        .join(m, m.c.effect_id == effects.c.id, isouter=True)
        .where(effects.c.state.in_(["pending", "sending"]), effects.c.kind.in_(KINDS))
        .order_by(effects.c.id)
    )


def _answered() -> Select[object]:
    """Pages that still ask for somebody, of alerts that people have acted on since, or that are over."""
    its = [column.label(f"e_{column.name}") for column in effects.c] + [history.c.at.label("e_since")]
    its_line = and_(history.c.alert_id == effects.c.alert_id, history.c.seq == effects.c.change_seq)
    acted = or_(alerts.c.work_seq >= m.c.shown_seq, alerts.c.work == Work.resolved.value)
    return (
        select(alerts.c.id, alerts.c.body, *its, *MESSAGE)
        .join_from(m, alerts, alerts.c.id == m.c.alert_id)
        .join(effects, effects.c.id == m.c.effect_id)
        .join(history, its_line)
        .where(ASKING, m.c.state == MessageState.posted.value, acted)
        .where(free(m.c.retry_at), free(m.c.lease_until))
        .order_by(effects.c.id.desc())
        .limit(LIMIT)
    )


def _unposted() -> Select[object]:
    its_card = and_(m.c.alert_id == alerts.c.id, m.c.effect_id.is_(None))
    opened_before = alerts.c.opened_at <= bindparam("before", type_=Moment)
    return (
        select(alerts.c.id, alerts.c.body, *MESSAGE)
        .join_from(alerts, m, its_card, isouter=True)
        .where(alerts.c.shown_seq < alerts.c.face_seq, m.c.ts.is_(None), opened_before)
        .where(alerts.c.work == Work.open.value)
        .order_by(alerts.c.id)
    )


def _waiting() -> Select[object]:
    """Cards that do not stand yet, and lines of threads that are still to be said."""
    its_card = and_(m.c.alert_id == alerts.c.id, m.c.effect_id.is_(None))
    place = [alerts.c.policy, alerts.c.team, alerts.c.lane, func.coalesce(m.c.channel, "").label("channel")]
    said = bindparam("said", expanding=True, type_=Text)
    absent = and_(alerts.c.shown_seq < alerts.c.face_seq, m.c.ts.is_(None))
    cards = select(*place, literal(1).label("cards"), literal(0).label("lines"))
    lines = select(*place, literal(0).label("cards"), literal(1).label("lines"))
    each = union_all(
        cards.join_from(alerts, m, its_card, isouter=True).where(absent),
        lines.join_from(effects, alerts, alerts.c.id == effects.c.alert_id)
        .join(m, its_card, isouter=True)
        .where(effects.c.state.in_(["pending", "sending"]), effects.c.kind.in_(said)),
    ).subquery()
    where = [each.c[name] for name in ("policy", "team", "lane", "channel")]
    sums = [func.sum(each.c[name]).label(name) for name in ("cards", "lines")]
    return select(*where, *sums).group_by(*where)


CARDS = _cards()
EFFECTS = _effects()
WAITING = _waiting()
UNSAID = _unsaid()
UNPOSTED = _unposted()
ANSWERED = _answered()
