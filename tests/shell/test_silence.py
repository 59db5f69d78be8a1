"""A policy that ought to look and does not is told to its owner, whatever holds it up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from bot.core.alert import Alert
from bot.core.silence import SILENT_SENSOR
from bot.engine.due import due_runs
from bot.engine.rounds import Want
from sensors.warehouse import WarehouseError
from tests.shell.making import DAY, ELSEWHERE, HELD, HELD_SQL, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, failing, in_between


def rounds(node: Node, span: timedelta, *ticked: str, step: timedelta = MINUTE) -> None:
    """Time goes by; these policies tick meanwhile."""
    for _ in range(span // step):
        node.clock.on(step)
        for name in ticked:
            node.tick(name)
        node.engine.silence.once()


def silent(node: Node) -> list[Alert]:
    return node.alerts(SILENT_SENSOR)


def about(node: Node) -> list[str]:
    return [str(a.key_values.get("policy")) for a in silent(node)]


def test_a_policy_that_never_runs_is_told_after_a_quarter_of_an_hour_and_not_before(node: Node) -> None:
    node.engine.silence.once()
    rounds(node, 14 * MINUTE, EVERY)
    assert silent(node) == []
    rounds(node, 2 * MINUTE, EVERY)
    titles = {a.key_values["policy"]: a.title for a in silent(node)}
    assert titles[HELD_NAME].endswith("has had no good look for far longer: it has never been run")
    assert silent(node)[0].terms.team == "payments"


def test_one_that_always_waits_for_a_table_is_told_with_the_reason_and_a_good_look_ends_it(
    world: World, node: Node
) -> None:
    node.engine.silence.once()
    rounds(node, 16 * MINUTE, EVERY, HELD_NAME)
    (alert,) = silent(node)
    assert alert.key_values == {"policy": EVERY}
    assert alert.newest["why"] == "it waits: core.chat holds no rows"
    rounds(node, 10 * MINUTE, EVERY, HELD_NAME)
    assert node.kinds(alert.id) == ["opened"]
    world.table.says("s_1", node.clock())
    rounds(node, MINUTE, EVERY, HELD_NAME)
    assert silent(node) == []
    assert node.kinds(alert.id) == ["opened", "resolved"]


def test_one_that_another_run_always_holds_up_is_told(world: World, node: Node) -> None:
    world.table.says("s_1", NOON)
    node.engine.silence.once()

    def meanwhile() -> None:
        for _ in range(17):
            node.clock.on(MINUTE)
            node.engine.runs.renew()
            world.nodes[1].engine.silence.once()

    world.node().engine.silence.once()
    in_between(node, meanwhile)
    node.tick()
    assert about(node)[:1] == [EVERY]
    assert "one look has gone on since 2026-01-05 12:00 UTC" in silent(node)[0].title


def test_a_scheduler_that_does_not_come_to_it_is_told(node: Node) -> None:
    node.tick(HELD_NAME)
    node.engine.silence.once()
    rounds(node, 16 * MINUTE)
    title = next(a.title for a in silent(node) if a.key_values["policy"] == HELD_NAME)
    assert "Patrol has not come to it since 2026-01-05 12:00 UTC" in title


def test_a_missed_time_of_a_cron_is_told(world: World) -> None:
    world.write("policies/payments/held.yml", HELD.replace("{every: 1m}", '{cron: "30 12 * * *"}'))
    node = world.node()
    node.engine.silence.once()
    rounds(node, 44 * MINUTE)
    assert HELD_NAME not in about(node)
    rounds(node, 2 * MINUTE)
    assert HELD_NAME in about(node)
    node.tick(HELD_NAME)
    rounds(node, MINUTE)
    assert HELD_NAME not in about(node)


def test_a_daily_policy_has_days(world: World) -> None:
    world.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1d"))
    node = world.node()
    node.tick(HELD_NAME)
    node.engine.silence.once()
    rounds(node, 3 * DAY - HOUR, step=4 * MINUTE)
    assert HELD_NAME not in about(node)
    rounds(node, 2 * HOUR, step=4 * MINUTE)
    assert HELD_NAME in about(node)


def test_a_start_an_addition_and_another_schedule_begin_afresh(world: World, node: Node) -> None:
    node.engine.silence.once()
    rounds(node, 14 * MINUTE)
    world.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 2m"))
    world.write("policies/payments/held_b.yml", HELD)
    world.write("sql/payments/held_b.sql", HELD_SQL)
    node.engine.reload()
    rounds(node, 14 * MINUTE)
    assert about(node) == [EVERY]
    following = world.node()
    following.engine.silence.once()
    rounds(following, 2 * MINUTE)
    assert about(node) == [EVERY]
    rounds(node, 2 * MINUTE)
    assert set(about(node)) == {EVERY, HELD_NAME, "payments.held_b"}


def test_after_a_time_in_which_this_process_slept_nobody_is_accused(node: Node) -> None:
    node.tick(HELD_NAME)
    node.engine.silence.once()
    node.clock.on(6 * HOUR)
    node.engine.silence.once()
    assert silent(node) == []


def test_while_the_warehouse_is_away_and_just_after_nothing_is_told(node: Node) -> None:
    node.engine.silence.once()
    mend = failing(node, WarehouseError("no answer", transient=True), all_of_it=True)
    for _ in range(3):
        node.next_tick(HELD_NAME)
    assert node.engine.circuit.away()
    rounds(node, HOUR)
    mend()
    node.clock.on(MINUTE)
    node.engine.circuit.beat()
    assert not node.engine.circuit.away()
    rounds(node, 10 * MINUTE)
    assert silent(node) == []
    rounds(node, 10 * MINUTE)
    assert HELD_NAME in about(node)


def test_beside_a_broken_sensor_nothing_more_is_told(node: Node) -> None:
    node.engine.silence.once()
    rounds(node, 16 * MINUTE)
    assert HELD_NAME in about(node)
    failing(node, WarehouseError("there is no table core.sellers"))
    rounds(node, 2 * MINUTE, HELD_NAME)
    assert [a.key_values["policy"] for a in node.broken()] == [HELD_NAME]
    assert about(node) == [EVERY]


def test_one_that_is_gone_is_silent_no_more(world: World, node: Node) -> None:
    node.engine.silence.once()
    rounds(node, 16 * MINUTE)
    world.write("policies/payments/held.yml", HELD + "status: retired\n")
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "status: draft\n")
    node.engine.reload()
    rounds(node, MINUTE)
    assert silent(node) == []


@BOTH
def test_many_are_one_alert_from_two_bots_and_a_round_asks_few_questions(world: World, node: Node) -> None:
    for n in range(30):
        world.write(f"policies/payments/many_{n}.yml", HELD)
        world.write(f"sql/payments/many_{n}.sql", HELD_SQL)
    bots = [world.node(), world.node()]
    for _ in range(17):
        world.clock.on(MINUTE)
        for bot in bots:
            bot.engine.silence.once()
    (alert,) = silent(node)
    assert alert.title.startswith("32 policies of payments have had no good look")
    for name in bots[0].engine.catalog.policies:
        bots[0].tick(name)
    with reads(bots[0]) as asked:
        bots[0].engine.silence.once()
    assert len(asked) <= 7  # one of them since a policy waits for data
    world.clock.on(30 * SECOND)
    with reads(bots[1]) as asked:
        bots[1].engine.silence.once()
    assert silent(node)[0].key_values == {"policy": EVERY}  # its table holds no rows
    assert len(silent(node)) == 1


@contextmanager
def reads(node: Node) -> Iterator[list[int]]:
    """A number for every time that the store is asked meanwhile."""
    database: Any = node.store._database
    real, asked = database.read, list[int]()

    def read() -> Any:
        asked.append(len(asked))
        return real()

    database.read = read
    try:
        yield asked
    finally:
        database.read = real


def test_what_runs_after_something_is_silent_only_when_that_has_come_and_it_has_not_run(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("{every: 1m}", "{after: [core.chat]}"))
    node = world.node()
    node.engine.silence.once()
    rounds(node, 40 * MINUTE, HELD_NAME)
    assert silent(node) == []  # nothing has come
    came = node.clock()
    node.store.states.record("core.chat", "one", came, came)
    rounds(node, 14 * MINUTE, HELD_NAME)
    assert silent(node) == []
    rounds(node, 4 * MINUTE, HELD_NAME)
    (alert,) = silent(node)
    assert alert.title.startswith(f"{EVERY} ought to look after core.chat and has had no good look")
    world.table.says("s_1", came)
    policy = node.engine.catalog.policies[EVERY]
    for tick in due_runs(node.store, [policy], node.clock())[EVERY]:
        assert node.engine.runs.one(Want(EVERY, (tick,)).asked()).looked
    rounds(node, MINUTE, HELD_NAME)
    assert silent(node) == []
