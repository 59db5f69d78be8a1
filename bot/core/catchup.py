"""What a policy runs when it is due, and how it makes up for due times that were missed. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core.plan import due_now, last_due
from bot.core.upstream import State, stamp
from sensors.model.policy import Incremental, Policy, Schedule, WindowKind
from sensors.model.run import Cause, CauseKind
from sensors.model.window import INSTANT, Window, window_for

MOST = 100  # missed due times that are run each; what is older goes into the first of them


@dataclass(frozen=True)
class Tick:
    """One run that is due. `rest`: of what was due before times were missed, and had not been loaded then.

    Not only the clock makes one due: `states` of upstreams do; and `waited` is the cause of a run that waits.
    """

    due: datetime
    begins: datetime | None = None  # what lies before it, and was not looked at, is passed over
    rest: bool = False
    states: tuple[State, ...] = ()
    waited: Cause | None = None
    missed: str = field(default="", compare=False)  # times before it, and what becomes of them, in words

    @property
    def cause(self) -> Cause:
        if self.waited:
            return self.waited
        if self.states:
            return Cause(CauseKind.upstream, stamp(self.states))
        return Cause(CauseKind.tick, self.stamp)

    @property
    def stamp(self) -> str:
        """The detail of its cause, where that is the clock."""
        return f"{self.due.isoformat().replace('+00:00', 'Z')}{'+rest' if self.rest else ''}"


@dataclass(frozen=True)
class CatchUp:
    """The runs that are due now, in order; where times were missed, what becomes of them in words."""

    ticks: tuple[Tick, ...] = ()
    story: str = ""


def due_ticks(policy: Policy, at: datetime, last_tick: datetime | None) -> CatchUp:
    """What is to be run at `at`, by the policy's `catchup`. `last_tick` is the newest due time that was run.

    `merge` runs the newest due time over all that was missed. `each` runs every missed time, over what had
    come until then. `skip` runs the newest one over its own time only: that leaves a hole.
    A time is missed only if nobody ran it: one that found nothing loaded, or failed, was not.
    """
    due = due_now(policy.schedule, at, last_tick)
    if due is None:
        return CatchUp()
    if last_tick is None or policy.catchup == "merge" or not isinstance(policy.window, Incremental):
        return CatchUp((Tick(due),))
    before = last_due(policy.schedule, due - INSTANT)
    if before is None or before <= last_tick:
        return CatchUp((Tick(due),))
    if policy.catchup == "each":
        return _each(policy.schedule, due, last_tick)
    begins = before - policy.window.delay
    story = f"due times were missed: what came from {_said(last_tick)} to {_said(before)} is passed over"
    return CatchUp((Tick(last_tick, rest=True), Tick(due, begins)), f"{story}; see patrol gaps")


def merged(found: CatchUp) -> CatchUp:
    """One run over all instead."""
    return CatchUp(found.ticks[-1:] and (replace(found.ticks[-1], begins=None),))


SCHEDULE = re.compile(r"^schedule:.*(?:\n[ \t].*)*", re.MULTILINE)


def same_schedule(was: str, now: str) -> bool:
    """Whether two bodies of a policy say the same schedule, letter for letter."""
    old, new = (_schedule(body) for body in (was, now))
    return bool(old) and old == new


def _schedule(body: str) -> str:
    """How a body says it; empty where there is none."""
    texts = json.loads(body)["files"] if body else []
    return next((found[0] for text in texts if (found := SCHEDULE.search(text))), "")


def _each(schedule: Schedule, due: datetime, last_tick: datetime) -> CatchUp:
    dues = [due]
    while len(dues) <= MOST and (before := last_due(schedule, dues[-1] - INSTANT)) and before > last_tick:
        dues.append(before)
    story = f"{len(dues) - 1} due times were missed: each is run"
    if len(dues) > MOST:
        dues.pop()
        story = (
            f"more than {MOST - 1} due times were missed: the newest {MOST} are run each, the first over all "
        )
        story += "before"
    return CatchUp(tuple(Tick(one) for one in reversed(dues)), story)


def _said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def tick_window(
    kind: WindowKind,
    due: datetime,
    watermark: datetime | None,
    until: datetime | None,
    begins: datetime | None = None,
) -> Window:
    """What a tick looks at: as `window_for` has it, but nothing between the watermark and `begins`.

    Where nothing has come since `begins`, the window is empty and ends there, so that the watermark moves on.
    """
    whole = window_for(kind, due, watermark, until)
    if begins is None or whole.start is None or not isinstance(kind, Incremental):
        return whole
    if whole.end <= begins:
        return Window(begins, begins)
    return replace(whole, start=max(whole.start, begins - kind.lookback - INSTANT))
