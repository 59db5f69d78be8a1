"""What must hold of every open alert for none to be forgotten, judged over what the store holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.action import Fire
from bot.core.alert import Due
from bot.core.builtin import told
from bot.core.words import clean
from sensors.model.clock import say_duration
from sensors.model.policy import Severity
from sensors.model.team import Team

FORGOTTEN_ALERT = "patrol.forgotten_alert"
ABOUT = {"patrol": "auditor"}  # its one key
OVERDUE_AFTER = timedelta(minutes=5)  # the sweep comes by every second
UNSEEN_AFTER = timedelta(minutes=15)  # a flood of some hundred cards takes minutes to post

WORDS = {
    "oncall": "whoever is on call",
    "team": "everybody",
    "lead": "the lead",
    "pager": "the pager",
    "digest": "who reads the digest",
}


class Flaw(StrEnum):
    """What does not hold."""

    due_at = "due_at"  # the time that the sweep goes by is not the time at which it is due
    overdue = "overdue"
    nobody = "nobody"  # those to whom it is due are not there
    card = "card"  # it stands in no channel
    effect = "effect"  # what was to be said or done about it has not been
    unreadable = "unreadable"


@dataclass(frozen=True)
class Held:
    """An open alert as the store holds it, and how far Slack knows of it."""

    id: int
    version: int
    policy: str
    live: bool
    due_at: datetime | None  # by which the sweep finds it
    due: Due | None  # what it ought to be
    team: str
    carded: bool  # its card stands in Slack
    parked: bool  # … and nobody tries to post it any more
    error: str  # what Slack said of it last
    waiting_since: datetime  # for its card
    effect_since: datetime | None  # the oldest change of which something is still to be said or done


@dataclass(frozen=True)
class Behind:
    """Who stands behind an alert as the files are now."""

    people: tuple[str, ...]  # to whom it is due, by its own terms
    instead: tuple[str, ...]  # who hears of it where those are not there
    channel: str  # of its card


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold of an alert, in words."""

    alert: int
    flaw: Flaw
    said: str


def due_is_wrong(held: Held) -> bool:
    """Whether the sweep would come by at another time than it ought to, or never."""
    return held.due is not None and held.due_at != held.due.at


def audit(held: Held, behind: Behind, now: datetime, watched: datetime) -> tuple[Finding, ...]:
    """All that does not hold of it, but for a wrong `due_at`, which is put right.

    `watched` is since when somebody has been there to do what is due: what came due while nobody was is not
    late before he has had the time.
    """
    if held.policy == FORGOTTEN_ALERT:  # it would speak of itself, and never end
        return ()
    found = [_overdue(held, now, watched), _nobody(held, behind)]
    if held.live:
        found.append(_unseen(held, behind, now, watched) or _unsaid(held, now, watched))
    return tuple(one for one in found if one)


def _finding(held: Held, flaw: Flaw, said: str) -> Finding:
    return Finding(held.id, flaw, f"ALR-{held.id} {said}")


def _overdue(held: Held, now: datetime, watched: datetime) -> Finding | None:
    if held.due is None or now - max(held.due.at, watched) <= OVERDUE_AFTER:
        return None
    return _finding(held, Flaw.overdue, f"has been due since {_at(held.due.at)} and nobody was told")


def _nobody(held: Held, behind: Behind) -> Finding | None:
    if behind.people or held.due is None:
        return None
    instead = "others hear of it" if behind.instead else "nobody hears of it"
    to = WORDS.get(held.due.to) or clean(held.due.to)
    said = f"is due to {to} in team {clean(held.team)}, where there is nobody: {instead}"
    return _finding(held, Flaw.nobody, said)


def _unseen(held: Held, behind: Behind, now: datetime, watched: datetime) -> Finding | None:
    if held.carded:
        return None
    why = f": {clean(held.error)}" if held.error else ""
    if held.parked:
        return _finding(held, Flaw.card, f"has no card, and it is not tried any more{why}")
    if not behind.channel:
        return _finding(held, Flaw.card, f"has no card, for team {clean(held.team)} has no channel")
    if now - max(held.waiting_since, watched) > UNSEEN_AFTER:
        return _finding(held, Flaw.card, f"has had no card for more than {say_duration(UNSEEN_AFTER)}{why}")
    return None


def _unsaid(held: Held, now: datetime, watched: datetime) -> Finding | None:
    if held.effect_since is None or now - max(held.effect_since, watched) <= UNSEEN_AFTER:
        return None
    said = f"has something to be told or done since {_at(held.effect_since)} that has not been"
    return _finding(held, Flaw.effect, said)


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def forgotten(findings: Sequence[Finding], owner: str, team: Team | None, now: datetime) -> Fire:
    """What is told of them, once, to those who answer for Patrol."""
    alerts = len({one.alert for one in findings})
    first = findings[0].said
    said = f"{alerts} open alerts may be forgotten, the first: {first}" if alerts > 1 else first
    why = "; ".join(one.said for one in findings[:20])
    return told(FORGOTTEN_ALERT, ABOUT, said, why, owner, team, now, count=alerts, severity=Severity.high)
