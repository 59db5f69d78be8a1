"""Outages, late loads and clocks that jump: nothing is lost, and what is passed over is known as a hole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from bot.core.alert import Lane
from bot.core.catchup import Tick, tick_window
from bot.core.ledger import holes
from bot.engine.backfill import Backfill, Plan, plan
from bot.engine.due import clock_went_back, due_ticks
from bot.store import Ask, RunSave, Store
from bot.watch.clockwatch import Watch
from sensors.model.policy import Cron, Every, Incremental, Policy
from sensors.model.run import Cause, CauseKind, Run, RunStatus
from sensors.model.window import INSTANT as MICROSECOND
from sensors.model.window import Window
from tests.core.looking import policy
from tests.shell.making import DAY, ELSEWHERE, ELSEWHERE_SQL, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY

pytestmark = pytest.mark.slow

END = NOON + 40 * HOUR
SCHEDULES = (
    Every(5 * MINUTE),
    Every(HOUR),
    Cron("*/20 * * * *"),
    Cron("30 1,13 * * *", "America/New_York"),
)


@dataclass(frozen=True)
class Row:
    at: datetime
    arrives: datetime


@dataclass
class Life:
    """A policy's runs in a real store, over rows that arrive, under a clock that is not always right."""

    store: Store
    policy: Policy
    rows: list[Row]
    sources: bool  # whether the table says until when it is loaded
    found: set[Row] = field(default_factory=set)
    watch: Watch = field(default_factory=lambda: Watch(NOON))
    now: datetime = NOON

    def run(self, now: datetime, clock: datetime) -> None:
        """All that is due: `now` is the truth, `clock` what the machine believes."""
        right = self.watch.saw(clock, now - self.now)  # as the scheduler does
        if right:
            clock_went_back(self.store, [self.policy.name], right)
        self.now = now
        there = [row for row in self.rows if row.arrives <= now]
        until = max((row.at for row in there), default=None) if self.sources else None
        for tick in due_ticks(self.store, self.policy, clock, self.store.runs.last_tick(self.policy.name)):

            def window(watermark: datetime | None, tick: Tick = tick) -> Window:
                return tick_window(self.policy.window, tick.due, watermark, until, tick.begins)

            cause, content = Cause(CauseKind.tick, tick.stamp), self.policy.content
            ask = Ask(self.policy.name, cause, tick.due, window, incremental=True, content=content)
            run = self.store.runs.claim(ask, clock, 15 * SECOND)
            if not isinstance(run, Run):
                continue
            start, end = run.window.start, run.window.end
            self.found.update(row for row in there if start and start <= row.at < end)
            self.store.save(RunSave(run, run.window, incremental=True, content=self.policy.content), clock)


