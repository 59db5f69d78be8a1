"""Alerts of several policies about one seller meet: on the card, and in the seller's whole story."""

from __future__ import annotations

import json

import pytest

from bot.core.action import Comment, Resolve
from bot.core.alert import Disposition
from bot.core.reply import EntityReply, Person, PolicyReply, Said
from bot.sandbox import Sandbox
from bot.slack.answers import render
from tests.shell.making import HOUR, SECOND, Node, World

ANA, BO = Person("U0ANA", "C0PAYMENTS"), Person("U0BO", "C0PAYMENTS")
EVERY, HELD = "payments.elsewhere", "payments.held"


@pytest.fixture
def bot(town: World) -> Node:
    """ALR-1 of s_1 was a true positive; ALR-2 and ALR-3, of two policies, are open. ALR-4 is another's."""
    node = town.node()
    town.table.says("s_1", node.clock() - SECOND)
    node.next_tick()
    node.engine.act(1, Comment("U0BO", "called the bank"), by="U0BO")
    node.engine.act(1, Resolve("U0ANA", Disposition.true_positive, None, "banned"), by="U0ANA")
    node.clock.on(80 * HOUR)
    town.table.does("INSERT INTO core.sellers VALUES ('s_1', true), ('s_2', true)")
    town.table.says("s_1", node.clock() - SECOND)
    node.next_tick()
    node.next_tick(HELD)
    return node


def story(node: Node, text: str = "show seller:s_1") -> EntityReply:
    reply = node.desk.command(BO, text)
    assert isinstance(reply, EntityReply), reply
    return reply


def node_card(node: Node, alert: int) -> str:
    """Where its card stands, as Slack writes it."""
    card = node.store.outbox.cards_of([alert])[alert]
    assert node.slack is not None
    return node.slack.address(card.channel, card.ts or "")


def test_the_card_names_the_others_and_what_earlier_ones_came_to(bot: Node, slack: Sandbox) -> None:
    assert bot.slack is not None
    bot.slack.who_am_i()
    bot.deliver(12)
    (card,) = [m for m in slack.messages("payments") if "ALR-2" in json.dumps(m["blocks"][0])]
    said = json.dumps(card, ensure_ascii=False)
    first, third = (node_card(bot, n) for n in (1, 3))
    assert f"before: <{first}|ALR-1> true positive" in said
    bot.engine.act(2, Comment("U0ANA", "looking"), by="U0ANA")
    bot.deliver(12)
    (card,) = [m for m in slack.messages("payments") if "ALR-2" in json.dumps(m["blocks"][0])]
    assert f"also open: <{third}|ALR-3> `payments.held`" in json.dumps(card, ensure_ascii=False)
    assert "ALR-4" not in said


def test_what_else_is_open_never_edits_a_card_by_itself(bot: Node, slack: Sandbox) -> None:
    bot.deliver(12)
    edits = len(slack.journal(method="chat.update"))
    bot.engine.act(3, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    bot.deliver(12)
    assert len(slack.journal(method="chat.update")) == edits + 1, "of its own card"


def test_the_whole_story_of_a_seller(bot: Node) -> None:
    ask = bot.desk.ask_snooze(ANA, "seller:s_1", bot.clock() + HOUR, "they are on it")
    assert not isinstance(ask, Said)
    bot.desk.confirm(ANA, ask.ask)
    reply = story(bot)
    assert [alert.id for alert in reply.alerts] == [3, 2, 1]
    assert [(note.alert, note.by) for note in reply.notes] == [(1, "U0BO")]
    assert len(reply.snoozes) == 1
    text = json.dumps(render(reply).blocks, ensure_ascii=False)
    assert "3 alerts of 2 policies: 2 open, 1 true positive." in text
    assert "called the bank" in text
    assert "true positive* by <@U0ANA>" in text
    assert "banned" in text
    assert "they are on it" in text
    assert "https://admin.example.com/sellers/s_1" in text


def test_somebody_without_alerts_has_a_story_too(bot: Node) -> None:
    reply = story(bot, "show seller:s_77")
    assert reply.alerts == ()
    assert "0 alerts: 0 open." in json.dumps(render(reply).blocks)


def test_a_policys_page_has_its_days_as_a_picture_and_in_words(bot: Node) -> None:
    page = bot.desk.command(BO, f"policy {EVERY}")
    assert isinstance(page, PolicyReply)
    assert (len(page.trend.by_day), sum(page.trend.by_day)) == (30, 2)
    said = json.dumps(render(page).blocks, ensure_ascii=False)
    assert "▁█▁▁█`\\n2 alerts in 30 days from" in said
    assert "1 on the last" in said
    assert "1 right, 1 not judged yet. 1 of them is open." in said


def test_show_takes_policies_and_says_what_it_does_not_know(bot: Node) -> None:
    assert isinstance(bot.desk.command(BO, f"show {EVERY}"), PolicyReply)
    assert isinstance(bot.desk.command(BO, f"show policy:{EVERY}"), PolicyReply)
    for text, why in (
        ("show seler:s_1", "Did you mean `seller:s_1`?"),
        ("show seller:Bob", "does not look like"),
    ):
        said = bot.desk.command(BO, text)
        assert isinstance(said, Said)
        assert why in said.text
