"""A false positive becomes its own fix: whoever reported it hears, once, that the policy was mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.action import Reopen, Resolve
from bot.core.alert import Disposition, FalseCause, Lane
from bot.core.reply import Person, PolicyReply, Said
from bot.mending import Mending
from bot.sandbox import Sandbox
from bot.slack import answers
from sensors.warehouse import WarehouseError
from tests.shell.making import DAY, ELSEWHERE, ELSEWHERE_SQL, HOUR, MINUTE, NOON, Node, World
from tests.shell.trouble import BOTH, EVERY, counting, failing

BO, ANA = "U0BO", "U0ANA"
QUIETER = ELSEWHERE_SQL.replace("'%pay me%'", "'%pay me%' AND body NOT ILIKE '%charity%'")
CHARITY = "pay me on the charity's page"


def reported(node: Node, world: World, body: str = CHARITY) -> int:
    """An alert that bo calls a false positive."""
    world.table.says("s_1", node.clock() - MINUTE, body)
    node.tick()
    (alert,) = node.alerts(EVERY)
    node.clock.on(MINUTE)
    action = Resolve(BO, Disposition.false_positive, FalseCause.rule, "a charity stream")
    node.engine.act(alert.id, action, by=BO)
    return alert.id


def mends(world: World, *nodes: Node, sql: str = QUIETER) -> None:
    world.write("sql/payments/elsewhere.sql", sql)
    for node in nodes:
        node.engine.reload()


def told(node: Node, alert: int) -> list[str]:
    return [e.story for e in node.store.alerts.history(alert) if e.kind == "mended"]


@BOTH
def test_whoever_reported_it_hears_once_that_it_was_mended_after_a_restart_too(world: World) -> None:
    node = world.node()
    alert = reported(node, world)
    mending = Mending(node.engine)
    assert mending.once() == 0
    mends(world, node)
    assert mending.once() == 1
    version = node.engine.catalog.policies[EVERY].content[:8]
    assert told(node, alert) == [f"mended: elsewhere (version {version}) would no longer alert on this"]
    assert [mending.once(), Mending(node.engine).once(), Mending(world.node().engine).once()] == [0, 0, 0]
    assert len(told(node, alert)) == 1
    assert node.alert(alert).mended == version


def test_the_note_stands_once_in_the_thread_and_names_nobody_else(town: World, slack: Sandbox) -> None:
    node = town.node()
    node.clock.at = NOON
    alert = reported(node, town)
    node.deliver()
    mends(town, node)
    assert Mending(node.engine).once() == 1
    node.deliver()
    again = town.node()
    Mending(again.engine).once()
    again.deliver()
    (card,) = slack.messages("payments")
    notes = [m for m in slack.messages("payments", card["ts"]) if "mended: elsewhere" in m["text"]]
    assert len(notes) == 1
    assert notes[0]["text"].startswith(f"<@{BO}> mended: elsewhere (version ")
    assert notes[0]["text"].endswith("would no longer alert on this; thank you, your report did it")
    assert notes[0].get("subtype") != "thread_broadcast"
    assert node.alert(alert).disposition is Disposition.false_positive


def test_a_change_that_does_not_mend_it_tells_nobody_and_looks_once(world: World) -> None:
    node = world.node()
    alert = reported(node, world)
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("Seller steers", "A seller steers"))
    node.engine.reload()
    mending, asked = Mending(node.engine), counting(node)
    assert [mending.once(), mending.once(), mending.once()] == [0, 0, 0]
    assert len(asked) == 1
    assert told(node, alert) == []


def test_rows_that_are_gone_are_no_mending(world: World) -> None:
    node = world.node()
    alert = reported(node, world)
    world.table.does("DELETE FROM core.chat")
    world.table.says("s_2", node.clock())
    mends(world, node)
    assert Mending(node.engine).once() == 0
    assert told(node, alert) == []


def test_what_is_no_longer_called_false_is_not_told_of(world: World) -> None:
    node = world.node()
    alert = reported(node, world)
    node.engine.act(alert, Resolve(ANA, Disposition.benign), by=ANA)
    mends(world, node)
    assert Mending(node.engine).once() == 0
    node.engine.act(alert, Resolve(ANA, Disposition.false_positive), by=ANA)
    assert Mending(node.engine).once() == 1
    node.engine.act(alert, Reopen(BO), by=BO)
    assert node.alert(alert).mended == ""


def test_a_shadow_alert_is_told_to_nobody(world: World) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "status: shadow\n")
    node = world.node()
    alert = reported(node, world)
    assert node.alert(alert).lane is Lane.shadow
    mends(world, node)
    assert Mending(node.engine).once() == 0
    assert told(node, alert) == []


def test_a_report_of_long_ago_is_told_to_nobody(world: World) -> None:
    node = world.node()
    alert = reported(node, world)
    node.clock.on(15 * DAY)
    mends(world, node)
    assert Mending(node.engine).once() == 0
    assert told(node, alert) == []


def test_a_warehouse_that_is_away_leaves_it_for_next_time(world: World) -> None:
    node = world.node()
    alert = reported(node, world)
    mends(world, node)
    mending = Mending(node.engine)
    mend = failing(node, WarehouseError("the warehouse is away", transient=True))
    assert mending.once() == 0
    mend()
    assert mending.once() == 0  # it rests
    node.clock.on(timedelta(minutes=11))
    assert mending.once() == 1
    assert len(told(node, alert)) == 1


def test_a_condition_of_the_world_as_it_is_can_be_mended_too(world: World) -> None:
    node = world.node()
    world.table.does("INSERT INTO core.sellers VALUES ('s_7', true), ('s_8', true)")
    node.tick("payments.held")
    for alert in node.alerts("payments.held"):
        node.engine.act(alert.id, Resolve(BO, Disposition.false_positive), by=BO)
    sql = "-- One row per seller who is held.\nSELECT seller_id FROM {{ table('core.sellers') }} WHERE held"
    world.write("sql/payments/held.sql", f"{sql} AND seller_id <> 's_7'\n")
    node.engine.reload()
    assert Mending(node.engine).once() == 1
    false = Disposition.false_positive
    of = {
        a.key_values["seller_id"]: a.mended
        for a in node.store.alerts.resolved(["payments.held"], NOON - HOUR, false)
    }
    assert (bool(of["s_7"]), of["s_8"]) == (True, "")


@pytest.mark.parametrize("command", ["resolve 1 fp threshold too many", "resolve 1 fp"])
def test_the_answer_says_that_the_report_was_noted(world: World, command: str) -> None:
    node = world.node()
    world.table.says("s_1", NOON - MINUTE)
    node.tick()
    said = node.desk.command(Person(BO), command)
    assert isinstance(said, Said)
    assert "Noted for payments, who own `payments.elsewhere`. You will hear in its thread" in said.text
    reply = node.desk.command(Person(BO), "policy payments.elsewhere")
    assert isinstance(reply, PolicyReply)
    assert reply.reports == 1
    shown = str(answers.policy(reply).blocks)
    assert "1 open report of false positives: `patrol case --reports payments.elsewhere`" in shown
    assert isinstance(again := node.desk.command(Person(BO), "resolve 1 benign"), Said)
    assert "Noted" not in again.text