def rows_of(random: Random, lookback: timedelta, until: datetime) -> list[Row]:
    """Rows of a table that is loaded in batches, each late by no more than the lookback."""
    load = random.choice((SECOND, 10 * MINUTE, 2 * HOUR))
    rows, at = [], NOON
    while at < until:
        at += random.choice((SECOND, 7 * MINUTE, 50 * MINUTE))
        batch = NOON + -((NOON - at) // load) * load
        rows.append(Row(at, max(at, min(at + lookback * random.random(), batch))))
    return rows


@dataclass(frozen=True)
class Trouble:
    """In hours after noon. Two times in which the clock is wrong may add up."""

    down: tuple[tuple[int, int], ...] = ()  # no bot runs
    wrong: tuple[tuple[int, int, int], ...] = ()  # the clock is off by so many hours

    def runs(self, hour: float) -> bool:
        return not any(start <= hour < end for start, end in self.down)

    def off(self, hour: float) -> timedelta:
        return sum(by for start, end, by in self.wrong if start <= hour < end) * HOUR


def live(empty: Path, seed: int, catchup: str, trouble: Trouble, sources: bool | None = None) -> Life:
    """Two days of it, and a while after them; asked every few minutes what is due, as a scheduler does."""
    random = Random(seed)
    lookback, delay = random.choice((0, 15, 90)) * MINUTE, random.choice((0, 2, 30)) * MINUTE
    made = policy(
        Incremental("sent_at", lookback, delay),
        schedule=random.choice(SCHEDULES),
        catchup=catchup,
        body='{"files": ["schedule: the same"]}',
    )
    now = NOON
    rows = rows_of(random, lookback, END + DAY)
    path = empty.with_name(f"{uuid4().hex}.db")
    shutil.copy(empty, path)
    life = Life(Store(f"sqlite:///{path}"), made, rows, random.random() < 0.5 if sources is None else sources)
    while now < END + DAY:
        hour = (now - NOON) / HOUR
        if trouble.runs(hour):
            life.run(now, now + trouble.off(hour))
        now += 5 * MINUTE
    return life


def promised(life: Life) -> set[Row]:
    """The rows from the first look on, but for those that are too young to have been seen by all runs."""
    began = life.store.ledger.covered(life.policy.name)[0].start
    rows = {row for row in life.rows if began <= row.at < END}
    assert len(rows) > 20
    return rows


hours = st.integers(1, 36)
downs = st.lists(st.tuples(hours, hours), max_size=2).map(tuple)
wrongs = st.lists(st.tuples(hours, hours, st.integers(-9, 9)), max_size=2).map(tuple)
seeds = st.integers(0, 2**32)
PHASES = (Phase.explicit, Phase.generate)  # a life is long: to shrink it takes minutes


@settings(max_examples=8, deadline=None, phases=PHASES, derandomize=True)
@given(seeds, st.sampled_from(["merge", "each"]), downs)
def test_outages_lose_no_row(
    empty_store: Path, seed: int, catchup: str, down: tuple[tuple[int, int], ...]
) -> None:
    life = live(empty_store, seed, catchup, Trouble(down))
    assert promised(life) - life.found == set()
    assert holes(life.store.ledger.covered(life.policy.name)) == ()


@settings(max_examples=8, deadline=None, phases=PHASES, derandomize=True)
@given(seeds, st.sampled_from(["merge", "each"]), wrongs)
def test_a_clock_that_jumps_loses_no_row(
    empty_store: Path, seed: int, catchup: str, wrong: tuple[tuple[int, int, int], ...]
) -> None:
    life = live(empty_store, seed, catchup, Trouble(wrong=wrong))
    assert promised(life) - life.found == set()


@settings(max_examples=8, deadline=None, phases=PHASES, derandomize=True)
@example(seed=62233351, down=((15, 35), (9, 11)))
@given(seeds, downs)
def test_what_a_skip_passes_over_lies_in_a_hole_that_is_known(
    empty_store: Path, seed: int, down: tuple[tuple[int, int], ...]
) -> None:
    life = live(empty_store, seed, "skip", Trouble(down))
    known = holes(life.store.ledger.covered(life.policy.name))
    lost = promised(life) - life.found
    # what happened shortly before a hole and came while nobody looked is told by patrol.late_rows
    assert isinstance(life.policy.window, Incremental)
    late = life.policy.window.lookback
    assert {r for r in lost if not any(h.start - late <= r.at < h.end for h in known)} == set()


@settings(max_examples=5, deadline=None, phases=PHASES, derandomize=True)
@given(seeds)
def test_a_table_that_is_loaded_late_loses_nothing_under_skip(empty_store: Path, seed: int) -> None:
    life = live(empty_store, seed, "skip", Trouble(), sources=True)
    assert promised(life) - life.found == set()
    assert holes(life.store.ledger.covered(life.policy.name)) == ()


# ------------------------------------------------------------------------------ with a real warehouse


def catch_up(node: Node, name: str = EVERY) -> list[str]:
    """What is due is run, as the scheduler does it: the causes, in order."""
    which = node.engine.catalog.policies[name]
    ticks = due_ticks(node.store, which, node.clock(), node.store.runs.last_tick(which.name))
    for tick in ticks:
        ticked = node.engine.tick(name, Cause(CauseKind.tick, tick.stamp), tick.due, begins=tick.begins)
        assert not ticked.stops, ticked
    return [tick.stamp for tick in ticks]


def outage(world: World, catchup: str, every: str = "1h") -> Node:
    """A bot that has looked until noon, and then not for a day in which each hour brought a row."""
    world.write(
        "policies/payments/elsewhere.yml",
        ELSEWHERE.replace("every: 1m", f"every: {every}") + f"catchup: {catchup}\n",
    )
    node = world.node()
    world.table.says("s_0", NOON - MINUTE, "hello")
    catch_up(node)
    for hour in range(24):
        world.table.says(f"s_{hour + 1}", NOON + hour * HOUR + 30 * MINUTE)
    node.clock.on(DAY)
    return node


def sellers(node: Node) -> list[int]:
    return sorted(int(str(a.key_values["seller_id"])[2:]) for a in node.alerts(EVERY))


@BOTH
def test_a_day_without_the_bot_is_looked_at_in_one_run(world: World) -> None:
    node = outage(world, "merge")
    assert len(catch_up(node)) == 1
    assert sellers(node) == list(range(1, 25))
    assert holes(node.store.ledger.covered(EVERY)) == ()


@BOTH
def test_a_day_without_the_bot_is_looked_at_hour_by_hour(world: World) -> None:
    node = outage(world, "each")
    assert len(catch_up(node)) == 24
    assert sellers(node) == list(range(1, 25))
    ends = [r.window.end for r in reversed(node.store.runs.recent(EVERY, 100)) if r.window]
    assert ends[1:] == [*(NOON + n * HOUR for n in range(1, 24)), NOON + 23.5 * HOUR + MICROSECOND]
    assert catch_up(node) == []


@BOTH
def test_a_day_without_the_bot_is_passed_over_and_filled_by_hand(world: World) -> None:
    node = outage(world, "skip")
    assert catch_up(node) == ["2026-01-05T12:00:00Z+rest", "2026-01-06T12:00:00Z"]
    assert sellers(node) == [24]
    (hole,) = holes(node.store.ledger.covered(EVERY))
    assert (hole.start, hole.end) == (
        NOON,
        NOON + 23 * HOUR - 5 * MINUTE - MICROSECOND,
    )
    found = plan(node.engine, node.engine.catalog.policies[EVERY], hole)
    assert isinstance(found, Plan)
    assert not [s for s in Backfill(node.engine, found, lambda _: False).steps() if s.failed]
    assert sellers(node) == list(range(1, 25))
    assert {a.lane for a in node.alerts() if a.key_values["seller_id"] != "s_24"} == {Lane.historical}
    assert holes(node.store.ledger.covered(EVERY)) == ()


def test_a_skip_still_looks_at_what_was_due_before_and_had_not_been_loaded(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "catchup: skip\n")
    node = world.node()
    world.table.says("s_0", NOON - 50 * MINUTE, "hello")
    for _ in range(10):
        catch_up(node)
        node.clock.on(MINUTE)
    for minute in (-40, 5, 60):
        world.table.says(f"s_{minute + 50}", NOON + minute * MINUTE)
    node.clock.on(2 * HOUR)
    world.table.says("s_500", node.clock() - 30 * SECOND)
    catch_up(node)
    assert sellers(node) == [10, 55, 500]


def test_an_hourly_load_under_a_policy_of_five_minutes_leaves_no_row_unseen(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 5m"))
    node = world.node()
    world.table.says("s_0", NOON - MINUTE, "hello")
    planted = 0
    for _ in range(6):
        for minute in range(0, 60, 10):
            planted += 1
            world.table.says(f"s_{planted}", node.clock() + minute * MINUTE)
        for _ in range(12):
            node.clock.on(5 * MINUTE)
            catch_up(node)
    node.clock.on(5 * MINUTE)
    catch_up(node)
    assert sellers(node) == list(range(1, planted + 1))
    assert holes(node.store.ledger.covered(EVERY)) == ()


def test_an_edit_of_the_schedule_is_no_missed_time(world: World) -> None:
    world.write(
        "policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1d") + "catchup: skip\n"
    )
    node = world.node()
    world.table.says("s_0", NOON - 13 * HOUR, "hello")
    catch_up(node)
    world.table.says("s_1", NOON + HOUR)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "catchup: skip\n")
    node.engine.reload()
    node.clock.on(3 * HOUR)
    assert len(catch_up(node)) == 1
    assert sellers(node) == [1]


