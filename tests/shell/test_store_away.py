"""The store goes away in the middle of what is done outside: nothing is lost, done twice or waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.action import Acknowledge, Comment
from bot.core.job_run import JobState, Progress
from bot.engine.due import due_ticks
from bot.process.errors import StoreAway
from bot.sandbox import Sandbox
from tests.shell.delivering import escalated, opened, shown, standing, threaded, until
from tests.shell.making import FILES, HOUR, MINUTE, SECOND, Node, World
from tests.shell.outside import ANA, Outside, asked, ended, go_on
from tests.shell.outside import opened as one_opened
from tests.shell.trouble import BOTH, EVERY, in_between, store_away

Back = Callable[[], None]


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


@pytest.fixture
def outside() -> Outside:
    return Outside(can_repeat=False)


@pytest.fixture
def starter(world: World, outside: Outside) -> Node:
    return world.node(runners=lambda _: outside)


def away_at(monkeypatch: pytest.MonkeyPatch, bot: Node, point: str) -> list[Back]:
    """The store goes away the first time that delivery comes by the point; the list gets its way back."""
    backs: list[Back] = []

    def gone(at: str) -> None:
        if at == point and not backs:
            backs.append(store_away(bot))

    monkeypatch.setattr("bot.deliver.posting.reach", gone)
    return backs


def in_vain(bot: Node, seconds: int) -> None:
    """Delivery is tried, and time goes on."""
    for _ in range(seconds):
        with suppress(StoreAway):
            bot.deliver(1)
        bot.clock.on(SECOND)


# ------------------------------------------------------------------------------ delivery


@BOTH
def test_a_card_that_was_posted_when_the_store_went_away_is_recorded_later_and_not_looked_for(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.faults({"method": "conversations.history", "fault": "error:missing_scope"})  # so it cannot look
    opened(town, bot, "s_1", "s_2")
    backs = away_at(monkeypatch, bot, "record.before")
    in_vain(bot, 300)
    assert standing(slack) == ["card-1"]
    backs[0]()
    until(bot, slack, ["card-1", "card-2"])
    assert standing(slack) == ["card-1", "card-2"]
    assert slack.journal(method="conversations.history") == []


@pytest.mark.parametrize("point", ["send.before", "send.after", "record.before", "record.after"])
def test_wherever_the_store_goes_away_one_card_and_its_replies_stand_in_order(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    (alert,) = opened(town, bot)
    escalated(bot, alert, "one", "two")
    for _ in range(3):  # the card, and each reply
        backs = away_at(monkeypatch, bot, point)
        in_vain(bot, 40)
        for back in backs:
            back()
    until(bot, slack, ["card-1", "effect-1", "effect-2"], 100)
    assert ["one" in text for text in threaded(slack)] == [True, False]


def test_a_click_during_an_outage_is_not_recorded_and_can_be_done_again(town: World, bot: Node) -> None:
    (alert,) = opened(town, bot)
    back = store_away(bot)
    with pytest.raises(StoreAway, match="Nothing was recorded"):
        bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    back()
    assert bot.alert(alert).owner is None
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    assert bot.kinds(alert)[-1] == "acknowledged"


def test_a_message_is_found_though_our_clock_is_far_ahead_of_slacks(
    town: World, bot: Node, slack: Sandbox
) -> None:
    bot.clock.at = datetime.now(UTC) + HOUR
    opened(town, bot, "s_1", "s_2")
    slack.faults({"method": "chat.postMessage", "fault": "store_then_drop", "after": 1, "times": 1})
    until(bot, slack, ["card-1", "card-2"])
    bot.deliver(60, SECOND)
    assert standing(slack) == ["card-1", "card-2"]
    assert len(slack.journal(method="chat.postMessage")) == 2


def test_after_the_clock_was_put_back_cards_wait_for_no_slot_or_pause_of_before(
    town: World, bot: Node, slack: Sandbox
) -> None:
    assert bot.deliverer
    (alert,) = opened(town, bot)
    bot.clock.on(3 * HOUR)
    slack.faults({"method": "chat.postMessage", "fault": "429", "retry_after": 5, "times": 1})
    bot.deliver(1)
    bot.clock.on(-3 * HOUR)
    bot.store.set_right(bot.clock())
    bot.deliverer.clock_jumped()
    bot.deliver(4)
    assert f"card-{alert}" in standing(slack)
    bot.engine.act(alert, Comment("U0ANA", "seen"), by="U0ANA")
    bot.deliver(4)
    assert "seen" in shown(slack)


# ------------------------------------------------------------------------------ runs


@BOTH
def test_what_was_found_when_the_store_went_away_is_found_again_once(world: World) -> None:
    bot = world.node()
    world.table.says("s_1", bot.clock() - SECOND, times=2)
    backs: list[Back] = []
    in_between(bot, lambda: backs.append(store_away(bot)))
    bot.clock.on(MINUTE)
    with pytest.raises(StoreAway):
        bot.tick()
    backs[0]()
    assert bot.alerts() == []
    assert bot.tick().busy  # its own lease, for a moment
    bot.clock.on(20 * SECOND)
    assert bot.take_over() == 1
    assert [(a.count, a.policy) for a in bot.alerts()] == [(2, EVERY)]
    bot.next_tick()
    assert [a.count for a in bot.alerts()] == [2]


def test_a_sweep_that_met_no_store_does_all_of_it_later(world: World) -> None:
    bot = world.node()
    world.table.says("s_1", bot.clock() - SECOND, times=4)
    bot.next_tick()
    (alert,) = bot.alerts()
    bot.clock.on(HOUR)
    back = store_away(bot)
    with pytest.raises(StoreAway):
        bot.engine.sweep()
    back()
    before = bot.kinds(alert.id)
    assert bot.engine.sweep() == 1
    assert len(bot.kinds(alert.id)) == len(before) + 1


@BOTH
def test_rows_of_the_time_when_the_clock_was_ahead_and_after_it_are_all_found_once(world: World) -> None:
    assets = FILES["policies/_assets.yml"].replace("loaded_until: sent_at, load_interval: 1m,", "")
    world.write("policies/_assets.yml", assets)
    bot = world.node()
    world.table.says("s_1", bot.clock())
    bot.next_tick()
    real = bot.clock()
    bot.clock.on(5 * HOUR)
    for _ in range(3):  # for three minutes; what comes meanwhile carries the warehouse's time, which is right
        world.table.says("s_2", real + 30 * SECOND)
        bot.next_tick()
    bot.clock.at = real + 3 * MINUTE
    policy = bot.engine.catalog.policies[EVERY]
    assert due_ticks(bot.store, policy, bot.clock(), bot.store.runs.last_tick(EVERY))  # notices it
    world.table.says("s_3", bot.clock())
    bot.next_tick()
    bot.next_tick()
    assert {a.key_values["seller_id"]: a.count for a in bot.alerts()} == {"s_1": 1, "s_2": 3, "s_3": 1}


# ------------------------------------------------------------------------------ jobs and reruns


def chores(bot: Node, seconds: int) -> None:
    for _ in range(seconds):
        with suppress(StoreAway):
            go_on(bot)
            continue
        bot.clock.on(SECOND)


def test_a_job_that_began_when_the_store_went_away_is_known_to_have_begun(
    world: World, starter: Node, outside: Outside
) -> None:
    backs: list[Back] = []

    def begins() -> Progress:
        backs.append(store_away(starter))
        return Progress(JobState.running, "x1")

    outside.on_start = begins
    alert = one_opened(world, starter)
    asked(starter, alert)
    chores(starter, 120)
    backs[0]()
    chores(starter, 8)
    assert (outside.starts, outside.polls) == (["effect-1"], 1)
    assert ended(starter, alert) == ["hold_payouts succeeded: done"]


@pytest.mark.parametrize("what", ["job", "rerun"])
def test_what_was_taken_when_the_store_went_away_is_not_waited_for(
    world: World, starter: Node, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    alert = one_opened(world, starter)
    backs: list[Back] = []
    where: Any = starter.store.jobs if what == "job" else starter.engine
    name = "ask" if what == "job" else "tick"
    real = getattr(where, name)

    def gone(*given: Any, **how: Any) -> Any:
        if not backs:
            backs.append(store_away(starter))
        return real(*given, **how)

    monkeypatch.setattr(where, name, gone)
    if what == "job":
        asked(starter, alert)
    else:
        starter.desk.command(ANA, f"rerun {alert}")
    chores(starter, 30)
    backs[0]()
    chores(starter, 10)
    assert len(ended(starter, alert)) == 1
