"""Several processes on one store, clicks, and what the clock asks for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bot.core.action import Acknowledge, Resolve, SnoozeFor
from bot.core.alert import Disposition, Work
from bot.core.change import Change, Refused
from sensors.model.run import RunStatus
from tests.shell.making import DAY, HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY, HELD_NAME, in_between

# ------------------------------------------------------------------------------ several processes


@BOTH
def test_two_engines_that_tick_the_same_cause_at_once_give_what_one_gives(world: World, node: Node) -> None:
    nodes = [node, world.node(), world.node()]
    for minute in range(6):
        world.table.says(f"s_{minute % 3}", NOON + minute * MINUTE)
        world.clock.on(MINUTE)
        with ThreadPoolExecutor(6) as pool:
            ticked = list(pool.map(lambda n: n.tick(), nodes * 2))
        assert sum(t.why_not == "" for t in ticked) == 1
    assert [(a.title, a.count, a.version) for a in node.alerts()] == [
        (f"s_{n} asked 2 times", 2, 2) for n in range(3)
    ]
    assert len(node.store.runs.recent(EVERY, 100)) == 6


def test_a_dead_run_is_looked_at_again_over_the_window_it_had(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)

    def dies() -> None:
        raise KeyboardInterrupt

    in_between(node, dies)
    with pytest.raises(KeyboardInterrupt):
        node.tick()
    assert node.alerts() == []
    other = world.node()
    assert other.take_over() == 0  # its lease still runs
    world.clock.on(20 * SECOND)
    assert other.take_over() == 1
    assert len(other.alerts()) == 1
    assert other.take_over() == 0


def test_a_dead_run_of_a_policy_that_is_gone_is_ended_once(world: World, node: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")

    def dies() -> None:
        raise KeyboardInterrupt

    in_between(node, dies)
    with pytest.raises(KeyboardInterrupt):
        node.tick(HELD_NAME)
    (world.project / "policies/payments/held.yml").unlink()
    (world.project / "sql/payments/held.sql").unlink()
    node.engine.reload()
    world.clock.on(20 * SECOND)
    assert node.take_over() == 1
    assert node.take_over() == 0
    assert node.store.runs.recent(HELD_NAME)[0].status is RunStatus.skipped


def test_a_run_that_takes_long_keeps_its_lease_while_it_is_renewed(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    other = world.node()

    def long_query() -> None:
        for _ in range(10):
            world.clock.on(5 * SECOND)
            node.engine.runs.renew()
            assert other.take_over() == 0

    in_between(node, long_query)
    assert node.tick().why_not == ""
    assert len(node.alerts()) == 1


# ------------------------------------------------------------------------------ act


@BOTH
def test_a_hundred_clicks_at_once_are_one_transition_and_99_polite_answers(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    (alert,) = node.alerts()
    people = [f"U0P{n}" for n in range(100)]

    def click(by: str) -> object:
        return node.engine.act(alert.id, Acknowledge(by), by=by, work_seq=alert.work_seq)[1]

    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(click, people))
    done = [o for o in outcomes if isinstance(o, Change)]
    refused = [o for o in outcomes if isinstance(o, Refused)]
    owner = node.alert(alert.id).owner
    assert len(done) == 1
    assert len(refused) == 99
    assert all(f"⟦{owner}⟧ has {alert.name}" in o.why for o in refused)
    assert node.kinds(alert.id) == ["opened", "acknowledged"]


def test_a_click_on_an_alert_that_is_not_there_is_refused(node: Node) -> None:
    assert isinstance(node.engine.act(99, Acknowledge("U0ANA"))[1], Refused)


# ------------------------------------------------------------------------------ sweep


def paged(node: Node, alert_id: int) -> list[tuple[str | None, float]]:
    """Who was told by the clock, and how many minutes after noon."""
    told = [
        (event.at, event.story)
        for event in node.store.alerts.history(alert_id)
        if event.kind in ("escalated", "ran_out", "reminded", "woken")
    ]
    return [(story.partition(":")[0], (at - NOON) / MINUTE) for at, story in told]


def swept(node: Node, until: timedelta, step: timedelta = SECOND) -> None:
    end = node.clock() + until
    while node.clock() < end:
        node.clock.on(step)
        node.engine.sweep()


def test_what_nobody_takes_goes_up_the_ladder_on_time(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    (alert,) = node.alerts()
    swept(node, 5 * HOUR, 30 * SECOND)
    assert paged(node, alert.id) == [
        ("escalated to the team", 10.0),
        ("escalated to the lead", 15.0),
        ("escalated to the lead", 15.0 + 240),
    ]
    pages = [s for s, *_ in node.store.outbox.effects(node.clock())]
    assert pages == []  # they wait for the card, and are kept


def test_an_acknowledgement_is_reminded_of_and_runs_out(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    (alert,) = node.alerts()
    node.engine.act(alert.id, Acknowledge("U0ANA"), by="U0ANA")
    swept(node, 4 * HOUR + MINUTE, 10 * SECOND)
    kinds = [(kind, round(at)) for kind, at in paged(node, alert.id)]
    assert [at for _, at in kinds] == [192, 240]
    assert node.alert(alert.id).work is Work.open


def test_a_snooze_ends_on_time_and_the_ladder_goes_on(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    (alert,) = node.alerts()
    node.engine.act(alert.id, SnoozeFor("U0ANA", NOON + HOUR), by="U0ANA")
    swept(node, HOUR - 10 * SECOND, 10 * SECOND)
    assert node.alert(alert.id).snooze is not None
    swept(node, 10 * SECOND)
    assert node.alert(alert.id).snooze is None
    swept(node, 20 * MINUTE, 10 * SECOND)
    assert "escalated" in node.kinds(alert.id)


def test_after_a_night_without_patrol_each_due_alert_is_told_once_and_goes_on_from_now(
    world: World, node: Node
) -> None:
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    (alert,) = node.alerts()
    node.clock.on(9 * HOUR)
    assert node.engine.sweep() == 1
    assert node.engine.sweep() == 0
    assert paged(node, alert.id) == [("escalated to the team", 540.0)]
    swept(node, 6 * MINUTE)
    assert [at for _, at in paged(node, alert.id)][1] == pytest.approx(545, abs=0.1)


@BOTH
def test_two_processes_that_sweep_at_once_tell_once(world: World, node: Node) -> None:
    for seller in range(20):
        world.table.says(f"s_{seller}", NOON - MINUTE)
    node.tick()
    nodes = [node, world.node()]
    world.clock.on(11 * MINUTE)
    with ThreadPoolExecutor(2) as pool:
        changed = list(pool.map(lambda n: n.engine.sweep(), nodes))
    assert sum(changed) == 20
    assert all(node.kinds(a.id) == ["opened", "escalated"] for a in node.alerts())


def test_resolved_alerts_are_due_to_nobody(world: World, node: Node) -> None:
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    (alert,) = node.alerts()
    node.engine.act(alert.id, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    node.clock.on(3 * DAY)
    assert node.engine.sweep() == 0


def test_a_warehouse_that_does_not_say_until_when_it_is_loaded_fails_the_run_and_moves_nothing(
    world: World, node: Node
) -> None:
    world.table.says("s_1", NOON - MINUTE)
    world.table.breaks()
    ticked = node.tick()
    assert ticked.looked
    assert ticked.looked.status is RunStatus.failed
    assert node.store.runs.watermark(EVERY) is None
    world.table.publish()
    node.next_tick()
    assert [a.count for a in node.alerts(EVERY)] == [1]
