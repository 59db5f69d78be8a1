"""What goes into the store and comes out of it beside the values of the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.core.alert import Lane
from bot.core.change import Change
from bot.core.message import Message
from bot.core.reconcile import Seen
from bot.core.reply import Evidence
from bot.core.trail import Line
from bot.core.upstream import State
from sensors.model.policy import NOTHING
from sensors.model.run import Cause, Run, RunStatus
from sensors.model.window import Window

RENAMED_AWAY = datetime(9999, 1, 1, tzinfo=UTC)  # the watermark of a name that its policy has left


@dataclass(frozen=True)
class Ask:
    """What somebody wants to run. `window_of` makes the window of a new run from the watermark; it must be
    quick, since it is called inside a transaction."""

    policy: str
    cause: Cause
    due: datetime
    window_of: Callable[[datetime | None], Window]
    incremental: bool
    content: str
    by: str | None = None
    alert: int | None = None
    states: tuple[State, ...] = ()  # of upstreams, that the run is for
    waits: str = ""  # for which late data it is to wait, in words, instead of beginning


@dataclass(frozen=True)
class Keys:
    """Some keys of a policy (None: all of them) whose alerts, or rows seen since then, are wanted."""

    policy: str
    keys: Iterable[str] | None
    lane: Lane = Lane.live
    since: datetime | None = None


@dataclass(frozen=True)
class RunSave:
    """All that a good run leaves behind, to be kept in one transaction or not at all."""

    run: Run
    window: Window  # really looked at
    changes: tuple[Change, ...] = ()
    evidence: Mapping[str, Evidence] = NOTHING  # by canonical key, rows newest first
    remember: tuple[Seen, ...] = ()
    rows: int = 0
    violations: int = 0
    query_id: str | None = None
    elapsed_s: float = 0.0
    bytes: int | None = None  # that its rows hold; None: nobody counted
    incremental: bool = False  # rows are events: they add up, and the watermark moves
    content: str = ""
    lane: Lane | None = None  # of its alerts; None where the policy has but one


@dataclass(frozen=True)
class Beside:
    """What is kept in one transaction with changes that no run made."""

    evidence: Mapping[str, Evidence] = NOTHING  # by canonical key, rows newest first
    # Effects that end unsent: why, and the message of each that was tried, of which nothing is at Slack.
    dropped: Mapping[int, tuple[str, Message | None]] = field(default_factory=dict)
    trail: tuple[Line, ...] = ()  # of the audit


@dataclass(frozen=True)
class Held:
    """Somebody else is running it, or another run of this policy, until its lease runs out."""

    until: datetime
    cause: Cause


@dataclass(frozen=True)
class Done:
    """This cause has ended already."""

    status: RunStatus


@dataclass(frozen=True)
class Waiting:
    """The policy's one run that waits for late data: since when, and for which, in words."""

    since: datetime
    why: str


@dataclass(frozen=True)
class DeadRun:
    """A run whose lease ran out, or one that failed and is to be tried again: claim its cause again."""

    policy: str
    cause: Cause
    due: datetime
    by: str | None
    alert: int | None


@dataclass(frozen=True)
class Behind:
    """What the runs that found an alert's rows looked at, in all, and what the newest was run with."""

    window: Window
    content: str


@dataclass(frozen=True)
class Waits:
    """So many messages wait to be posted. `channel` is empty where no card of them has been tried yet."""

    policy: str
    team: str
    lane: str
    channel: str
    cards: int
    lines: int  # of threads


@dataclass(frozen=True)
class RunRecord:
    """A run as it is remembered."""

    policy: str
    cause: Cause
    status: RunStatus
    due: datetime
    window: Window | None
    started_at: datetime | None
    ended_at: datetime | None
    rows: int
    violations: int
    error: str
    query_id: str | None
    elapsed_s: float  # of all its attempts
    attempt: int
    content: str
    retry_at: datetime | None = None  # of a failed run: when it is tried again
    bytes: int | None = None