def test_a_paused_policy_catches_up_as_it_says(world: World) -> None:
    for catchup, found in (("merge", 24), ("skip", 1)):
        text = ELSEWHERE.replace("every: 1m", "every: 1h") + f"catchup: {catchup}\n"
        world.write(f"policies/payments/{catchup}.yml", text)
        world.write(f"sql/payments/{catchup}.sql", ELSEWHERE_SQL)
        name = f"payments.{catchup}"
        node = world.node()
        start = node.clock()
        world.table.says("s_0", start - MINUTE, "hello")
        catch_up(node, name)
        world.write(f"policies/payments/{catchup}.yml", text + "status: draft\n")
        node.engine.reload()
        assert not node.engine.catalog.policies[name].runs
        for hour in range(24):
            world.table.says(f"s_{hour + 1}", start + hour * HOUR + 30 * MINUTE)
        node.clock.on(DAY)
        world.write(f"policies/payments/{catchup}.yml", text + "status: live\n")
        node.engine.reload()
        catch_up(node, name)
        assert len(node.alerts(name)) == found


def test_a_cron_policy_that_is_new_begins_with_its_next_time(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("{every: 1m}", '{cron: "30 * * * *"}'))
    node = world.node()
    world.table.says("s_1", NOON + 10 * MINUTE)
    assert catch_up(node) == []
    assert catch_up(node) == []
    node.clock.on(31 * MINUTE)
    assert catch_up(node) == ["2026-01-05T12:30:00Z"]
    assert sellers(node) == [1]


@BOTH
def test_runs_of_a_time_to_come_are_undone_and_run_when_it_has_come(world: World) -> None:
    node = world.node()
    world.table.says("s_1", NOON - MINUTE)
    catch_up(node)
    before = node.store.runs.watermark(EVERY)
    node.clock.on(6 * HOUR)
    catch_up(node)
    node.clock.on(-6 * HOUR + 2 * MINUTE)
    world.table.says("s_2", NOON + MINUTE)
    assert catch_up(node) == ["2026-01-05T12:02:00Z"]
    assert sellers(node) == [1, 2]
    undone = [r for r in node.store.runs.recent(EVERY) if r.cause.kind is CauseKind.manual]
    assert [(r.status, "clock was ahead" in r.error) for r in undone] == [(RunStatus.skipped, True)]
    assert before
    node.clock.at = NOON + 6 * HOUR
    assert catch_up(node) == ["2026-01-05T18:00:00Z"]
