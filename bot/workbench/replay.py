"""What a policy would have alerted: the bot's story over history, on the real warehouse and without a store.

It posts nothing and remembers nothing once it is over. Who would have worked on the alerts is assumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.alert import Lane
from bot.core.change import Refused
from bot.core.entities import addressed
from bot.core.held import Assumed, Held, Opening, Page
from bot.core.ledger import Stretch
from bot.core.past import reach_back, sampled, windows
from bot.core.plan import last_due, next_due
from bot.core.reconcile import Seen, reconcile, remembered_since, speaks_of
from bot.core.route import lane_of
from sensors.model.catalog import Catalog
from sensors.model.policy import After, Incremental, Now, Policy
from sensors.model.run import Looked
from sensors.model.violation import FoundRow, violations_of
from sensors.model.window import INSTANT, Window, window_for
from sensors.run import look
from sensors.sql.alone import rows_stand_alone
from sensors.title import title
from sensors.warehouse import Warehouse

MOST_LOOKS = 720  # of one replay, unless more are asked for: hourly over 30 days
HARD_LIMIT = 20_000
LONG, WEEK = timedelta(days=200), timedelta(days=7)
GIVES_UP = 3  # looks that fail one after the other


@dataclass(frozen=True)
class Replayed:
    """What the bot would have said between `start` and `end`, and what it took to find out."""

    policy: Policy
    start: datetime
    end: datetime  # until where it came: less than what was asked for where it was stopped
    openings: tuple[Opening, ...] = ()
    pages: tuple[Page, ...] = ()
    rows: int = 0
    looks: int = 0
    seconds: float = 0.0
    bad_rows: int = 0
    step: timedelta | None = None  # between looks, where they were fewer than the schedule has
    failed: tuple[tuple[Window, str], ...] = ()  # what could not be looked at, and why
    truncated: tuple[Window, ...] = ()  # looks that gave more rows than can be read
    complete: bool = True


@dataclass(frozen=True)
class Planned:
    """How a time will be looked at. `alone`: each row stands for itself, so windows may be large; else there
    is a look for each of `dues`."""

    alone: bool
    windows: tuple[Window, ...]
    dues: tuple[datetime, ...]
    step: timedelta | None = None


def plan(
    policy: Policy, dialect: str, start: datetime, end: datetime, *, step: timedelta | None = None
) -> Planned | Refused:
    """What there is to look at between the two times, or why nothing can be. `dialect`: the warehouse's."""
    if isinstance(policy.window, Now):
        return Refused(
            f"{policy.name} looks at the world as it is (it has no window), and how that was is not kept: "
            f"there is no past to replay. `patrol run {policy.name}` shows how it is now."
        )
    if start >= end:
        return Refused("There is no time between the beginning and the end: --from must be before --to.")
    if isinstance(policy.schedule, After) and step is None:
        said = ", ".join(policy.schedule.upstream)
        return Refused(
            f"{policy.name} runs after {said}, and when that was is not kept: "
            "say --step 1h to look each hour."
        )
    begin = reach_back(policy, start)
    if isinstance(policy.window, Incremental) and step is None and _alone(policy, dialect):
        delay = policy.window.delay
        past = Stretch(begin - delay, end - delay)
        return Planned(True, windows(policy, past, WEEK if past.length > LONG else None), ())
    found = sampled(policy.schedule, begin, end, MOST_LOOKS, step)
    if len(found.dues) > HARD_LIMIT:
        many = f"That is {len(found.dues):,} looks, and {HARD_LIMIT:,} are the most"
        return Refused(f"{many}: say a longer --step, or take a shorter time.")
    if not found.dues:
        return Refused(f"{policy.name} was not due between these times: take a longer time.")
    return Planned(False, tuple(_ticks(policy, found.dues)), found.dues, found.step)


def _alone(policy: Policy, dialect: str) -> bool:
    query, window = policy.query, policy.window
    assert isinstance(window, Incremental)
    native = query.native.get(dialect)
    if native is not None and not rows_stand_alone(native, dialect, window.column):
        return False
    return rows_stand_alone(query.sql, query.dialect, window.column)


def _ticks(policy: Policy, dues: tuple[datetime, ...]) -> Iterator[Window]:
    """What the run of each due time looks at, had the one before it looked at all that there was then."""
    watermark = None
    for due in dues:
        window = window_for(policy.window, due, watermark, None)
        watermark = window.end
        yield window


