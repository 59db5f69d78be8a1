"""The scheduler with its real threads and a real clock, on schedules of a second."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import schedule
from bot.core import retry
from bot.engine import rounds
from bot.schedule import Scheduler, Timetable
from bot.store import Store
from sensors.model.policy import After, Cron, Every, Schedule
from sensors.model.run import RunStatus
from sensors.warehouse import WarehouseError
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, HELD, HELD_SQL, SECOND, Node, World
from tests.shell.trouble import EVERY, HELD_NAME, failing, in_between

QUICK = HELD.replace("every: 1m", "every: 1s")


class Now:
    """The real clock, with the hand-moved one's face."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


def wait(look: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


@pytest.fixture
def real(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world under the real clock, its chores hurried."""
    world.clock = Now()  # type: ignore[assignment]
    for chore in ("reload", "take_over", "sweep"):
        monkeypatch.setitem(schedule.CHORES, chore, 0.2)
    return world


Start = Callable[..., Scheduler]


@pytest.fixture
def start() -> Iterator[Start]:
    begun: list[Scheduler] = []

    def go(node: Node) -> Scheduler:
        made = Scheduler(node.engine, node.starting, None, workers=2)
        made.start()
        begun.append(made)
        return made

    yield go
    for one in begun:
        if one._scheduler.running:
            one.stop()


def causes(node: Node, name: str) -> list[str]:
    return [str(r.cause) for r in reversed(node.store.runs.recent(name, 100))]


def test_a_running_bot_looks_after_an_update_and_after_an_arrival(
    real: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(schedule.CHORES, "upstreams", 0.1)
    real.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("{every: 1m}", "{after: [core.chat]}"))
    after = HELD.replace("{every: 1m}", "{after: ['policy:payments.elsewhere']}")
    real.write("policies/payments/held.yml", after)
    real.table.says("s_1", real.clock())
    node = real.node()
    start(node)
    wait(lambda: len(causes(node, HELD_NAME)) == 1)
    real.table.says("s_1", real.clock())
    wait(lambda: len(causes(node, HELD_NAME)) == 2)
    assert [run.status for run in node.store.runs.recent(EVERY)] == [RunStatus.succeeded] * 2
    real.table.does("DELETE FROM core.chat")
    real.write("policies/payments/elsewhere.yml", ELSEWHERE)
    wait(lambda: node.store.runs.waiting().keys() == {EVERY})
    real.table.says("s_1", real.clock())
    wait(lambda: not node.store.runs.waiting() and node.store.runs.recent(EVERY, 1)[0].ended_at)
    assert node.store.runs.recent(EVERY, 1)[0].status is RunStatus.succeeded


# ------------------------------------------------------------------------------ the trigger


AT = datetime(2026, 1, 5, 12, 2, 3, tzinfo=UTC)
FIVE, DAILY = Every(timedelta(minutes=5)), Cron("30 1 * * *", "America/New_York")


def timetable(at: datetime = AT, **schedules: Schedule) -> Timetable:
    made = Timetable()
    made.plan(schedules, at)
    return made


def test_it_wakes_at_the_earliest_of_all_times_and_at_least_each_second() -> None:
    made = timetable(often=FIVE, daily=DAILY)
    assert made.get_next_fire_time(None, AT) == AT + SECOND
    just_before = datetime(2026, 1, 5, 12, 4, 59, 500_000, tzinfo=UTC)
    assert made.get_next_fire_time(None, just_before) == datetime(2026, 1, 5, 12, 5, tzinfo=UTC)
    assert made.due(just_before) == set()
    assert made.due(datetime(2026, 1, 5, 12, 5, tzinfo=UTC)) == {"often"}


def test_what_came_due_several_times_is_due_once() -> None:
    made = timetable(often=FIVE, daily=DAILY)
    assert made.due(AT + timedelta(hours=3)) == {"often"}
    assert made.due(AT + timedelta(hours=3)) == set()
    assert made.due(AT + timedelta(days=1)) == {"often", "daily"}


def test_asking_when_to_wake_loses_nothing_that_has_come_due() -> None:
    made = timetable(often=FIVE)
    late = AT + timedelta(minutes=3)
    assert made.get_next_fire_time(None, late) == late + SECOND
    assert made.due(late) == {"often"}


def test_new_plans_keep_the_times_of_what_has_not_changed() -> None:
    made = timetable(often=FIVE)
    late = AT + timedelta(minutes=3)
    made.plan({"often": FIVE, "other": FIVE}, late)
    assert made.due(late) == {"often"}
    made.plan({"other": FIVE}, late)
    assert made.due(late + timedelta(minutes=5)) == {"other"}


def test_a_clock_that_is_put_back_keeps_nobody_waiting() -> None:
    made = timetable(often=FIVE)
    assert made.due(AT + timedelta(hours=5)) == {"often"}
    assert made.due(AT) == {"often"}
    assert made.due(AT + timedelta(minutes=5)) == {"often"}


def test_a_cron_where_clocks_change_fires_once() -> None:
    at = datetime(2026, 10, 31, 12, tzinfo=UTC)
    made, fired = timetable(at, daily=Cron("30 1 * * *", "America/New_York")), []
    for _ in range(72 * 60):
        at += timedelta(minutes=1)
        fired += [f"{at:%d %H:%M}" for _ in made.due(at)]
    assert fired == ["01 05:30", "02 06:30", "03 06:30"]


def test_what_only_an_upstream_decides_never_fires() -> None:
    made = timetable(table=After(("core.orders",)))
    assert made.due(AT + timedelta(days=400)) == set()


# ------------------------------------------------------------------------------ ticks


def test_each_second_is_looked_at_once(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", QUICK)
    node = real.node()
    start(node)
    wait(lambda: len(causes(node, HELD_NAME)) >= 4)
    seen = [c.partition(":")[2] for c in causes(node, HELD_NAME)]
    times = [datetime.fromisoformat(c) for c in seen]
    assert len(set(times)) == len(times)
    assert all(t.microsecond == 0 for t in times)
    assert times == sorted(times)


def test_a_late_start_looks_once_for_all_that_was_missed(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1d"))
    node = real.node()
    start(node)
    wait(lambda: causes(node, HELD_NAME))
    time.sleep(0.5)
    assert len(causes(node, HELD_NAME)) == 1
    assert "T00:00:00Z" in causes(node, HELD_NAME)[0]


def test_a_start_after_a_start_does_not_look_again(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1d"))
    first = real.node()
    one = start(first)
    wait(lambda: causes(first, HELD_NAME))
    one.stop()
    second = real.node()
    start(second)
    time.sleep(0.7)
    assert len(causes(second, HELD_NAME)) == 1


def test_two_processes_share_the_ticks(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", QUICK)
    nodes = [real.node(), real.node()]
    for node in nodes:
        start(node)
    wait(lambda: len(causes(nodes[0], HELD_NAME)) >= 4)
    seen = causes(nodes[0], HELD_NAME)
    assert len(seen) == len(set(seen))


# ------------------------------------------------------------------------------ files


def test_new_changed_and_removed_policies_are_planned_anew(real: World, start: Start) -> None:
    node = real.node()
    planned = start(node)
    real.write("policies/payments/held_b.yml", QUICK)
    real.write("sql/payments/held_b.sql", HELD_SQL)
    wait(lambda: causes(node, "payments.held_b"))
    real.write("policies/payments/held.yml", QUICK)
    wait(lambda: len(causes(node, HELD_NAME)) >= 3)
    for name in ("policies/payments/held_b.yml", "sql/payments/held_b.sql"):
        (real.project / name).unlink()
    wait(lambda: "payments.held_b" not in planned.timetable)
    real.write("policies/payments/held.yml", QUICK + "status: retired\n")
    wait(lambda: HELD_NAME not in planned.timetable)
    assert EVERY in planned.timetable


# ------------------------------------------------------------------------------ trouble


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that says at once that it is away."""
    real_init = Store.__init__

    def init(self: Store, url: str) -> None:
        real_init(self, url, patience=timedelta(milliseconds=100))

    monkeypatch.setattr(Store, "__init__", init)
    monkeypatch.setattr(rounds, "AGAIN", timedelta(milliseconds=300))
    monkeypatch.setattr("bot.store.outage.CALM_S", 0.5)


@pytest.mark.usefixtures("impatient")
def test_a_tick_that_met_no_store_is_made_up_for_when_it_is_back(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1d"))
    node = real.node()
    lock = sqlite3.connect(real.folder / "patrol.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    planned = start(node)
    wait(lambda: "locked" in planned.store_trouble or "busy" in planned.store_trouble)
    time.sleep(0.5)
    assert causes(node, HELD_NAME) == []
    lock.execute("ROLLBACK")
    lock.close()
    wait(lambda: causes(node, HELD_NAME))
    wait(lambda: planned.store_trouble == "")


@pytest.mark.usefixtures("impatient")
def test_files_that_changed_while_the_store_was_away_are_planned_when_it_is_back(
    real: World, start: Start
) -> None:
    node = real.node()
    start(node)
    wait(lambda: causes(node, HELD_NAME))
    lock = sqlite3.connect(real.folder / "patrol.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    real.write("policies/payments/held_b.yml", QUICK)
    real.write("sql/payments/held_b.sql", HELD_SQL)
    time.sleep(1)
    lock.execute("ROLLBACK")
    lock.close()
    wait(lambda: causes(node, "payments.held_b"))


def test_a_tick_that_found_another_run_at_it_is_tried_again_soon(
    real: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "AGAIN", timedelta(milliseconds=300))
    real.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1d"))
    node, other = real.node(), real.node()
    real.table.says("s_1", datetime.now(UTC) - 60 * SECOND)

    def meanwhile() -> None:
        start(node)
        time.sleep(0.6)
        assert causes(node, EVERY) == ["manual:k1"]

    in_between(other, meanwhile)
    other.starting.rerun_policy(other.engine.catalog.policies[EVERY], "U0ANA", "k1")
    wait(lambda: len(causes(node, EVERY)) == 2)


def test_a_chore_that_breaks_stops_no_other(
    real: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = real.node()

    def breaks() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(node.engine, "sweep", breaks)
    planned = start(node)
    wait(lambda: "reload" in planned.beats and "take_over" in planned.beats)
    assert "sweep" not in planned.beats


def test_a_clock_that_went_back_holds_up_nothing(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", QUICK)
    node = real.node()
    planned = start(node)
    wait(lambda: causes(node, HELD_NAME))
    for job in planned._scheduler.get_jobs():  # as they are when the clock has gone back by a day
        job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    planned._clock_jumped(timedelta(days=-1), datetime.now(UTC))
    before = len(causes(node, HELD_NAME))
    wait(lambda: len(causes(node, HELD_NAME)) >= before + 2)
    wait(lambda: datetime.now(UTC) - planned.beats["renew"] < timedelta(seconds=5))


def test_a_stop_lets_what_runs_end_and_begins_nothing_new(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", QUICK)
    node = real.node()
    planned = start(node)
    wait(lambda: causes(node, HELD_NAME))
    planned.stop()
    statuses = {r.status for r in node.store.runs.recent(HELD_NAME, 100)}
    count = len(causes(node, HELD_NAME))
    time.sleep(1.2)
    assert statuses == {RunStatus.succeeded}
    assert len(causes(node, HELD_NAME)) == count


def test_parts_of_a_window_follow_one_another_at_once(
    real: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.engine import runs
    from sensors import run

    looked = run.look
    monkeypatch.setattr(runs, "look", lambda *given: looked(*given, limit=10))
    real.write("policies/payments/elsewhere.yml", ELSEWHERE)
    real.write("sql/payments/elsewhere.sql", ELSEWHERE_SQL)
    node = real.node()
    for n in range(40):
        real.table.says("s_1", datetime.now(UTC) - timedelta(minutes=50) + n * 20 * SECOND)
    start(node)
    wait(lambda: [a.count for a in node.alerts(EVERY)] == [40])
    assert any("+1" in cause for cause in causes(node, EVERY))


def test_when_the_warehouse_is_back_what_is_due_looks_at_once(real: World, start: Start) -> None:
    real.write("policies/payments/held.yml", QUICK)
    real.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1s"))
    node = real.node()
    start(node)
    wait(lambda: causes(node, HELD_NAME))
    (real.table.folder / "CURRENT").unlink()
    wait(node.engine.circuit.away)
    time.sleep(0.3)  # what was running has ended
    before = len(causes(node, HELD_NAME))
    real.write("policies/payments/held_b.yml", HELD.replace("every: 1m", "every: 1d"))
    real.write("sql/payments/held_b.sql", HELD_SQL)
    wait(lambda: "payments.held_b" in node.engine.catalog.policies)
    time.sleep(1.5)
    assert len(causes(node, HELD_NAME)) == before
    assert causes(node, "payments.held_b") == []
    real.table.publish()
    wait(lambda: causes(node, "payments.held_b"))  # its next due time is a day away
    wait(lambda: node.store.runs.recent(HELD_NAME)[0].status is RunStatus.succeeded)


def test_a_run_that_failed_is_tried_again_while_its_next_due_time_is_a_day_away(
    real: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST", timedelta(milliseconds=500))
    monkeypatch.setitem(schedule.CHORES, "retry", 0.2)
    real.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1d"))
    node = real.node()
    mend = failing(node, WarehouseError("the connection was reset", transient=True))
    start(node)
    wait(lambda: node.store.runs.last().get(HELD_NAME, None))
    wait(lambda: node.store.runs.recent(HELD_NAME)[0].attempt >= 3)
    mend()
    wait(lambda: node.store.runs.recent(HELD_NAME)[0].status is RunStatus.succeeded)
    assert len(causes(node, HELD_NAME)) == 1


def test_what_is_rarely_done_is_done_soon_after_each_start(
    real: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "SOON", SECOND)
    planned = start(real.node())
    wait(lambda: {"prune", "late_rows"} <= set(planned.beats), 5)
