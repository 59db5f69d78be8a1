"""Looks at a range of the past, window by window, beside whatever else runs. Moves no watermark."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from bot.core.backfill import BackfillRun, Stage, takes
from bot.core.change import Refused
from bot.core.cost import Cost
from bot.core.ledger import Stretch, Stretches, common
from bot.core.past import name, windows
from bot.core.words import when
from bot.engine.asked import Ticked
from bot.engine.engine import Engine
from bot.process.errors import StoreAway
from sensors.model.clock import say_duration
from sensors.model.policy import Incremental, Now, Policy
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.model.window import INSTANT, Window
from sensors.run import data_until

MOST = 5000  # windows of one backfill
MOST_PARTS = 200  # of one window, when only a part at a time fits
AGAIN_S = 0.5  # while another run of the policy is at it
RENEW_S = 4.0
LATELY = timedelta(days=7)  # whose runs say how long a query takes


@dataclass(frozen=True)
class Plan:
    """What a backfill would look at."""

    policy: Policy
    past: Stretch
    windows: tuple[Window, ...]
    looked: Stretches  # of it, by whatever run
    done: int  # windows that an earlier backfill has looked at
    channel: str
    clipped: str = ""  # why it ends before what was asked for
    cost: Cost | None = None  # of its runs lately
    each: timedelta | None = None  # the size of a window of events, where it was said

    @property
    def left(self) -> int:
        """Windows that no backfill has looked at."""
        return len(self.windows) - self.done

    @property
    def stage(self) -> Stage:
        """What the bot is to carry out."""
        policy, past = self.policy, self.past
        return Stage(policy.name, policy.content, past.start, past.end, len(self.windows), each=self.each)


@dataclass(frozen=True)
class Step:
    """What came of one window."""

    window: Window
    rows: int = 0
    fired: int = 0
    bad_rows: int = 0
    before: bool = False  # an earlier backfill had looked at it
    failed: str = ""  # why it could not be looked at: the backfill ends here
    passing: bool = False  # what failed may be well when it is tried again


def plan(
    engine: Engine, policy: Policy, past: Stretch, *, each: timedelta | None = None, again: bool = False
) -> Plan | Refused:
    """What there is to look at, or why not. Raises WarehouseError, and StoreAway."""
    if isinstance(policy.window, Now):
        return Refused(f"{policy.name} looks at the world as it is, and how it was is not kept.")
    if not policy.runs:
        return Refused(f"{policy.name} is {policy.status.value}: make it shadow or live first.")
    if past.empty:
        return Refused("FROM must be before TO.")
    team = engine.catalog.teams.get(policy.owner)
    channel = policy.review_channel or (team.review_channel if team else "")
    if not channel:
        return Refused(
            f"Its alerts need a review channel: name one for {policy.owner} in policies/_teams.yml."
        )
    limit, why = _limit(engine, policy)
    if past.start >= limit:
        return Refused(f"A backfill of {policy.name} ends at {limit:%Y-%m-%d %H:%M:%S} UTC: {why}.")
    clipped = why if past.end > limit else ""
    past = Stretch(past.start, min(past.end, limit))
    found = windows(policy, past, each, MOST + 1)
    if not found:
        return Refused(f"{policy.name} was not due between these times.")
    if len(found) > MOST:
        return Refused(f"That is more than {MOST:,} windows, which are the most: take a shorter time.")
    known = engine.store.ledger.ranges(policy.name)
    done = 0 if again else sum(_whole(known, window) for window in found)
    looked = common([past], engine.store.ledger.covered(policy.name, since=past.start))
    now = engine.clock()
    cost = engine.store.costs.between(now - LATELY, now + INSTANT, [policy.name]).get(policy.name)
    return Plan(policy, past, found, looked, done, channel, clipped, cost, each)


def resumed(policy: Policy, stage: Stage) -> Plan:
    """What is left of a stage that was agreed to, of the policy as it was then."""
    past = Stretch(stage.start, stage.end)
    left = windows(policy, past, stage.each)[stage.done :]
    return Plan(policy, past, left, (), 0, "", each=stage.each)


def taken_up(engine: Engine, run: BackfillRun) -> tuple[Stage, ...] | Refused:
    """The stages of one that ended early, as its policies now are: one that was changed begins anew, and what
    was looked at before is left out as ever."""
    stages = []
    for one in run.stages:
        policy = engine.catalog.policies.get(one.policy)
        if policy is None or not policy.runs:
            return Refused(f"{one.policy} is no longer run.")
        if policy.content != one.content and not one.over:
            found = windows(policy, Stretch(one.start, one.end), one.each, MOST)
            one = replace(one, content=policy.content, windows=len(found), done=0)
        stages.append(one)
    return tuple(stages)


def _limit(engine: Engine, policy: Policy) -> tuple[datetime, str]:
    """Until when a backfill may look, and why no further."""
    now = engine.clock()
    limit, why = now, "what comes after is the future"
    loaded = data_until(policy, engine.catalog.assets, engine.warehouse)
    if loaded is not None and loaded + INSTANT < limit:
        limit, why = loaded + INSTANT, "no more is loaded"
    if isinstance(policy.window, Incremental):
        watermark = engine.store.runs.watermark(policy.name)
        if watermark is not None and watermark - policy.window.lookback < limit:
            limit = watermark - policy.window.lookback
            why = "what comes after, its schedule looks at by itself"
    return limit, why


Known = dict[str, tuple[RunStatus, Window | None]]


def _seen(known: Known, window: Window, part: int) -> Window | None:
    """What a good run of this part has looked at."""
    for attempt in count():
        status, seen = known.get(name(window, part, attempt), (None, None))
        if status is None:
            return None
        if status is RunStatus.succeeded:
            return seen
    return None


def _whole(known: Known, window: Window) -> bool:
    """Whether all parts of the window have been looked at."""
    seen, part = _seen(known, window, 0), 0
    while seen and seen.end < window.end:
        part += 1
        seen = _seen(known, window, part)
    return seen is not None


class Backfill:
    """Carries out a plan. `wait` sleeps so many seconds, and says whether to stop instead; `waits` is told
    why nothing can be looked at just now."""

    def __init__(
        self,
        engine: Engine,
        planned: Plan,
        wait: Callable[[float], bool],
        *,
        by: str = "",
        again: bool = False,
        waits: Callable[[str], object] = lambda _why: None,
    ) -> None:
        self.engine = engine
        self.policy = planned.policy
        self.windows = planned.windows
        self._wait = wait
        self._waits = waits
        self._by = by or None
        self._again = again
        self._known: Known = engine.store.ledger.ranges(planned.policy.name)

    def steps(self) -> Iterator[Step]:
        """Window after window, until all are looked at, one fails, or somebody says stop."""
        with _renewing(self.engine):
            for window in self.windows:
                if self._wait(0):
                    return
                step = self._look_at(window)
                if step is None:
                    return
                yield step
                if step.failed:
                    return

    def _look_at(self, window: Window) -> Step | None:
        """The window, in parts if it must be; None where somebody said stop."""
        if not self._again and _whole(self._known, window):
            return Step(window, before=True)
        rows = fired = bad = 0
        after: datetime | None = None
        for part in range(MOST_PARTS):
            seen = None if self._again else _seen(self._known, window, part)
            if seen is None:
                ticked = self._tick(window, part, after)
                if ticked is None:
                    return None
                if ticked.looked is None or not ticked.looked.ok:
                    why = ticked.looked.error if ticked.looked else ticked.why_not
                    passing = bool(ticked.looked and ticked.looked.transient)
                    failed = why or "it could not be looked at"
                    return Step(window, rows, fired, bad, failed=failed, passing=passing)
                seen = ticked.looked.window
                rows, bad = rows + len(ticked.looked.rows), bad + len(ticked.looked.bad_rows)
                fired += sum(fire.new_evidence for fire in ticked.found.fired)
            if seen.end >= window.end:
                return Step(window, rows, fired, bad)
            after = seen.end
        return Step(window, rows, fired, bad, failed=f"more than {MOST_PARTS} parts: say a smaller --each")

    def _tick(self, window: Window, part: int, after: datetime | None) -> Ticked | None:
        """One run, as soon as no other run of the policy is at it."""
        while True:
            cause = Cause(CauseKind.range, self._free(window, part))
            ticked = self.engine.tick(
                self.policy.name,
                cause,
                window.end,
                by=self._by,
                window=lambda _: window,
                after=after,
            )
            if ticked.looked and not ticked.busy:
                self._known[cause.detail] = (ticked.looked.status, ticked.looked.window)
                return ticked
            if not ticked.busy:
                self._waits(ticked.why_not)
            if self._wait(AGAIN_S):
                return None
            self._bring_back()
            self._known = self.engine.store.ledger.ranges(self.policy.name)

    def _free(self, window: Window, part: int) -> str:
        """The first name under which no run has ended yet."""
        running = (None, RunStatus.running)
        names = (name(window, part, attempt) for attempt in count())
        return next(n for n in names if self._known.get(n, (None, None))[0] in running)

    def _bring_back(self) -> None:
        """Where no bot runs, a run that died would stand in the way for ever: it is looked at to its end."""
        for run in self.engine.store.runs.dead(self.engine.clock()):
            if run.policy == self.policy.name:
                self.engine.tick(run.policy, run.cause, run.due, by=run.by, alert=run.alert)


@contextmanager
def _renewing(engine: Engine) -> Iterator[None]:
    """Keeps the leases of what runs here for as long as it lasts."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_S):
            with suppress(StoreAway):  # the next time, or the run is taken over
                engine.runs.renew()

    thread = threading.Thread(target=renew, name="renew", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def preview(planned: Plan, channel: str = "") -> list[str]:
    """What it would do, in words; `channel`: how people call it that its alerts go to."""
    looked = sum((s.length for s in planned.looked), timedelta())
    lines = [
        queries(planned),
        takes(planned.left, planned.cost),
        f"looked at before: {say_duration(looked)} of {say_duration(planned.past.length)}"
        + (" (what was seen then does not alert again)" if looked >= timedelta(seconds=1) else ""),
        f"alerts go to {channel or planned.channel}, page nobody and start no jobs",
        f"it ends {when(planned.past.end)}: {planned.clipped}" if planned.clipped else "",
    ]
    return [line for line in lines if line]


def queries(planned: Plan) -> str:
    """In how many windows and queries it looks."""
    total, left = len(planned.windows), planned.left
    size = max(w.end - w.start for w in planned.windows if w.start)
    what = f"windows of {'at most ' if planned.policy.accumulates and total > 1 else ''}{say_duration(size)}"
    before = f"; {planned.done:,} were backfilled before and are left out" if planned.done else ""
    return (
        f"{total:,} {what if total > 1 else what.replace('windows', 'window')}{before}: "
        f"{left:,} {'query' if left == 1 else 'queries'}"
    )
