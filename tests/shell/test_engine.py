"""The engine over a real store and a real DuckDB file, its clock moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.action import Acknowledge
from bot.core.alert import Condition, Work
from bot.engine import runs
from sensors import run
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.warehouse import WarehouseError
from tests.shell.making import ELSEWHERE, HELD, HELD_SQL, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, counting, failing, in_between

# ------------------------------------------------------------------------------ the road


@BOTH
def test_a_row_becomes_an_alert_with_its_evidence_and_the_watermark_follows_the_data(
    world: World, node: Node
) -> None:
    world.table.says("s_1", NOON - 2 * MINUTE)
    ticked = node.tick()
    assert ticked.why_not == ""
    (alert,) = node.alerts()
    assert (alert.title, alert.count, alert.work) == ("s_1 asked 1 times", 1, Work.open)
    assert node.store.alerts.evidence(alert.id).rows[0]["body"] == "pay me on cash app"
    watermark = node.store.runs.watermark(EVERY)
    assert watermark
    assert NOON - 2 * MINUTE < watermark < NOON - 2 * MINUTE + SECOND


@BOTH
def test_the_same_rows_are_looked_at_again_without_firing_again(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - 2 * MINUTE)
    node.tick()
    world.table.says("s_2", NOON)
    node.next_tick()
    assert [(a.title, a.version) for a in node.alerts()] == [
        ("s_1 asked 1 times", 1),
        ("s_2 asked 1 times", 1),
    ]


def test_a_row_that_comes_late_but_within_the_lookback_is_found(world: World, node: Node) -> None:
    world.table.says("s_0", NOON, "hello")
    node.tick()
    world.table.says("s_1", NOON - 4 * MINUTE)
    world.table.says("s_0", NOON + MINUTE, "hello")
    node.next_tick()
    assert [a.key_values["seller_id"] for a in node.alerts()] == ["s_1"]


def test_nothing_new_loaded_is_an_empty_window_and_a_good_run(world: World, node: Node) -> None:
    world.table.says("s_0", NOON - MINUTE, "hello")
    node.tick()
    asked = counting(node)
    ticked = node.next_tick()
    assert ticked.looked
    assert ticked.looked.ok
    assert ticked.looked.window.empty
    assert asked == []
    assert node.store.runs.recent(EVERY)[0].status is RunStatus.succeeded


def test_an_hourly_load_is_looked_at_whole_by_a_policy_of_every_minute(world: World, node: Node) -> None:
    world.table.says("s_0", NOON - 30 * SECOND, "hello")
    node.tick()
    for _ in range(20):
        node.next_tick(after=3 * MINUTE)
    for minute in range(0, 60, 3):
        world.table.says(f"s_{minute + 1}", NOON + minute * MINUTE)
    node.next_tick()
    assert len(node.alerts(EVERY)) == 20


def test_a_table_that_is_being_reloaded_moves_no_watermark(world: World, node: Node) -> None:
    world.table.says("s_0", NOON - 50 * MINUTE, "hello")
    node.tick()
    before = node.store.runs.watermark(EVERY)
    world.table.does("DELETE FROM core.chat")
    node.next_tick()
    assert node.store.runs.watermark(EVERY) == before
    world.table.says("s_1", NOON - 40 * MINUTE)
    world.table.says("s_0", NOON, "hello")
    node.next_tick()
    assert [a.key_values["seller_id"] for a in node.alerts()] == ["s_1"]


def test_a_click_between_reading_and_saving_is_decided_on_again_and_never_queried_again(
    world: World, node: Node
) -> None:
    world.table.says("s_1", NOON - 2 * MINUTE)
    node.tick()
    (alert,) = node.alerts()
    world.table.says("s_1", NOON)
    asked = counting(node)
    in_between(node, lambda: node.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA") and None)
    node.next_tick()
    assert asked == [EVERY]
    now = node.alert(alert.id)
    assert (now.work, now.owner, now.count) == (Work.acknowledged, "U0ANA", 2)
    assert node.kinds(alert.id)[:2] == ["opened", "acknowledged"]


@BOTH
def test_a_run_that_was_taken_over_drops_its_result(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - 2 * MINUTE)
    other = world.node()

    def taken_over() -> None:
        world.clock.on(MINUTE)
        assert other.take_over() == 1

    in_between(node, taken_over)
    assert node.tick().busy
    assert [a.version for a in node.alerts()] == [1]
    assert node.store.runs.recent(EVERY)[0].attempt == 2


def test_a_failure_of_a_run_that_was_taken_over_says_nothing(world: World, node: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    node.tick(HELD_NAME)
    other = world.node()
    real = node.warehouse.query

    def query(*_: Any, **__: Any) -> Any:
        node.warehouse.query = real  # type: ignore[method-assign]
        world.clock.on(MINUTE)
        assert other.take_over() == 1
        raise WarehouseError("no such table", transient=False)

    node.warehouse.query = query  # type: ignore[method-assign]
    node.next_tick(HELD_NAME)
    (alert,) = node.alerts()
    assert alert.condition is Condition.firing
    assert node.broken() == []


# ------------------------------------------------------------------------------ late is not clear


def test_a_failed_run_leaves_conditions_unknown_and_never_cleared(world: World, node: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    node.tick(HELD_NAME)
    mend = failing(node, WarehouseError("the warehouse is away", transient=True))
    world.table.does("UPDATE core.sellers SET held = false")
    node.next_tick(HELD_NAME)
    (alert,) = node.alerts()
    assert (alert.condition, alert.badges) == (Condition.unknown, ("DATA LATE",))
    mend()
    node.next_tick(HELD_NAME)
    assert node.alert(alert.id).condition is Condition.cleared


def test_an_incremental_policy_loses_nothing_while_the_warehouse_is_away(world: World, node: Node) -> None:
    world.table.says("s_0", NOON - MINUTE, "hello")
    node.tick()
    before = node.store.runs.watermark(EVERY)
    mend = failing(node, WarehouseError("away", transient=True))
    for minute in range(1, 121):
        node.clock.on(MINUTE)
        if minute % 30 == 0:
            node.tick()
            world.table.says(f"s_{minute}", node.clock())
    assert node.store.runs.watermark(EVERY) == before
    mend()
    node.next_tick()
    assert {a.key_values["seller_id"] for a in node.alerts(EVERY)} == {"s_30", "s_60", "s_90", "s_120"}


def test_a_permanent_error_tells_the_owner_at_once_and_is_over_when_mended(node: Node) -> None:
    mend = failing(node, WarehouseError("there is no table core.sellers", transient=False))
    node.tick(HELD_NAME)
    (alert,) = node.broken()
    assert "there is no table core.sellers" in alert.title
    assert alert.terms.team == "payments"
    mend()
    node.next_tick(HELD_NAME)
    assert node.broken() == []
    assert node.kinds(alert.id) == ["opened", "resolved"]


def test_a_passing_error_tells_the_owner_at_the_third_failure_in_a_row(node: Node) -> None:
    node.tick(HELD_NAME)
    mend = failing(node, WarehouseError("away", transient=True))
    told = []
    for _ in range(3):
        node.next_tick(HELD_NAME)
        told.append(len(node.broken()))
    assert told == [0, 0, 1]
    mend()
    node.next_tick(HELD_NAME)
    assert node.broken() == []


def test_runs_that_were_skipped_are_no_failures(node: Node) -> None:
    node.tick(HELD_NAME)
    for _ in range(3):
        due = node.clock.on(MINUTE)
        node.store.runs.skip(HELD_NAME, Cause(CauseKind.tick, due.isoformat()), due, "late", due)
    failing(node, WarehouseError("away", transient=True))
    node.next_tick(HELD_NAME)
    assert node.broken() == []


def test_a_null_in_the_key_is_told_to_the_owner_and_the_other_rows_count(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    world.table.says(None, NOON - MINUTE)
    node.tick()
    assert [a.key_values.get("seller_id") for a in node.alerts(EVERY)] == ["s_1"]
    (alert,) = node.broken()
    assert "no seller_id" in alert.title


# ------------------------------------------------------------------------------ files


def test_a_file_that_breaks_goes_on_in_its_last_version_and_is_told(world: World, node: Node) -> None:
    world.write("policies/payments/held.yml", HELD.replace("severity: high", "severity: hihg"))
    assert node.engine.reload()
    (alert,) = node.broken()
    assert "payments.held does not load" in alert.title
    assert "policies/payments/held.yml" in str(alert.newest)
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    node.tick(HELD_NAME)
    assert len(node.alerts(HELD_NAME)) == 1
    world.write("policies/payments/held.yml", HELD)
    node.engine.reload()
    assert node.broken() == []


def test_defaults_that_break_are_told_of_each_policy_below_and_stop_no_other(
    world: World, node: Node
) -> None:
    """Ana's slip in a folder's defaults: bo hears the place, the old version goes on, others know nothing."""
    defaults = "policies/payments/_defaults.yml"
    world.write("policies/held_too.yml", HELD)
    world.write("sql/held_too.sql", HELD_SQL)
    world.write("policies/payments/held.yml", HELD.replace("severity: high\n", ""))
    world.write(defaults, "severity: high\n")
    assert node.engine.reload()
    assert node.broken() == []
    world.write(defaults, "severity: hihg\n")
    assert node.engine.reload()
    why = {a.key_values["policy"]: str(a.newest["why"]) for a in node.broken()}
    assert set(why) == {"payments.elsewhere", HELD_NAME}
    assert all(
        said.startswith(f"does not load: {defaults}:1:11 severity: no severity") for said in why.values()
    )
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    for name in (HELD_NAME, "held_too"):
        node.tick(name)
        assert [a.severity.name for a in node.alerts(name)] == ["high"]
    world.write(defaults, "severity: critical\n")
    assert node.engine.reload()
    assert node.broken() == []


def test_the_reason_given_is_that_of_the_file_and_of_no_other(world: World, node: Node) -> None:
    world.write("policies/payments/held_b.yml", HELD.replace("severity: high", "severity: wrong_b"))
    world.write("sql/payments/held_b.sql", "SELECT 1")
    world.write("policies/payments/held.yml", HELD.replace("severity: high", "severity: wrong_a"))
    node.engine.reload()
    why = {a.key_values["policy"]: a.newest["why"] for a in node.broken()}
    assert "wrong_a" in why["payments.held"]
    assert "wrong_b" in why["payments.held_b"]


def test_a_file_that_was_mended_while_patrol_was_away_is_over_at_the_start(world: World, node: Node) -> None:
    world.write("policies/payments/held.yml", HELD.replace("severity: high", "severity: hihg"))
    node.engine.reload()
    assert len(node.broken()) == 1
    world.write("policies/payments/held.yml", HELD)
    assert world.node().broken() == []


def test_the_trouble_of_a_policy_that_was_removed_is_over(world: World, node: Node) -> None:
    failing(node, WarehouseError("there is no table", transient=False))
    node.tick(HELD_NAME)
    assert len(node.broken()) == 1
    (world.project / "policies/payments/held.yml").unlink()
    (world.project / "sql/payments/held.sql").unlink()
    node.engine.reload()
    assert node.broken() == []


# ------------------------------------------------------------------------------ windows


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than ten rows are read at once."""
    real = run.look
    monkeypatch.setattr(runs, "look", lambda *given: real(*given, limit=10))


