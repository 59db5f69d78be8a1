"""Reruns: the data are asked again, and the answer comes once, in words that are true."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.action import Rerun
from bot.engine import runs
from sensors import run
from sensors.warehouse import WarehouseError
from tests.shell.making import HOUR, MINUTE, NOON, SECOND, Node, World
from tests.shell.outside import Killed, Outside, ended, go_on, opened
from tests.shell.trouble import HELD_NAME, failing, in_between


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return world.node(runners=lambda _: outside)


def rerun(bot: Node, alert: int) -> str:
    before = len(ended(bot, alert))
    bot.engine.act(alert, Rerun("U0ANA"), by="U0ANA")
    for _ in range(30):
        go_on(bot)
        if len(ended(bot, alert)) > before:
            break
    return ended(bot, alert)[-1]


def test_a_rerun_says_that_it_is_still_there(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    assert rerun(bot, alert) == "looked again: still there, 1 row"


def test_a_rerun_says_that_it_is_gone(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    world.table.does("DELETE FROM core.chat WHERE seller_id = 's_1'")
    world.table.says("s_0", bot.clock(), "hello")
    assert rerun(bot, alert) == "looked again: gone"


def test_a_rerun_says_that_there_is_more(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    world.table.says("s_1", bot.clock())
    bot.clock.on(SECOND)
    assert rerun(bot, alert) == "looked again: still there, 2 rows, with rows that nobody had seen"
    assert bot.alert(alert).count == 2


def test_a_rerun_of_a_condition_says_how_it_is_now(world: World, bot: Node) -> None:
    world.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    bot.tick(HELD_NAME)
    alert = bot.alerts(HELD_NAME)[0].id
    assert rerun(bot, alert) == "looked again: still there, 1 row"
    world.table.does("UPDATE core.sellers SET held = false")
    assert rerun(bot, alert) == "looked again: gone"


def test_a_rerun_that_fails_says_why_and_that_is_not_gone(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    failing(bot, WarehouseError("the warehouse is away", transient=True))
    assert rerun(bot, alert) == "looked again and failed: the warehouse is away"


def test_a_rerun_waits_while_another_run_is_at_it(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    bot.engine.act(alert, Rerun("U0ANA"), by="U0ANA")
    other = world.node()

    def meanwhile() -> None:
        go_on(bot)
        assert ended(bot, alert) == []

    world.table.says("s_2", bot.clock())
    bot.clock.on(MINUTE)
    in_between(other, meanwhile)
    other.tick()
    go_on(bot, seconds=4)
    assert len(ended(bot, alert)) == 1


def test_a_rerun_whose_policy_is_gone_says_so(world: World, bot: Node) -> None:
    alert = opened(world, bot)
    for name in ("policies/payments/elsewhere.yml", "sql/payments/elsewhere.sql"):
        (world.project / name).unlink()
    bot.engine.reload()
    assert rerun(bot, alert) == "cannot look again: its policy is no longer there"


def test_a_rerun_is_answered_once_though_its_process_dies_after_the_answer(
    world: World, bot: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = opened(world, bot)
    bot.engine.act(alert, Rerun("U0ANA"), by="U0ANA")

    def dies(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(bot.store.outbox, "end", dies)
        go_on(bot)
    assert len(ended(bot, alert)) == 1
    other = world.node()
    other.clock.on(HOUR)
    go_on(other, seconds=3)
    assert len(ended(other, alert)) == 1
    assert rerun(other, alert)
    assert len(ended(other, alert)) == 2


def test_a_rerun_in_parts_does_not_say_gone(world: World, bot: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = opened(world, bot)
    for n in range(20):
        world.table.says(f"s_{n}", NOON - 30 * MINUTE + n * SECOND)
    real = run.look
    monkeypatch.setattr(runs, "look", lambda *given: real(*given, limit=10))
    assert rerun(bot, alert).startswith("looked again only until")
