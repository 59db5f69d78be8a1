"""An alert and what is due about it. Values only; `step.py` is the one place where an alert changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sensors.model.policy import NOTHING, Severity
from sensors.model.team import DEFAULT_LADDER, LadderStep


class Work(StrEnum):
    """What people have done about it."""

    open = "open"
    acknowledged = "acknowledged"
    resolved = "resolved"


class Condition(StrEnum):
    """What the data say: still there, gone, or not known (late data, a failed run)."""

    firing = "firing"
    cleared = "cleared"
    unknown = "unknown"


class Lane(StrEnum):
    """Fixed for an alert's life; only `live` pages anybody."""

    live = "live"
    shadow = "shadow"
    historical = "historical"


class Disposition(StrEnum):
    """What it turned out to be."""

    true_positive = "true_positive"
    benign = "benign"
    false_positive = "false_positive"
    duplicate = "duplicate"
    insufficient_information = "insufficient_information"
    policy_gap = "policy_gap"
    test = "test"

    @property
    def called(self) -> str:
        """As people read it."""
        return "real but allowed" if self is Disposition.benign else self.value.replace("_", " ")


class FalseCause(StrEnum):
    """Why a false positive was one."""

    rule = "rule"
    threshold = "threshold"
    data = "data"
    known_exception = "known_exception"


@dataclass(frozen=True)
class Snooze:
    """Quiet until a time, unless it gets worse than `ceiling`."""

    until: datetime
    by: str
    why: str
    since: datetime
    ceiling: Severity
    of: int = 0  # the snooze of an entity or a policy that covers it; 0: it is of this alert alone
    target: str = ""  # … and what that one is of: "seller:s_1", or a policy's name


@dataclass(frozen=True)
class Terms:
    """What policy and team agreed when the alert opened; copied, so that later edits do not rewrite it."""

    team: str
    ladder: tuple[LadderStep, ...] = DEFAULT_LADDER
    repeat_interval: timedelta = timedelta(hours=4)
    acknowledged_for: timedelta = timedelta(hours=4)
    clear: str = "never"  # never | if_unacked | always
    accumulates: bool = True  # rows are events that add up, not conditions that come and go
    sensitive: bool = False  # only its team sees it, in private channels


@dataclass(frozen=True)
class Alert:
    """One problem that people work on. `id` is 0 until the store has given it one; ALR-142 to people."""

    id: int
    policy: str
    key: str  # canonical
    lane: Lane
    terms: Terms
    title: str
    severity: Severity
    count: int
    opened_at: datetime
    fired_at: datetime  # last time
    as_of: datetime  # end of the newest window that spoke of it
    key_values: Mapping[str, Any] = NOTHING
    newest: Mapping[str, Any] = NOTHING  # the newest row's values, plain JSON
    entities: tuple[str, ...] = ()  # whom it is about, as people write it: "seller:s_1"
    work: Work = Work.open
    condition: Condition = Condition.firing
    unknown_why: str = ""
    told_count: int = 1  # what people were last told in a way that notifies
    told_severity: Severity = Severity.info
    open_since: datetime | None = None  # when it came back to the people on call; None: not since it opened
    owner: str | None = None  # Slack's user id
    helpers: tuple[str, ...] = ()  # also on it
    acknowledged_at: datetime | None = None
    acknowledged_until: datetime | None = None
    reminded: bool = False  # of the acknowledgement that runs out
    snooze: Snooze | None = None
    apart_at: datetime | None = (
        None  # when it was woken by itself: snoozes of more that began before leave it
    )
    step: int = 0  # of the ladder, the next to be told; past its end the lead is told
    step_due: datetime | None = None  # None while worked
    resolved_at: datetime | None = None
    resolved_by: str | None = None  # None: the machine, by the policy's `clear`
    disposition: Disposition | None = None
    false_cause: FalseCause | None = None
    note: str = ""
    mended: str = ""  # the version of its policy that no longer finds what was called a false positive
    reopened: int = 0
    previous: int | None = None  # the earlier alert of this key
    forgiven_until: datetime | None = None  # rows seen until then were called a false positive
    comments: int = 0
    last_event: str = ""  # the newest line of its history, for the card
    last_event_at: datetime | None = None
    last_event_by: str = ""  # a Slack user id, or "patrol"
    version: int = 0  # compare-and-set
    work_seq: int = 0  # the last act of a person: what a button carries
    face_seq: int = 0  # the last visible change: what delivery compares

    @property
    def name(self) -> str:
        return f"ALR-{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it holds its key: anything but resolved."""
        return self.work is not Work.resolved

    @property
    def word(self) -> str:
        """Its state in one word, as people see it."""
        return "SNOOZED" if self.snooze and self.is_open else self.work.value.upper()

    @property
    def badges(self) -> tuple[str, ...]:
        """What else people should see about its state."""
        shown = {
            "CLEARED": self.condition is Condition.cleared and self.is_open,
            "DATA LATE": self.condition is Condition.unknown and self.is_open,
            "REOPENED": self.reopened > 0 and self.is_open,
            "SHADOW": self.lane is Lane.shadow,
            "HISTORICAL": self.lane is Lane.historical,
        }
        return tuple(name for name, shows in shown.items() if shows)


REMIND_AT = 0.8  # of an acknowledgement's time


@dataclass(frozen=True)
class Due:
    """Somebody is told of this alert at a known time. `to` is a ladder reference or a Slack user id."""

    at: datetime
    to: str
    why: str


def due(alert: Alert) -> Due | None:
    """Who is told next and when; None for a resolved alert only. That none is forgotten rests here."""
    if not alert.is_open:
        return None
    if alert.lane is not Lane.live:
        return _due_quietly(alert)
    if alert.snooze:
        return Due(alert.snooze.until, step_to(alert), "the snooze ends")
    if alert.work is Work.acknowledged and alert.acknowledged_at and alert.acknowledged_until:
        whole = alert.acknowledged_until - alert.acknowledged_at
        if not alert.reminded:
            return Due(alert.acknowledged_at + whole * REMIND_AT, alert.owner or "lead", "a reminder")
        return Due(alert.acknowledged_until, "oncall", "the acknowledgement runs out")
    return Due(alert.step_due or alert.fired_at, step_to(alert), "nobody has acknowledged it")


def step_to(alert: Alert) -> str:
    """Whom the alert's next step tells; past the ladder's end, the lead."""
    ladder = alert.terms.ladder
    return ladder[alert.step].to if alert.step < len(ladder) else "lead"


def _due_quietly(alert: Alert) -> Due:
    """Of an alert that pages nobody: snoozes and acknowledgements end on time, the rest is the digest's."""
    digest = Due(_next_digest(alert.last_event_at or alert.opened_at), "digest", "the owner's digest")
    if alert.snooze:
        ends = Due(alert.snooze.until, "digest", "the snooze ends")
    elif alert.work is Work.acknowledged and alert.acknowledged_until:
        ends = Due(alert.acknowledged_until, "digest", "the acknowledgement runs out")
    else:
        return digest
    return min(ends, digest, key=lambda one: one.at)


def _next_digest(after: datetime) -> datetime:
    """The next 09:00 UTC, when digests are read."""
    nine = after.replace(hour=9, minute=0, second=0, microsecond=0)
    return nine if nine > after else nine + timedelta(days=1)


@dataclass(frozen=True)
class Event:
    """One line of an alert's history: folded again from the first, the lines give the stored alert."""

    seq: int
    at: datetime
    actor: str  # a Slack user id, or "patrol"
    kind: str
    story: str
    action: Mapping[str, Any] = field(default_factory=dict)  # the action, as JSON
