"""All that can happen to an alert: what a person does, what the data say, what a clock or a job reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.alert import Disposition, FalseCause, Lane, Snooze, Terms
from sensors.model.policy import NOTHING, Severity

MACHINE = "patrol"


@dataclass(frozen=True)
class Fire:
    """A run found the key in violation."""

    policy: str
    key: str
    lane: Lane
    terms: Terms
    title: str
    severity: Severity
    count: int  # in all, as people should see it
    as_of: datetime
    new_evidence: bool  # at least one row that no run had seen
    key_values: Mapping[str, Any] = NOTHING
    newest: Mapping[str, Any] = NOTHING
    on_open: tuple[str, ...] = ()  # jobs to start when this opens an alert
    forgiven_until: datetime | None = None  # rows seen until then were called a false positive
    previous: int | None = None  # an earlier alert of the key, now closed for good
    as_file: bool = False  # more rows than a card can show: they go into its thread as a file
    entities: tuple[str, ...] = ()  # whom it is about: "seller:s_1"
    snooze: Snooze | None = None  # of its entity or policy: what it opens is quiet from the start


@dataclass(frozen=True)
class Clear:
    """A good run no longer found a condition."""

    as_of: datetime


@dataclass(frozen=True)
class Unknown:
    """A run failed or its data are late: whether the condition still holds is not known."""

    why: str


@dataclass(frozen=True)
class Renamed:
    """Its policy was moved to another path; a key that names the policy changes too."""

    policy: str
    key: str


@dataclass(frozen=True)
class Mended:
    """Its policy, as it now is, no longer finds what was called a false positive. `by` called it one."""

    by: str
    version: str  # the policy's, as people see it


@dataclass(frozen=True)
class Timer:
    """What was due has come: a step, a reminder, the end of an acknowledgement or of a snooze."""


@dataclass(frozen=True)
class Hush:
    """A snooze of its entity or policy covers it from now on. `began` is when that snooze did."""

    snooze: Snooze
    began: datetime
    instead: int | None = None  # the snooze that it takes the place of, however long that was


@dataclass(frozen=True)
class Rouse:
    """The snooze that covered it, of its entity or policy, was ended by hand."""

    of: int
    ended_by: str


@dataclass(frozen=True)
class Unheard:
    """A page reached nobody. `step`: how many steps had been told with it.

    `people` do not want to be disturbed `until` then; without them it was the pager, for the reason `why`.
    """

    step: int
    people: tuple[str, ...] = ()
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class PagerCalled:
    """The team's pager has taken the call of this effect."""

    effect: int
    said: str


@dataclass(frozen=True)
class Acknowledge:
    by: str
    span: timedelta | None = None  # default: the team's


@dataclass(frozen=True)
class Unacknowledge:
    by: str


@dataclass(frozen=True)
class Assign:
    by: str
    to: str


@dataclass(frozen=True)
class SnoozeFor:
    by: str
    until: datetime
    why: str = ""


@dataclass(frozen=True)
class Wake:
    by: str


@dataclass(frozen=True)
class Resolve:
    by: str
    disposition: Disposition
    false_cause: FalseCause | None = None
    note: str = ""


@dataclass(frozen=True)
class Reopen:
    by: str
    held_by: int | None = None  # a newer alert that holds the key now


@dataclass(frozen=True)
class Escalate:
    by: str
    why: str = ""


@dataclass(frozen=True)
class Comment:
    by: str
    text: str


@dataclass(frozen=True)
class ShareRows:
    """A person wants all its rows in its thread, as a file."""

    by: str


@dataclass(frozen=True)
class Rerun:
    """A person asks the data again; the answer comes as `RerunEnded`."""

    by: str


@dataclass(frozen=True)
class RerunEnded:
    by: str
    answer: str  # in words: still there / gone / new rows / failed, why


@dataclass(frozen=True)
class StartJob:
    """A person (or `on_open`: the machine) starts a job with checked parameters."""

    by: str
    job: str
    params: Mapping[str, Any] = NOTHING
    waits: bool = False  # for a second person


@dataclass(frozen=True)
class JobDecided:
    """What became of a job that waited for a second person: `said` in words, `state` an ApprovalState."""

    approval: int
    state: str
    job: str
    asked_by: str
    said: str
    by: str = MACHINE


@dataclass(frozen=True)
class JobEnded:
    """`by` asked for its end, where it was cancelled; "" where that was done over there."""

    run: int
    job: str
    ok: bool
    outcome: str
    link: str | None = None
    cancelled: bool = False
    by: str = ""


PersonAction = (
    Acknowledge
    | Unacknowledge
    | Assign
    | SnoozeFor
    | Wake
    | Resolve
    | Reopen
    | Escalate
    | Comment
    | ShareRows
    | Rerun
    | StartJob
)
Action = (
    Fire
    | Clear
    | Unknown
    | Renamed
    | Mended
    | Timer
    | Hush
    | Rouse
    | Unheard
    | PagerCalled
    | RerunEnded
    | JobDecided
    | JobEnded
    | PersonAction
)
