"""What may pass is tried again: a daily policy whose warehouse was away for a minute loses no day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.alert import Condition
from bot.engine import runs
from bot.slack.policies import policy_line
from sensors import run
from sensors.model.run import RunStatus
from sensors.warehouse import QueryTimeout, WarehouseError
from tests.shell.making import DAY, ELSEWHERE, HELD, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, counting, failing

AWAY = WarehouseError("the connection was reset", transient=True)
DAILY = HELD.replace("every: 1m", "every: 1d")


@pytest.fixture
def daily(world: World) -> Node:
    world.write("policies/payments/held.yml", DAILY)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("every: 1m", "every: 1d"))
    return world.node()


def retry(node: Node) -> int:
    """Tries again what is to be tried again by now; how many runs."""
    due = node.engine.retries()
    for run_left in due:
        node.engine.try_again(run_left)
    return len(due)


def tries(node: Node, span: timedelta, step: timedelta = SECOND) -> int:
    """How many runs are tried again while so much time goes by."""
    return sum(retry(node) for _ in range(span // step) if node.clock.on(step))


@BOTH
def test_a_daily_policy_looks_again_when_the_warehouse_is_back(world: World, daily: Node) -> None:
    world.table.says("s_1", NOON - 13 * 60 * MINUTE)
    mend = failing(daily, AWAY)
    daily.tick()
    window = daily.store.runs.recent(EVERY)[0].window
    assert tries(daily, 35 * SECOND) == 2
    mend()
    assert tries(daily, 60 * SECOND) == 1
    assert [a.key_values["seller_id"] for a in daily.alerts(EVERY)] == ["s_1"]
    (record,) = daily.store.runs.recent(EVERY)
    assert (record.status, record.attempt, record.error) == (RunStatus.succeeded, 4, "")
    assert window
    assert record.window == window
    assert daily.broken() == []


def test_status_says_when_it_is_tried_again(daily: Node) -> None:
    failing(daily, AWAY)
    daily.tick(HELD_NAME)
    (line,) = daily.view.lines([HELD_NAME])
    assert line.last_status is RunStatus.failed
    assert line.last_error.startswith("the connection was reset (next try: ")
    assert f"<!date^{int(daily.clock().timestamp()) + 10}^" in policy_line(line)


def test_the_condition_is_unknown_until_a_retry_knows(world: World, daily: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    daily.tick(HELD_NAME)
    mend = failing(daily, AWAY)
    daily.next_tick(HELD_NAME, DAY)
    (alert,) = daily.alerts(HELD_NAME)
    assert alert.condition is Condition.unknown
    mend()
    assert tries(daily, 12 * SECOND) == 1
    assert daily.alert(alert.id).condition is Condition.firing


def test_the_owner_hears_of_it_within_minutes_not_after_three_days(daily: Node) -> None:
    mend = failing(daily, AWAY)
    daily.tick(HELD_NAME)
    tries(daily, 100 * SECOND)
    assert daily.broken() == []
    tries(daily, 60 * SECOND)
    assert [a.key_values["policy"] for a in daily.broken()] == [HELD_NAME]
    mend()
    tries(daily, 6 * MINUTE)
    assert daily.broken() == []


def test_what_stays_wrong_is_not_tried_again(daily: Node) -> None:
    asked = counting(daily)
    failing(daily, WarehouseError("there is no table core.sellers"))
    daily.tick(HELD_NAME)
    assert tries(daily, 30 * MINUTE, MINUTE) == 0
    assert asked == []
    assert len(daily.broken()) == 1


def test_a_query_that_is_too_slow_is_tried_three_times_in_all_and_then_told(daily: Node) -> None:
    failing(daily, QueryTimeout("the query took longer than 300 s and was stopped", transient=True))
    daily.tick(HELD_NAME)
    assert daily.broken() == []
    assert tries(daily, 60 * MINUTE, 10 * SECOND) == 2
    (alert,) = daily.broken()
    assert "longer than 300 s" in alert.title
    assert daily.store.runs.recent(HELD_NAME)[0].status is RunStatus.timed_out


def test_the_next_tick_looks_for_a_retry_that_has_not_come_yet(world: World, daily: Node) -> None:
    mend = failing(daily, AWAY)
    daily.tick()
    daily.clock.on(DAY - SECOND)
    mend()
    world.table.says("s_1", NOON + 12 * 60 * MINUTE - 2 * MINUTE)
    world.table.says("s_0", daily.clock(), "hello")
    daily.next_tick(after=SECOND)
    assert len(daily.alerts(EVERY)) == 1
    asked = counting(daily)
    tries(daily, MINUTE)
    assert asked == []
    assert daily.store.runs.to_retry(daily.clock()) == []


@BOTH
def test_of_two_bots_one_tries_again(world: World, daily: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    other = world.node()
    mend = failing(daily, AWAY)
    daily.tick(HELD_NAME)
    mend()
    asked = counting(daily)
    daily.clock.on(10 * SECOND)
    due = other.engine.retries()
    assert retry(daily) == len(due) == 1
    other.engine.try_again(due[0])
    assert asked == [HELD_NAME]
    assert len(daily.alerts(HELD_NAME)) == 1


def test_a_policy_that_was_retired_meanwhile_is_not_tried_again(world: World, daily: Node) -> None:
    asked = counting(daily)
    mend = failing(daily, AWAY)
    daily.tick(HELD_NAME)
    mend()
    world.write("policies/payments/held.yml", DAILY + "status: retired\n")
    daily.engine.reload()
    tries(daily, 20 * SECOND)
    assert asked == []
    assert daily.store.runs.recent(HELD_NAME)[0].status is RunStatus.skipped


def test_a_retry_of_which_only_a_part_fits_goes_on_to_the_end(
    world: World, daily: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run.look
    monkeypatch.setattr(runs, "look", lambda *given: real(*given, limit=10))
    for n in range(32):
        world.table.says("s_1", NOON - 12 * 60 * MINUTE - (n + 1) * 60 * SECOND)
    mend = failing(daily, AWAY)
    daily.tick()
    mend()
    tries(daily, 12 * SECOND)
    assert [a.count for a in daily.alerts(EVERY)] == [32]
