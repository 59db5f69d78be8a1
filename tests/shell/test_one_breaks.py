"""One alert or run that breaks something here holds up no other: the rest is done, the log names it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from bot.engine.asked import Asked
from bot.engine.rounds import Rounds
from bot.process.errors import StoreAway
from bot.sandbox import Sandbox
from sensors.model.run import Cause, CauseKind
from tests.shell.delivering import escalated, opened, until
from tests.shell.making import HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import EVERY, HELD_NAME, store_away


def breaking_for(monkeypatch: pytest.MonkeyPatch, alert: int) -> None:
    """To step this alert is a mistake of ours."""
    import bot.engine.engine as engine

    real = engine.step

    def step(was: Any, *given: Any) -> Any:
        if was is not None and was.id == alert:
            raise ZeroDivisionError("of this one")
        return real(was, *given)

    monkeypatch.setattr(engine, "step", step)


def test_an_alert_that_cannot_be_stepped_holds_up_no_other_in_a_sweep(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for seller in ("s_1", "s_2", "s_3"):
        world.table.says(seller, node.clock() - SECOND, times=4)
    node.next_tick()
    first, *others = node.alerts()
    breaking_for(monkeypatch, first.id)
    node.clock.on(HOUR)
    assert node.engine.sweep() == 2
    assert all(len(node.kinds(alert.id)) == 2 for alert in others)
    assert f"alert {first.id}" in caplog.text
    before = caplog.text
    node.clock.on(SECOND)
    node.engine.sweep()
    assert caplog.text == before  # and is not said each second


def test_an_alert_that_cannot_be_read_holds_up_no_other_on_its_way_to_slack(
    town: World, slack: Sandbox
) -> None:
    node = town.node()
    one, other = opened(town, node, "s_1", "s_2")
    for alert in (one, other):
        escalated(node, alert, "nobody is there")
    with node.store._database.write() as c:
        c.execute(text("UPDATE alerts SET body = '{}' WHERE id = :id"), {"id": one})
    until(node, slack, [f"card-{other}", "effect-2"])


def test_a_condition_that_cannot_be_stepped_holds_up_no_other(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true), ('s_2', true)")
    node.next_tick(HELD_NAME)
    one, two = node.alerts(HELD_NAME)
    breaking_for(monkeypatch, one.id)
    world.table.breaks()
    node.next_tick(HELD_NAME)
    assert [node.alert(a.id).condition.value for a in (one, two)] == ["firing", "unknown"]


def test_a_dead_run_that_cannot_be_taken_over_holds_up_no_other(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.table.says("s_1", node.clock() - SECOND)
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    node.clock.on(MINUTE)
    died = world.node()
    for name in (HELD_NAME, EVERY):
        cause = Cause(CauseKind.tick, "of one that died")
        died.engine.runs.claim([Asked(name, cause, node.clock())])
        node.clock.on(SECOND)
    node.clock.on(MINUTE)
    real = node.engine.tick

    def tick(name: str, *given: Any, **how: Any) -> Any:
        if name == HELD_NAME:
            raise ZeroDivisionError("of this one")
        return real(name, *given, **how)

    monkeypatch.setattr(node.engine, "tick", tick)
    node.take_over()
    assert [alert.policy for alert in node.alerts()] == [EVERY]


def test_a_run_whose_rows_cannot_be_counted_holds_up_no_other_that_is_saved_with_it(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.engine import runs

    real = runs.reconcile

    def reconcile(policy: Any, *given: Any) -> Any:
        if policy.name == HELD_NAME:
            raise ZeroDivisionError("of this one")
        return real(policy, *given)

    monkeypatch.setattr(runs, "reconcile", reconcile)
    world.table.says("s_1", node.clock() - SECOND)
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    rounds = Rounds(node.engine, 1, pytest.fail)
    rounds.want([HELD_NAME, EVERY])
    (wants,) = [rounds._next()]
    assert isinstance(wants, list)
    rounds._claim(wants)
    while isinstance(work := rounds._next(), tuple):
        rounds._look(*work)
        if len(rounds._found) == 2:
            break
    rounds._save_these(rounds._next_found())
    assert [alert.policy for alert in node.alerts()] == [EVERY]
    assert HELD_NAME in caplog.text
    assert rounds.idle(0)


def test_a_store_that_is_away_ends_a_sweep_at_once(world: World, node: Node) -> None:
    world.table.says("s_1", node.clock() - SECOND, times=4)
    node.next_tick()
    node.clock.on(HOUR)
    due = node.store.alerts.due(node.clock())
    back = store_away(node)
    node.store.alerts.due = lambda _: due * 50  # type: ignore[method-assign]
    with pytest.raises(StoreAway):
        node.engine.sweep()
    back()