@pytest.mark.usefixtures("narrow")
def test_what_does_not_fit_is_looked_at_part_after_part_until_all_has_been(world: World, node: Node) -> None:
    world.table.says("s_0", NOON - HOUR, "hello")
    node.tick()
    for minute in range(32):
        world.table.says(f"s_{minute}", NOON - HOUR + (minute + 1) * 90 * SECOND, times=2)
    node.clock.on(MINUTE)
    assert node.tick_whole() > 3
    found = {a.key_values["seller_id"]: a.count for a in node.alerts(EVERY)}
    assert found == {f"s_{n}": 2 for n in range(32)}


@pytest.mark.usefixtures("narrow")
def test_a_lookback_that_alone_does_not_fit_holds_up_nothing(world: World, node: Node) -> None:
    for n in range(30):
        world.table.says("s_1", NOON - 4 * MINUTE + n * 4 * SECOND)
    node.tick_whole()
    for n in range(30):
        world.table.says("s_2", NOON - MINUTE + n * 4 * SECOND)
    node.clock.on(2 * MINUTE)
    assert node.tick_whole() < 30
    assert {a.key_values["seller_id"]: a.count for a in node.alerts(EVERY)} == {"s_1": 30, "s_2": 30}


def test_more_rows_in_one_second_than_can_be_read_are_said_and_not_passed_over(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.table.says("s_1", NOON - MINUTE, times=12)
    real = run.look
    with monkeypatch.context() as patch:
        patch.setattr(runs, "look", lambda *given: real(*given, limit=10))
        node.tick_whole()
        watermark = node.store.runs.watermark(EVERY)
        assert watermark
        assert watermark <= NOON - MINUTE
        (alert,) = node.broken()
        assert "more rows" in alert.title
    node.next_tick()
    assert [a.count for a in node.alerts(EVERY)] == [12]
    assert node.broken() == []


def test_a_run_by_hand_leaves_the_watermark_where_it_is(world: World, node: Node) -> None:
    world.table.says("s_0", NOON - MINUTE, "hello")
    node.tick()
    before = node.store.runs.watermark(EVERY)
    world.table.says("s_1", NOON)
    node.clock.on(MINUTE)
    answer = node.starting.rerun_policy(node.engine.catalog.policies[EVERY], "U0ANA", "k1")
    assert answer.startswith("1 row, 1 key, 1 with something new")
    assert node.store.runs.watermark(EVERY) == before
    node.tick()
    assert [(a.count, a.version) for a in node.alerts()] == [(1, 1)]


@BOTH
def test_a_second_flood_is_added_to_the_first(world: World, node: Node) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "max_alerts: 3\n")
    node.engine.reload()
    for seller in range(5):
        world.table.says(f"s_{seller}", NOON - MINUTE)
    node.tick()
    (flood,) = node.alerts(EVERY)
    assert flood.count == 5
    for seller in range(10, 16):
        world.table.says(f"s_{seller}", NOON)
    assert node.next_tick().why_not == ""
    (flood,) = node.alerts(EVERY)
    assert flood.version == 2
    assert node.store.alerts.evidence(flood.id).total == 11
