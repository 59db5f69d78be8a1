"""Delivery to a real Slack of our own, over HTTP, with its faults; the clock is moved by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.core.action import Acknowledge, Comment, Escalate, PersonAction, Resolve
from bot.core.alert import Disposition
from bot.core.message import LOOK_AGAIN, MessageState
from bot.deliver import CHANNEL_GAP
from bot.sandbox import Sandbox
from tests.shell.delivering import (
    FAULTS,
    OTHER,
    escalated,
    opened,
    shown,
    standing,
    struck,
    until,
    wait_for,
)
from tests.shell.making import MINUTE, NOON, SECOND, Node, World


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


# ------------------------------------------------------------------------------ cards


def test_a_card_is_posted_once_and_then_edited(town: World, bot: Node, slack: Sandbox) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(3)
    assert standing(slack) == ["card-1"]
    assert "ACKNOWLEDGED" in shown(slack)
    methods = [e["method"] for e in slack.journal(kind="api") if e["method"].startswith("chat.")]
    assert methods == ["chat.postMessage", "chat.update"]


def test_ten_changes_before_the_deliverer_wakes_are_one_edit(town: World, bot: Node, slack: Sandbox) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    for n in range(10):
        bot.engine.act(alert, Comment("U0ANA", f"note {n}"), by="U0ANA")
    bot.deliver(10)
    assert len(slack.journal(method="chat.update")) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f["fault"])
def test_after_any_trouble_exactly_one_card_stands(
    town: World, bot: Node, slack: Sandbox, fault: dict[str, Any]
) -> None:
    (alert,) = opened(town, bot)
    struck(bot, slack, fault)
    until(bot, slack, ["card-1"])
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(30, SECOND)
    assert "ACKNOWLEDGED" in shown(slack)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f["fault"])
def test_after_any_trouble_an_edit_is_shown(
    town: World, bot: Node, slack: Sandbox, fault: dict[str, Any]
) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    slack.faults({"method": "chat.update", "times": 1, **fault})
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(30)
    assert "ACKNOWLEDGED" in shown(slack)
    assert standing(slack) == ["card-1"]


def test_a_busy_slack_is_left_alone_for_as_long_as_it_asks(town: World, bot: Node, slack: Sandbox) -> None:
    slack.faults({"method": "chat.postMessage", "fault": "429", "retry_after": 10, "times": 1})
    opened(town, bot, "s_1", "s_2", "s_3")
    bot.deliver(18)  # nine seconds
    assert len(slack.journal(method="chat.postMessage")) == 1
    until(bot, slack, ["card-1", "card-2", "card-3"])


def test_a_turn_that_comes_up_while_the_line_is_gone_through_is_for_its_first_card(
    town: World, bot: Node, slack: Sandbox
) -> None:
    opened(town, bot, *(f"s_{n}" for n in range(1, 9)))
    assert bot.deliverer
    bot.deliverer.pacing.clock = lambda: bot.clock.on(timedelta(milliseconds=150))
    bot.deliver(1, SECOND)
    assert bot.deliverer.idle() == 0.001  # it has come up: there is nothing to sleep for
    bot.deliver(20)
    assert standing(slack) == [f"card-{n}" for n in range(1, 9)]


def test_a_first_attempt_that_lands_after_the_second_is_deleted(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults({"method": "chat.postMessage", "fault": "drop_then_store_late", "seconds": 0.6, "times": 1})
    opened(town, bot)
    for _ in range(60):  # by our clock; by Slack's, the first has not landed yet
        bot.deliver(1, SECOND)
        first = bot.store.outbox.message(1)
        if first and first.state is MessageState.posted:
            break
    assert first
    assert first.state is MessageState.posted
    wait_for(lambda: standing(slack) == ["card-1", "card-1"])
    bot.clock.on(LOOK_AGAIN)
    bot.deliver(3)
    assert standing(slack) == ["card-1"]
    assert slack.messages("payments")[0]["ts"] == first.ts
    assert len(slack.journal(method="chat.delete")) == 1
    bot.deliver(20, 10 * SECOND)
    assert len(slack.journal(method="chat.delete")) == 1


def test_a_first_edit_that_lands_after_a_later_one_is_edited_over(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    slack.faults({"method": "chat.update", "fault": "drop_then_store_late", "seconds": 0.6, "times": 1})
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(1)
    bot.engine.act(alert, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    bot.deliver(8, SECOND)
    assert "RESOLVED" in shown(slack)
    wait_for(lambda: "RESOLVED" not in shown(slack))
    bot.deliver(70, SECOND)
    assert "RESOLVED" in shown(slack)


def test_a_card_that_somebody_deleted_is_posted_again_and_its_replies_go_there(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    assert bot.slack
    bot.slack.delete("C0PAYMENTS", slack.messages("payments")[0]["ts"])
    bot.engine.act(alert, Escalate("U0ANA", "look at this"), by="U0ANA")
    bot.deliver(20)
    (effect,) = [d for d in standing(slack) if d.startswith("effect")]
    card = slack.messages("payments")[0]
    assert sorted(standing(slack)) == ["card-1", effect]
    assert len(slack.messages("payments", card["ts"])) == 1


@pytest.mark.parametrize("word", ["channel_not_found", "not_in_channel", "is_archived"])
def test_a_card_whose_channel_is_gone_is_posted_in_its_teams(
    town: World, bot: Node, slack: Sandbox, word: str
) -> None:
    town.write("policies/payments/elsewhere.yml", OTHER)
    bot.engine.reload()
    slack.faults({"method": "chat.postMessage", "channel": "other", "fault": f"error:{word}"})
    opened(town, bot)
    bot.deliver(10)
    assert (standing(slack, "other"), standing(slack)) == ([], ["card-1", "card-2"])
    assert f"#other takes no posts ({word})" in shown(slack, 1)


@pytest.mark.parametrize(
    ("act", "stand"),
    [(Escalate("U0ANA", "look"), ["card", "card", "effect"]), (Acknowledge("U0ANA"), ["card", "card"])],
    ids=["a reply", "an edit"],
)
def test_a_card_whose_channel_is_archived_later_moves_to_its_teams(
    town: World, bot: Node, slack: Sandbox, act: PersonAction, stand: list[str]
) -> None:
    town.write("policies/payments/elsewhere.yml", OTHER)
    bot.engine.reload()
    (alert,) = opened(town, bot)
    bot.deliver(4)
    assert standing(slack, "other") == ["card-1"]
    slack.set_channel("other", archived=True)
    bot.engine.act(alert, act, by="U0ANA")
    bot.deliver(40)
    assert sorted(d.partition("-")[0] for d in standing(slack)) == stand
    assert "#other takes no posts (is_archived)" in shown(slack, 1)


def test_an_unknown_outcome_in_a_channel_that_then_vanishes_ends_elsewhere(
    town: World, bot: Node, slack: Sandbox
) -> None:
    town.write("policies/payments/elsewhere.yml", OTHER)
    bot.engine.reload()
    slack.faults({"method": "chat.postMessage", "channel": "other", "fault": "drop", "times": 1})
    opened(town, bot)
    bot.deliver(1)
    slack.faults({"method": "*", "channel": "other", "fault": "error:channel_not_found"})
    bot.deliver(80)
    assert sorted(standing(slack)) == ["card-1", "card-2"]


def test_without_the_history_scope_it_is_sent_again_rather_than_never(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults(
        {"method": "chat.postMessage", "fault": "drop", "times": 1},
        {"method": "conversations.history", "fault": "error:missing_scope"},
    )
    opened(town, bot)
    until(bot, slack, ["card-1"], 100)


def test_where_the_teams_own_channel_is_gone_it_waits_and_health_says_so(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults({"method": "chat.postMessage", "fault": "error:is_archived"})
    opened(town, bot)
    bot.deliver(10)
    assert bot.deliverer
    assert "is_archived" in bot.deliverer.trouble
    slack.no_faults()
    bot.deliver(30, MINUTE)
    assert standing(slack) == ["card-1", "card-2"]
    assert bot.deliverer.trouble == ""
    assert not bot.alert(2).is_open


# ------------------------------------------------------------------------------ pace


def test_a_channel_gets_one_post_a_second_from_two_processes_together(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes, began, posted_at = [bot, town.node()], bot.clock() + MINUTE, []
    for node in nodes:
        assert node.slack
        real = node.slack.post

        def post(*given: Any, real: Any = real, **how: Any) -> str:
            posted_at.append(bot.clock())
            return str(real(*given, **how))

        monkeypatch.setattr(node.slack, "post", post)
    opened(town, bot, *(f"s_{n}" for n in range(6)))
    for _ in range(35):
        for node in nodes:
            node.deliver(1, timedelta(milliseconds=100))
    assert len(standing(slack)) == len(posted_at) == 6
    # slots are a second apart; how soon after its slot a process wakes is the rest
    assert all(at - posted_at[0] >= n * CHANNEL_GAP for n, at in enumerate(posted_at))
    assert all(b - a >= 0.8 * CHANNEL_GAP for a, b in pairwise(posted_at))
    assert posted_at[-1] - began <= 7 * SECOND


def test_a_slot_that_passed_unused_is_not_used_later(town: World, bot: Node, slack: Sandbox) -> None:
    other = town.node()
    assert bot.deliverer
    assert other.deliverer
    opened(town, bot, "s_1", "s_2", "s_3")
    bot.deliverer.once()  # posts one, and keeps the next second for itself
    bot.clock.on(5 * SECOND)
    other.deliver(4, SECOND)
    before = len(slack.journal(method="chat.postMessage"))
    town.table.says("s_4", bot.clock())
    town.table.says("s_5", bot.clock())
    bot.next_tick()
    other.deliverer.once()
    bot.deliverer.once()
    assert len(slack.journal(method="chat.postMessage")) == before + 1


def test_a_click_is_shown_before_what_the_machine_has_to_say(town: World, bot: Node, slack: Sandbox) -> None:
    alerts = opened(town, bot, *(f"s_{n}" for n in range(5)))
    bot.deliver(8, SECOND)
    assert len(standing(slack)) == 5
    for n in range(5):
        town.table.says(f"s_{n}", bot.clock())
    bot.next_tick()
    bot.deliver(2, timedelta(milliseconds=100))
    bot.engine.act(alerts[-1], Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(3, timedelta(milliseconds=100))
    assert "ACKNOWLEDGED" in shown(slack, -1)
    assert len(slack.journal(method="chat.update")) == 2
    bot.deliver(12, SECOND)
    assert all(f"s_{n} asked 2 times" in shown(slack, n) for n in range(5))


# ------------------------------------------------------------------------------ two processes, kills


def test_two_processes_that_deliver_at_once_post_each_card_once(
    town: World, bot: Node, slack: Sandbox
) -> None:
    nodes = [bot, town.node()]
    alerts = opened(town, bot, *(f"s_{n}" for n in range(6)))
    for alert in alerts:
        escalated(bot, alert, "one")
    for _ in range(40):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda n: n.deliverer.once(), nodes))
        bot.clock.on(500 * timedelta(milliseconds=1))
    assert sorted(standing(slack)) == sorted(
        [*(f"card-{a}" for a in alerts), *(f"effect-{n}" for n in range(1, 7))]
    )


class Killed(BaseException):
    """What `kill -9` would be."""


@pytest.mark.parametrize("point", ["send.before", "send.after", "record.before", "record.after"])
def test_wherever_a_sender_dies_another_ends_with_one_card_and_one_reply(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    (alert,) = opened(town, bot)
    escalated(bot, alert, "one")

    def die(at: str) -> None:
        if at == point:
            raise Killed

    other = town.node()
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr("bot.deliver.posting.reach", die)
            for _ in range(8):
                try:
                    bot.deliver(1)
                except Killed:
                    break
        other.deliver(70)
    assert sorted(standing(slack)) == ["card-1", "effect-1"]
    card = bot.store.outbox.message(1)
    assert card
    assert (card.state, card.ts) == (MessageState.posted, slack.messages("payments")[0]["ts"])
    assert bot.clock() > NOON
