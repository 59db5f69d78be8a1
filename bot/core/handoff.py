"""The end of a shift: who hands over to whom, and what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import oncall
from bot.core.alert import Alert, Condition, Lane, Work
from bot.core.approval import Approval
from bot.core.cover import Cover
from bot.core.rotation import turn
from sensors.model.team import Team

ACCEPT_WITHIN = timedelta(minutes=15)
LATE_AT_MOST = timedelta(hours=1)  # a shift that ended longer ago is handed over already, somehow
INSTEAD_OF_ITS_END = timedelta(hours=2)  # asked for so shortly before, it is that of the shift's end
KEPT = 50  # alerts of each kind that a card can tell of; the rest is counted


@dataclass(frozen=True)
class Item:
    """An alert as the card tells of it."""

    alert: int
    severity: int
    title: str
    owner: str | None = None
    until: datetime | None = None  # of its snooze


@dataclass(frozen=True)
class Pending:
    """A job that waits for a second person, as the card tells of it."""

    approval: int
    title: str
    by: str
    until: datetime
    alert: int | None = None


@dataclass(frozen=True)
class Burden:
    """What is handed over, worst first; `more` counts the alerts that are not listed."""

    waiting: tuple[Item, ...] = ()  # with nobody on them
    taken: tuple[Item, ...] = ()
    snoozed: tuple[Item, ...] = ()  # that which ends next first
    late: tuple[Item, ...] = ()  # of which it is not known whether they are still there
    more: int = 0
    approvals: tuple[Pending, ...] = ()


@dataclass(frozen=True)
class Handoff:
    """`shift` tells the shifts of a team apart: one handoff each. People are Slack's user ids."""

    id: int
    team: str
    shift: str
    leaving: tuple[str, ...]
    taking: tuple[str, ...]
    at: datetime
    burden: Burden = Burden()
    accepted_by: str | None = None
    accepted_at: datetime | None = None

    @property
    def key(self) -> str:
        """Of the notice that is its card."""
        return f"handoff-{self.id}"


def burden(alerts: Iterable[Alert], asked: Iterable[Approval] = ()) -> Burden:
    """What there is to hand over, of a team's open alerts and of what waits for a second person there."""
    worst = sorted((a for a in alerts if a.lane is Lane.live), key=lambda a: (-a.severity, a.opened_at, a.id))
    asleep = sorted((a for a in worst if a.snooze), key=lambda a: a.snooze.until if a.snooze else a.opened_at)
    awake = [a for a in worst if not a.snooze]
    kinds = (
        [a for a in awake if a.work is Work.open],
        [a for a in awake if a.work is Work.acknowledged],
        asleep,
        [a for a in worst if a.condition is Condition.unknown],
    )
    waiting, taken, snoozed, late = (tuple(map(_item, kind[:KEPT])) for kind in kinds)
    more = sum(max(0, len(kind) - KEPT) for kind in kinds[:3])
    pending = tuple(Pending(a.id, a.title, a.by, a.expires_at, a.alert) for a in asked)
    return Burden(waiting, taken, snoozed, late, more, pending)


def _item(alert: Alert) -> Item:
    until = alert.snooze.until if alert.snooze else None
    return Item(alert.id, int(alert.severity), alert.title, alert.owner, until)


def ended(team: Team, since: datetime, now: datetime, covers: Sequence[Cover] = ()) -> Handoff | None:
    """The handoff of the shift that ended last, if that was after `since` and not too long ago.

    Shifts are the turns and overrides of the files: that somebody covers for a while, or goes home at the end
    of the hours, is no handoff. Who hands over and takes over are those who really were, and are, on call.
    """
    turning = replace(team, hours=None)
    at = max((edge for edge in _edges(turning, now) if edge <= now), default=None)
    if at is None or at <= since or now - at > LATE_AT_MOST:
        return None
    before = at - timedelta(seconds=1)
    if oncall.on_call(turning, before) == oncall.on_call(turning, at):
        return None
    leaving, taking = oncall.on_call(turning, before, covers), oncall.on_call(turning, at, covers)
    if leaving == taking:
        return None
    return Handoff(0, team.name, shift_at(at), leaving, taking, now)


def _edges(team: Team, now: datetime) -> list[datetime]:
    turns = [turn(team.rotation, now).start] if team.rotation else []
    return [*turns, *(edge for one in team.overrides for edge in (one.start, one.end))]


def asked(team: Team, by: str, now: datetime, covers: Sequence[Cover] = ()) -> Handoff | None:
    """One that is asked for now, to who is next; None where it stays who it is."""
    turning = replace(team, hours=None)
    coming = oncall.following(turning, now, covers)
    if coming is None:
        return None
    soon = coming.start - now <= INSTEAD_OF_ITS_END
    shift = shift_at(coming.start) if soon else f"asked {now.isoformat()} {by}"
    return Handoff(0, team.name, shift, oncall.on_call(turning, now, covers), coming.people, now)


def shift_at(end: datetime) -> str:
    return f"until {end.isoformat()}"