class Replay:
    """Goes through it look by look, so that whoever watches can count them and stop."""

    def __init__(
        self,
        policy: Policy,
        catalog: Catalog,
        warehouse: Warehouse,
        start: datetime,
        end: datetime,
        planned: Planned,
        *,
        assumed: Assumed = Assumed(),  # noqa: B008  a frozen value
        lane: Lane | None = None,
    ) -> None:
        self.policy = policy
        self.start = start
        self.end = end
        self.planned = planned
        self.catalog = catalog
        self.team = catalog.teams.get(policy.owner)
        self.held = Held(self.team, assumed)
        self.lane = lane or lane_of(policy)
        self._warehouse = warehouse
        self._memory: dict[str, dict[str, Seen]] = {}
        self._came = start
        self._rows = self._looks = self._bad = self._failing = 0
        self._seconds = 0.0
        self._failed: list[tuple[Window, str]] = []
        self._truncated: list[Window] = []

    @property
    def total(self) -> int:
        return len(self.planned.windows)

    def steps(self) -> Iterator[Looked]:
        """Each look as it was made. What comes of it is decided before the next one."""
        yield from self._in_large_windows() if self.planned.alone else self._at_each_due_time()

    def result(self) -> Replayed:
        """What came of it so far."""
        complete = self._came >= self.end
        return Replayed(
            policy=self.policy,
            start=self.start,
            end=min(self._came, self.end),
            openings=tuple(o for o in self.held.openings if o.at > self.start),
            pages=tuple(p for p in self.held.pages if p.at > self.start),
            rows=self._rows,
            looks=self._looks,
            seconds=self._seconds,
            bad_rows=self._bad,
            step=self.planned.step,
            failed=tuple(self._failed),
            truncated=tuple(self._truncated),
            complete=complete,
        )

    # ------------------------------------------------------------------- looking

    def _at_each_due_time(self) -> Iterator[Looked]:
        for due, window in zip(self.planned.dues, self.planned.windows, strict=True):
            for looked in self._look(window):
                self._decide(looked, due)
                self._came = max(self._came, due)
                yield looked
            if self._failing >= GIVES_UP:
                return
        self._over()

    def _in_large_windows(self) -> Iterator[Looked]:
        """Rows are handed on when all that their due time would have seen has been read."""
        waiting: dict[datetime, list[FoundRow]] = {}
        assert isinstance(self.policy.window, Incremental)
        delay = self.policy.window.delay
        last = None
        for window in self.planned.windows:
            for looked in self._look(window):
                last = looked
                self._sort_in(looked, waiting)
                self._hand_on(looked, waiting, looked.window.end + delay)
                yield looked
            if self._failing >= GIVES_UP:
                return
        if last is not None:
            self._hand_on(last, waiting, self.end)
        self._over()

    def _look(self, window: Window) -> Iterator[Looked]:
        """The window, in parts where it does not fit whole; nothing of a part that could not be looked at."""
        while not window.empty:
            began = time.monotonic()
            looked = look(self.policy, self._warehouse, window)
            self._seconds += time.monotonic() - began
            self._looks += 1
            if not looked.ok:
                self._failing += 1
                self._failed.append((window, looked.error or looked.status.value))
                return
            self._failing = 0
            self._count(looked)
            yield looked
            if window.start is None or looked.window.end >= window.end:
                return
            window = replace(window, start=looked.window.end)

    def _count(self, looked: Looked) -> None:
        self._rows += len(looked.rows)
        self._bad += len(looked.bad_rows)
        if looked.truncated:
            self._truncated.append(looked.window)

    def _sort_in(self, looked: Looked, waiting: dict[datetime, list[FoundRow]]) -> None:
        """To each row the due time at which the bot would have met it."""
        assert isinstance(self.policy.window, Incremental)
        delay, due, before = self.policy.window.delay, None, None
        for at, row in sorted(((_met(r, looked.window) + delay, r) for r in looked.rows), key=_first):
            if due is None or before is None or not before <= at < due:
                due = next_due(self.policy.schedule, at)
                before = last_due(self.policy.schedule, at)
            assert due is not None
            waiting.setdefault(due, []).append(row)

    def _hand_on(self, looked: Looked, waiting: dict[datetime, list[FoundRow]], until: datetime) -> None:
        assert isinstance(self.policy.window, Incremental)
        reach, delay = self.policy.window.lookback, self.policy.window.delay
        for due in sorted(due for due in waiting if due <= until):
            rows = tuple(waiting.pop(due))
            before = last_due(self.policy.schedule, due - INSTANT)
            assert before is not None
            window = Window(before - delay - reach - INSTANT, due - delay)
            found = violations_of(rows, self.policy.key)
            self._decide(replace(looked, window=window, rows=rows, violations=found), due)
        self._came = max(self._came, min(until, self.end))

    # ------------------------------------------------------------------ deciding

    def _decide(self, looked: Looked, due: datetime) -> None:
        """As a run does at its due time: what the look amounts to, then what becomes of each alert."""
        self.held.live_until(due)
        policy, since = self.policy, remembered_since(looked)
        memory = {v.key: _since(self._memory.get(v.key, {}), since) for v in looked.violations}
        held = self.held.of(speaks_of(looked), due)
        found = reconcile(policy, looked, self.team, memory, held, title, self.lane)
        for key, action in found.actions:
            about = addressed(action, policy, self.catalog, (), due)  # of snoozes it knows none
            self.held.take(held.get(key), about, due)
        for seen in found.remember:
            self._memory.setdefault(seen.key, {}).setdefault(seen.row_hash, replace(seen, seen_at=due))

    def _over(self) -> None:
        self.held.live_until(self.end)
        self._came = self.end


def _met(row: FoundRow, window: Window) -> datetime:
    """When it happened; the last moment of what was looked at, where it does not say so."""
    at = row.event_time
    inside = at is not None and (window.start or at) <= at < window.end
    return at if at is not None and inside else window.end - INSTANT


def _first(pair: tuple[datetime, FoundRow]) -> datetime:
    return pair[0]


def _since(rows: Mapping[str, Seen], since: datetime | None) -> Mapping[str, Seen]:
    if since is None:
        return rows
    return {name: row for name, row in rows.items() if row.event_time is None or row.event_time >= since}


def replay(
    policy: Policy,
    catalog: Catalog,
    warehouse: Warehouse,
    start: datetime,
    end: datetime,
    *,
    progress: Callable[[Looked], None] | None = None,
    step: timedelta | None = None,
    assumed: Assumed = Assumed(),  # noqa: B008
    lane: Lane | None = None,
) -> Replayed | Refused:
    """What the policy would have alerted later than `start` and not later than `end`."""
    planned = plan(policy, warehouse.dialect, start, end, step=step)
    if isinstance(planned, Refused):
        return planned
    work = Replay(policy, catalog, warehouse, start, end, planned, assumed=assumed, lane=lane)
    for looked in work.steps():
        if progress:
            progress(looked)
    return work.result()
