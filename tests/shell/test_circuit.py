"""A warehouse that is away: one alert speaks of it, no policy looks, and all of them do when it is back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.alert import Alert, Condition, Work
from bot.core.builtin import WAREHOUSE_AWAY
from sensors.model.run import RunStatus
from sensors.warehouse import WarehouseError
from tests.shell.making import FILES, HELD, HELD_SQL, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, counting, failing

OTHER = "payments.held_b"


def goes(world: World) -> None:
    """There is nothing to be read any more where the warehouse was."""
    (world.table.folder / "CURRENT").unlink()


def told(node: Node) -> list[Alert]:
    return node.alerts(WAREHOUSE_AWAY)


def beats(node: Node, span: timedelta) -> None:
    for _ in range(span // SECOND):
        node.clock.on(SECOND)
        node.engine.circuit.beat()


def fails(node: Node, times: int = 3) -> None:
    """So many ticks in a row, of two policies by turns."""
    for n in range(times):
        node.clock.on(MINUTE)
        node.tick((EVERY, HELD_NAME)[n % 2])


def away(world: World, node: Node) -> None:
    goes(world)
    fails(node)
    beats(node, 20 * SECOND)


@BOTH
def test_one_alert_speaks_of_it_to_those_who_answer_for_patrol(world: World, node: Node) -> None:
    away(world, node)
    (alert,) = told(node)
    assert alert.title.startswith("The warehouse is away, no policy can look: the folder ")
    assert alert.terms.team == "payments"
    assert node.broken() == []
    beats(node, 3 * MINUTE)
    assert [a.version for a in told(node)] == [1]
    world.table.publish()
    beats(node, MINUTE)
    assert told(node) == []
    assert node.kinds(alert.id) == ["opened", "resolved"]


def test_it_goes_to_the_team_that_the_settings_name(world: World, node: Node) -> None:
    more = FILES["policies/_teams.yml"] + "platform:\n  channel: C0OTHER\n  members: {cy: {slack: U0CY}}\n"
    world.write("policies/_teams.yml", more)
    node.engine.reload()
    node.engine.project._owner = "platform"
    away(world, node)
    assert [a.terms.team for a in told(node)] == ["platform"]


def test_while_it_is_away_nothing_is_asked_and_no_tick_is_recorded_as_done(world: World, node: Node) -> None:
    away(world, node)
    asked, before = counting(node), node.store.runs.last_tick(HELD_NAME)
    ticked = node.next_tick(HELD_NAME)
    assert ticked.why_not.startswith("the warehouse is away: the folder ")
    assert not ticked.busy
    node.clock.on(MINUTE)
    assert (node.take_over(), node.engine.retries()) == (0, [])
    assert asked == []
    assert node.store.runs.last_tick(HELD_NAME) == before


def test_on_its_return_all_are_woken_and_the_due_tick_looks_at_all_that_came(
    world: World, node: Node
) -> None:
    world.table.says("s_0", NOON, "hello")
    node.tick()
    woken: list[bool] = []
    node.engine.circuit.on_back = lambda: woken.append(True)
    away(world, node)
    node.clock.on(60 * MINUTE)
    for minute in range(3):
        world.table._rows += 1
        row = f"'m_{minute}x', 's_{minute}', 'pay me', '2026-01-05 12:{10 + minute}:00'"
        world.table._db.execute(f"INSERT INTO core.chat VALUES ({row})")
    world.table.publish()
    beats(node, SECOND)
    assert woken == [True]
    node.next_tick()
    assert len(node.alerts(EVERY)) == 3


def test_conditions_become_unknown_once(world: World, node: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    node.tick(HELD_NAME)
    goes(world)
    for _ in range(3):
        node.next_tick()  # of the other policy
    (alert,) = node.alerts(HELD_NAME)
    assert alert.condition is Condition.firing
    beats(node, 5 * MINUTE)
    alert = node.alert(alert.id)
    assert (alert.condition, alert.badges) == (Condition.unknown, ("DATA LATE",))
    assert alert.unknown_why.startswith("the warehouse is away: the folder ")
    assert node.kinds(alert.id) == ["opened", "unknown"]
    world.table.publish()
    beats(node, MINUTE)
    node.next_tick(HELD_NAME)
    assert node.alert(alert.id).condition is Condition.firing


def test_two_failures_or_a_moment_of_absence_tell_nobody(world: World, node: Node) -> None:
    goes(world)
    fails(node, 2)
    beats(node, 60 * SECOND)
    assert node.engine.circuit.away() == ""
    for _ in range(3):
        node.tick(HELD_NAME, node.clock.on(SECOND))
    world.table.publish()
    beats(node, 3 * SECOND)
    assert node.engine.circuit.away() == ""
    assert node.alerts() == []


def test_a_warehouse_that_answers_is_not_away_however_many_policies_fail(world: World, node: Node) -> None:
    world.table.says("s_1", NOON)
    failing(node, WarehouseError("there is no table", transient=False))
    fails(node, 6)
    assert node.engine.circuit.away() == ""
    assert {a.key_values["policy"] for a in node.broken()} == {EVERY, HELD_NAME}


def test_a_failure_for_good_of_the_whole_warehouse_speaks_once_too(node: Node) -> None:
    mend = failing(node, WarehouseError("the password is wrong", transient=False), all_of_it=True)
    fails(node)
    beats(node, 20 * SECOND)
    assert node.broken() == []
    assert [a.title for a in told(node)] == [
        "The warehouse is away, no policy can look: the password is wrong",
    ]
    mend()
    beats(node, 20 * SECOND)
    assert told(node) == []
    for left in node.engine.retries():  # what failed by its fault is tried again
        node.engine.try_again(left)
    assert node.store.runs.recent(HELD_NAME)[0].status is RunStatus.succeeded


@BOTH
def test_two_bots_speak_once_and_the_last_to_see_it_back_ends_it(world: World, node: Node) -> None:
    other = world.node()
    goes(world)
    for one in (node, other):
        fails(one)
    for _ in range(30):
        node.clock.on(SECOND)
        node.engine.circuit.beat()
        other.engine.circuit.beat()
    (alert,) = told(node)
    assert alert.version == 1
    world.table.publish()
    beats(node, MINUTE)
    assert told(node) == []
    beats(other, MINUTE)
    assert node.kinds(alert.id) == ["opened", "resolved"]


def test_what_a_process_that_died_had_told_is_ended_by_the_next_one(world: World, node: Node) -> None:
    away(world, node)
    assert len(told(node)) == 1
    following = world.node()
    beats(following, 3 * SECOND)
    assert len(told(following)) == 1  # it is not back
    world.table.publish()
    beats(following, SECOND)
    assert told(following) == []


def test_who_asks_for_a_run_meanwhile_hears_why_there_is_none(world: World, node: Node) -> None:
    away(world, node)
    policy = node.engine.catalog.policies[HELD_NAME]
    answer = node.starting.rerun_policy(policy, "U0ANA", "k1")
    assert answer.startswith("the warehouse is away: ")
    assert node.view.status().problems[0].startswith("The warehouse is away")


@pytest.mark.parametrize("count", [40])
def test_many_policies_that_fail_at_once_make_one_alert(world: World, count: int) -> None:
    for n in range(count):
        world.write(f"policies/payments/many_{n}.yml", HELD)
        world.write(f"sql/payments/many_{n}.sql", HELD_SQL)
    node = world.node()
    goes(world)
    ran = [node.tick(f"payments.many_{n}") for n in range(count)]
    beats(node, MINUTE)
    assert sum(t.run is not None for t in ran) == 3
    assert [a.policy for a in node.alerts()] == [WAREHOUSE_AWAY]
    assert [a.work for a in node.alerts()] == [Work.open]
