"""A backfill: policies one after the other, window by window, and how that is said.
Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.cost import Cost
from bot.core.words import clean, count, when, who
from sensors.model.clock import say_duration

MOST_POLICIES = 20  # of one backfill
MOST_NAMED = 10  # of them, or of alerts, in a sentence
RECKONED_BY = 3  # windows that were looked at, before it is said how long the rest takes
CELLS = 20  # of its bar


class BackfillState(StrEnum):
    """How it is with it."""

    running = "running"
    stopping = "stopping"  # somebody has said stop: the window at hand is its last
    stopped = "stopped"
    failed = "failed"
    done = "done"

    @property
    def ended(self) -> bool:
        return self not in (BackfillState.running, BackfillState.stopping)


@dataclass(frozen=True)
class Stage:
    """One policy of a backfill: the time that it looks at, in how many windows, and how many are behind it.

    `content` is the policy's text that was agreed to; `each` the size of a window of events, where one was
    said.
    """

    policy: str
    content: str
    start: datetime
    end: datetime
    windows: int
    done: int = 0
    bad_rows: int = 0  # that lack what the key needs
    each: timedelta | None = None

    @property
    def over(self) -> bool:
        return self.done >= self.windows


@dataclass(frozen=True)
class BackfillRun:
    """`why`: why it failed; while it runs, what it waits for; with marks. `looked` windows have taken
    `worked`.

    `id` is 0 until it is kept; `token` that of the process that is at it.
    """

    by: str  # a person at Slack, or the name of a user of the command line
    asked_at: datetime
    stages: tuple[Stage, ...]
    team: str  # of its first policy: in the review channel of that it is told
    channel: str
    again: bool = False  # also what an earlier backfill has looked at
    state: BackfillState = BackfillState.running
    id: int = 0
    token: str = ""
    why: str = ""
    looked: int = 0
    worked: timedelta = timedelta()
    ended_at: datetime | None = None
    ended_by: str = ""

    @property
    def name(self) -> str:
        return f"BKF-{self.id}"

    @property
    def in_slack(self) -> bool:
        """Whether somebody at Slack has asked for it, who can be told there."""
        return who(self.by) != self.by

    @property
    def key(self) -> str:
        """Of the notice that shows it."""
        return f"backfill-{self.id}"

    @property
    def stage(self) -> int | None:
        """The one that is looked at; None where all are over."""
        return next((n for n, one in enumerate(self.stages) if not one.over), None)

    @property
    def windows(self) -> int:
        return sum(one.windows for one in self.stages)

    @property
    def done(self) -> int:
        return sum(one.done for one in self.stages)

    @property
    def left(self) -> timedelta | None:
        """How long the rest will take, by what was looked at so far; None where that is not known."""
        if self.looked < RECKONED_BY or self.state.ended:
            return None
        return (self.windows - self.done) * (self.worked / self.looked)


@dataclass(frozen=True)
class Found:
    """What it has found so far: rows, and the alerts that it opened."""

    rows: int = 0
    alerts: tuple[int, ...] = ()


NOTHING_FOUND = Found()


def takes(windows: int, cost: Cost | None) -> str:
    """About how long so many queries take, by what each run of the policy took lately, in words."""
    if not windows:
        return ""
    if cost is None or not cost.runs:
        return "how long that takes is not known: no run of the last 7 days asked the warehouse"
    whole = timedelta(seconds=cost.seconds / cost.runs * windows)
    about = say_duration(max(whole, timedelta(seconds=1)))
    return f"about {about}: its runs took {cost.each} each lately"


def bar(run: BackfillRun) -> str:
    """How far it is, as a picture in one line. Full only when all is done."""
    full = CELLS * run.done // run.windows if run.windows else 0
    return "█" * full + "░" * (CELLS - full)


def named(run: BackfillRun) -> str:
    """Its policies."""
    first = [f"`{clean(one.policy)}`" for one in run.stages[:MOST_NAMED]]
    more = len(run.stages) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def span(run: BackfillRun) -> str:
    """The whole time that it looks at."""
    start, end = min(one.start for one in run.stages), max(one.end for one in run.stages)
    return f"{when(start)} → {when(end)} ({say_duration(end - start)})"


def progress(run: BackfillRun) -> str:
    """How far it is, in a line."""
    told = f"{run.done:,} of {count(run.windows, 'window')}"
    now = run.stage
    if now is None or run.state.ended:
        return told
    many = f" · policy {now + 1} of {len(run.stages)}: `{clean(run.stages[now].policy)}`"
    left = f" · about {say_duration(run.left)} to go" if run.left else ""
    return f"{told}{many if run.stages[1:] else ''}{left}"


def found_in_words(run: BackfillRun, found: Found, hidden: bool) -> str:
    """What came of it. `hidden`: where it is read, not everybody may know."""
    if hidden:
        return "what it found, only those see who may"
    shown = ", ".join(f"ALR-{one}" for one in found.alerts[:MOST_NAMED])
    more = len(found.alerts) - MOST_NAMED
    which = f" ({shown}{f' and {more} more' if more > 0 else ''})" if shown else ""
    bad = sum(one.bad_rows for one in run.stages)
    lack = f"; {count(bad, 'row')} without what the key needs, not counted" if bad else ""
    return f"{count(found.rows, 'row')}, {count(len(found.alerts), 'new alert')}{which}{lack}"


def state_in_words(run: BackfillRun) -> str:
    """What is to be known of it beside how far it is; empty while it goes on as it should."""
    match run.state:
        case BackfillState.stopping:
            return f"{who(run.ended_by)} has said stop: the window at hand is its last"
        case BackfillState.stopped:
            return f"stopped by {who(run.ended_by)}: what was looked at counts, the rest was not looked at"
        case BackfillState.failed:
            return f"it failed: {run.why}"
        case BackfillState.running if run.why:
            return f"waits: {run.why}"
    return ""


def on_now(run: BackfillRun) -> str:
    """One that runs, in a line of a list; how far it is, its message says."""
    return f"{run.name}: {named(run)}, {span(run)}, by {who(run.by)}"


def ended(run: BackfillRun, found: Found, hidden: bool) -> str:
    """What the one who asked for it is told at its end."""
    what = f"{run.name}, the backfill of {named(run)},"
    if run.state is BackfillState.failed:
        return f"{what} failed after {progress(run)}: {run.why}. The button `Go on` above takes it up again."
    return f"{what} is done: {progress(run)}, {found_in_words(run, found, hidden)}."
