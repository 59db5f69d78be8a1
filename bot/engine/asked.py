"""One look from its asking to its end, as values: what is asked for, what is ours, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.catchup import tick_window
from bot.core.reconcile import Reconciled
from bot.core.upstream import State
from bot.store import RENAMED_AWAY, Ask
from sensors.model.asset import LateTable
from sensors.model.policy import Policy, WhenLate
from sensors.model.run import Cause, Looked, Run
from sensors.model.window import INSTANT, Window

NOTHING_FOUND = Reconciled()


@dataclass(frozen=True)
class Asked:
    """A look that the clock or a person asks for.

    `window` is for runs that people ask for: from the end of what is loaded to the window to look at.
    `after` is where the part of the window ended that was looked at before, if it did not fit whole; `begins`
    where the time ends that a policy with `catchup: skip` passes over. `states`: of what it
    runs after.
    """

    policy: str
    cause: Cause
    due: datetime
    by: str | None = None
    alert: int | None = None
    window: Callable[[datetime], Window] | None = None
    after: datetime | None = None
    begins: datetime | None = None
    states: tuple[State, ...] = ()


@dataclass(frozen=True)
class Claimed:
    """A run that is ours; `failed` where the warehouse could not even say how far its tables are loaded."""

    policy: Policy
    run: Run
    failed: Looked | None = None


@dataclass(frozen=True)
class Ticked:
    """What came of a tick: the look, or why there was none: another process has it, it was done before."""

    run: Run | None = None
    looked: Looked | None = None
    why_not: str = ""
    busy: bool = False  # another process is at it: ask again shortly
    waits: bool = False  # for late data: it is run when they have come
    found: Reconciled = NOTHING_FOUND

    @property
    def stops(self) -> bool:
        """Whether a later run of the policy is not to follow now: it waits for another, or for the data."""
        return self.busy or self.waits or (self.run is not None and not (self.looked and self.looked.ok))

    @property
    def goes_on(self) -> bool:
        """Whether only the earlier part of the window could be looked at, so that the rest is due at once."""
        return bool(
            self.run and self.looked and self.looked.ok and self.looked.window.end < self.run.window.end
        )


@dataclass(frozen=True)
class Ready:
    """What is known before a run is claimed."""

    asked: Asked
    policy: Policy
    until: datetime | None  # how far its tables are loaded
    failed: Looked | None
    behind: tuple[
        LateTable, ...
    ]  # that it should not be run without; what somebody asks for is run all the same

    @property
    def late(self) -> str:
        return "; ".join(table.said for table in self.behind)

    @property
    def waits(self) -> bool:
        """Whether it is run when they have come. With `skip` this time is passed over."""
        return bool(self.behind) and all(table.when is not WhenLate.skip for table in self.behind)

    def ask(self) -> Ask:
        one, policy = self.asked, self.policy
        return Ask(
            policy.name,
            one.cause,
            one.due,
            self._window,
            policy.accumulates,
            policy.content,
            by=one.by,
            alert=one.alert,
            states=one.states,
            waits=self.late if self.waits else "",
        )

    def _window(self, watermark: datetime | None) -> Window:
        one = self.asked
        if watermark == RENAMED_AWAY:  # these files are old: its past has another name
            return Window(one.due, one.due)
        if one.window:
            whole = one.window(min(one.due, self.until + INSTANT) if self.until else one.due)
        else:
            whole = tick_window(self.policy.window, one.due, watermark, self.until, one.begins)
        rest = one.after is not None and whole.start is not None and whole.start < one.after
        return replace(whole, start=one.after) if rest else whole
