"""The end of a shift: one card, accepted by who is next, and the lead told where nobody does."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from bot.core.action import Acknowledge, SnoozeFor
from bot.core.reply import Person, Said
from bot.sandbox import Sandbox
from tests.shell.delivering import opened
from tests.shell.making import DAY, FILES, HOUR, MINUTE, Node, World
from tests.shell.outside import go_on
from tests.shell.trouble import BOTH

ANA, BO, CY = (Person(f"U0{name}", "C0PAYMENTS") for name in ("ANA", "BO", "CY"))
TEAM = """
payments:
  channel: C0OTHER
  members:
    ana: {slack: U0ANA}
    bo: {slack: U0BO}
    cy: {slack: U0CY, roles: [responder, lead]}
  rotation: {members: [ana, bo], length: daily, anchor: 2026-01-05T09:00:00, timezone: UTC}
"""


@pytest.fixture
def bot(town: World) -> Node:
    """It is Monday noon, ana is on call until Tuesday nine; cards of alerts are in the same channel."""
    town.write("policies/_teams.yml", TEAM)
    made = town.node()
    assert made.slack
    made.slack.who_am_i()  # as at the start of the process: then it knows where messages stand
    made.desk.handoffs.once()
    return made


def until_nine(bot: Node, late: timedelta = timedelta()) -> datetime:
    """Tuesday nine, or so much later."""
    bot.clock.at = bot.clock().replace(day=6, hour=9, minute=0) + late
    return bot.clock()


def hand_over(*nodes: Node, rounds: int = 6) -> None:
    for node in nodes:
        node.desk.handoffs.once()
    for node in nodes:
        node.deliver(rounds)


def cards(slack: Sandbox) -> list[str]:
    """The handoffs that stand, without the threads."""
    said = slack.messages("other")
    return [
        json.dumps(m) for m in said if "Handoff of" in m["text"] and m.get("thread_ts") in (None, m["ts"])
    ]


def thread(slack: Sandbox) -> list[str]:
    card = next(m for m in slack.messages("other") if "Handoff of" in m["text"])
    return [m["text"] for m in slack.messages("other", card["ts"])]


def accept(node: Node, person: Person, n: int = 1) -> Said:
    return node.desk.accept(person, n)


@BOTH
def test_at_the_end_of_a_shift_there_is_one_card_over_restarts_and_two_processes(
    town: World, slack: Sandbox, bot: Node
) -> None:
    opened(town, bot, "s_1", "s_2", "s_3")
    bot.engine.act(2, Acknowledge("U0ANA"), by="U0ANA")
    bot.engine.act(3, SnoozeFor("U0ANA", bot.clock() + 23 * HOUR), by="U0ANA")
    bot.deliver(12)
    until_nine(bot)
    other = town.node()
    hand_over(bot, other)
    bot.clock.on(30 * MINUTE)
    hand_over(town.node(), bot, other)
    (card,) = cards(slack)
    for told in (
        "ana hands over to <@U0BO>",
        "*Nobody on them*",
        "*Somebody on them*",
        "*Snoozed*",
        "Accept",
    ):
        assert told in card
    assert "<@U0ANA>" not in card
    assert "archives/C0OTHER/p" in card  # each alert leads to its message
    bot.clock.at = bot.clock().replace(day=7, hour=9, minute=1)
    hand_over(bot, other)
    assert len(cards(slack)) == 2
    assert "bo hands over to <@U0ANA>" in cards(slack)[1]


def test_who_is_next_accepts_it_once_and_the_card_says_so(slack: Sandbox, bot: Node) -> None:
    until_nine(bot)
    hand_over(bot)
    assert "Nothing is open." in cards(slack)[0]
    refused = accept(bot, CY)
    assert (refused.ok, refused.text) == (False, "It is accepted by who is next, or on call now: ⟦U0BO⟧.")
    assert accept(bot, BO).text == "The handoff of payments is yours."
    again = accept(bot, BO)
    assert not again.ok
    assert "⟦U0BO⟧ has accepted it already" in again.text
    assert not accept(bot, BO, 9).ok
    bot.deliver(4)
    (card,) = cards(slack)
    assert "accepted by bo" in card
    assert "handoff.accept" not in card
    bot.clock.on(20 * MINUTE)
    hand_over(bot)
    assert thread(slack) == []


def test_where_nobody_accepts_it_the_lead_is_told_once(town: World, slack: Sandbox, bot: Node) -> None:
    until_nine(bot)
    hand_over(bot)
    bot.clock.on(14 * MINUTE)
    hand_over(bot)
    assert thread(slack) == []
    bot.clock.on(MINUTE)
    hand_over(bot, town.node())
    bot.clock.on(HOUR)
    hand_over(bot)
    (told,) = thread(slack)
    assert told.startswith("<@U0CY> ")
    assert "bo has not accepted this handoff for 15 min" in told


def test_who_covers_takes_over_and_may_accept(slack: Sandbox, bot: Node) -> None:
    said = bot.desk.command(BO, "cover 23h @cy from:08:00")
    assert isinstance(said, Said)
    assert said.ok, said
    until_nine(bot)
    hand_over(bot)
    assert "ana hands over to <@U0CY>" in cards(slack)[0]
    assert not accept(bot, BO).ok
    assert accept(bot, CY).ok


def test_a_shift_that_ended_while_patrol_was_away_is_handed_over_within_the_hour(
    town: World, slack: Sandbox, bot: Node
) -> None:
    until_nine(bot, 59 * MINUTE)
    hand_over(town.node())
    assert len(cards(slack)) == 1
    bot.clock.at = bot.clock().replace(day=7, hour=10, minute=1)
    hand_over(town.node())
    assert len(cards(slack)) == 1


def test_a_new_patrol_makes_no_card_of_the_time_before_it(town: World, slack: Sandbox) -> None:
    town.write("policies/_teams.yml", TEAM.replace("T09:00", "T11:30"))
    node = town.node()
    for _ in range(3):
        hand_over(node)
    assert cards(slack) == []
    assert node.clock() - node.clock().replace(hour=11, minute=30) < HOUR


def test_handoff_at_any_time_and_shortly_before_the_end_instead_of_that_card(
    slack: Sandbox, bot: Node
) -> None:
    def says(text: str, person: Person = ANA) -> Said:
        answer = bot.desk.command(person, text)
        assert isinstance(answer, Said)
        return answer

    assert says("handoff").text == "The handoff of payments to ⟦U0BO⟧ goes to its channel."
    for person in (ANA, BO):
        assert "stands in the channel of payments already" in says("handoff", person).text
    bot.clock.on(16 * MINUTE)
    hand_over(bot)
    assert says("handoff").ok, "the lead has been told of the one before"
    assert "may hand over the shift of payments" in says("handoff payments", Person("U0STRANGER")).text
    assert "Did you mean `payments`" in says("handoff paymnts").hint
    until_nine(bot, -HOUR)
    assert says("handoff").ok
    assert "stands in the channel of payments already" in says("handoff", BO).text
    hand_over(bot)
    assert len(cards(slack)) == 3
    until_nine(bot)
    hand_over(bot)
    assert len(cards(slack)) == 3
    bot.clock.on(DAY)
    hand_over(bot)
    assert len(cards(slack)) == 4


@pytest.mark.parametrize("fault", ["429", "500", "store_then_drop", "drop", "error:invalid_blocks"])
def test_the_card_stands_once_whatever_slack_does(slack: Sandbox, bot: Node, fault: str) -> None:
    until_nine(bot)
    slack.faults({"method": "chat.postMessage", "times": 1, "fault": fault, "retry_after": 2})
    hand_over(bot, rounds=200)
    assert len(cards(slack)) == 1


def test_an_edit_that_slack_refuses_comes_later(slack: Sandbox, bot: Node) -> None:
    until_nine(bot)
    hand_over(bot)
    slack.faults({"method": "chat.update", "times": 2, "fault": "500"})
    assert accept(bot, BO).ok
    bot.deliver(60)
    assert "accepted by bo" in cards(slack)[0]


def test_what_waits_for_a_second_person_stands_on_the_card(town: World, slack: Sandbox, bot: Node) -> None:
    """Of the team's jobs and for its alerts; nothing of another team's, nor for what is sensitive."""
    jobs = FILES["policies/_jobs.yml"].rstrip() + "\n  approval: second_person\n"
    others = (
        "\n" + jobs.replace("hold_payouts", "mail_seller").replace("owner: payments", "owner: mail").strip()
    )
    teams = "\nmail:\n  channel: C0PAYMENTS\n  members:\n    dee: {slack: U0DEE, roles: [lead, approver]}\n"
    town.write(
        "policies/_teams.yml",
        TEAM.replace("ana: {slack: U0ANA}", "ana: {slack: U0ANA, roles: [approver]}") + teams,
    )
    town.write("policies/_jobs.yml", jobs + others + "\n")
    bot.engine.reload()
    assert not bot.engine.catalog.errors, bot.engine.catalog.errors
    opened(town, bot, "s_1")
    until_nine(bot)
    for text in ("start hold_payouts seller_id=s_7", "start hold_payouts 1"):
        assert bot.desk.command(CY, text).ok  # type: ignore[union-attr]
    go_on(bot)  # on other threads, which are waited for
    assert bot.desk.command(Person("U0DEE"), "start mail_seller seller_id=s_8").ok is False  # type: ignore[union-attr]
    assert len(bot.store.approvals.waiting()) == 2
    hand_over(bot, rounds=12)
    (card,) = cards(slack)
    assert "*Waiting for a second person*" in card
    assert card.count("asked for by cy") == 2
    assert "for ALR-1" in card
