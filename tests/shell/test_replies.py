"""Replies in an alert's thread, and what one message may not do to another."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.action import Acknowledge
from bot.sandbox import Sandbox
from tests.shell.delivering import (
    FAULTS,
    OTHER,
    escalated,
    opened,
    standing,
    struck,
    threaded,
    until,
    wait_for,
)
from tests.shell.making import FILES, MINUTE, SECOND, Node, World


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


def test_replies_come_after_the_card_in_the_order_of_what_happened(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (alert,) = opened(town, bot)
    escalated(bot, alert, "one", "two", "three")
    bot.deliver(20)
    assert [text[-3:].strip() for text in threaded(slack)] == ["one", "two", "ree"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f["fault"])
def test_after_any_trouble_each_reply_stands_once_and_in_order(
    town: World, bot: Node, slack: Sandbox, fault: dict[str, Any]
) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    escalated(bot, alert, "one", "two", "three")
    struck(bot, slack, fault)
    bot.deliver(60, SECOND)
    assert [text[-3:].strip() for text in threaded(slack)] == ["one", "two", "ree"]


def test_a_reply_that_lands_late_is_deleted(town: World, bot: Node, slack: Sandbox) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    slack.faults({"method": "chat.postMessage", "fault": "drop_then_store_late", "seconds": 0.6, "times": 1})
    escalated(bot, alert, "one")
    bot.deliver(40, SECOND)
    wait_for(lambda: len(threaded(slack)) == 2)
    bot.deliver(70, SECOND)
    assert len(threaded(slack)) == 1


def test_one_alert_that_slack_refuses_holds_up_no_other(town: World, bot: Node, slack: Sandbox) -> None:
    town.write("policies/payments/elsewhere.yml", OTHER)
    town.write("policies/payments/held.yml", FILES["policies/payments/held.yml"] + "channel: C0NOWHERE\n")
    town.write("policies/_teams.yml", FILES["policies/_teams.yml"].replace("C0PAYMENTS\n", "C0NOTTHERE\n"))
    bot.engine.reload()
    town.table.does("INSERT INTO core.sellers VALUES ('s_9', true)")
    bot.tick("payments.held")
    opened(town, bot, "s_1", "s_2")
    bot.deliver(10)
    assert standing(slack, "other") == ["card-2", "card-3"]


def test_a_card_that_cannot_be_drawn_holds_up_no_other(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = opened(town, bot, "s_1", "s_2")
    real = bot.view.context

    def context(alert: Any) -> Any:
        if alert.id == first:
            raise ValueError("a row of a kind that nobody thought of")
        return real(alert)

    with monkeypatch.context() as patch:
        patch.setattr(bot.view, "context", context)
        bot.deliver(10)
        assert standing(slack) == ["card-2"]
    bot.deliver(70, SECOND)
    assert sorted(standing(slack)) == ["card-1", "card-2"]


def test_a_page_that_is_no_longer_meant_is_not_sent(town: World, bot: Node, slack: Sandbox) -> None:
    (alert,) = opened(town, bot)
    bot.clock.on(11 * MINUTE)
    bot.engine.sweep()
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(10)
    assert threaded(slack) == []
