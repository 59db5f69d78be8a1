"""What comes back or goes on: the same message, told again aloud; whose table is late; who is not pinged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.core.action import Acknowledge, Escalate, Reopen, Resolve, SnoozeFor
from bot.core.alert import Condition, Disposition
from bot.core.reply import AskReply, AssetReply, Person
from bot.sandbox import Sandbox
from sensors.model.run import RunStatus
from tests.shell.delivering import opened, shown
from tests.shell.making import FILES, HELD, HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import HELD_NAME

ANA, CY = Person("U0ANA", "C0PAYMENTS"), Person("U0CY", "C0PAYMENTS")
LATE = FILES["policies/_assets.yml"].replace(
    "core.sellers: {owner: payments, columns: {seller_id: varchar, held: boolean}}",
    "core.sellers: {owner: accounts, loaded_until: loaded_at, freshness: {late_after: 1h},"
    " columns: {seller_id: varchar, held: boolean, loaded_at: timestamp}}",
)
ACCOUNTS = "accounts: {channel: C0OTHER, members: {dee: {slack: U0DEE}}}\n"


@pytest.fixture
def bot(town: World) -> Node:
    """The first step of the ladder is the whole team: ana, bo and cy."""
    ladder = "  ladder: {medium: [{to: team}, {after: 10m, to: lead}]}\n"
    town.write("policies/_teams.yml", FILES["policies/_teams.yml"] + ladder)
    return town.node()


def replies(slack: Sandbox) -> list[dict[str, Any]]:
    (card,) = slack.messages("payments")
    return list(slack.messages("payments", card["ts"]))


def closed(town: World, bot: Node) -> str:
    """Where the card of ALR-1 stands, which is resolved."""
    (alert,) = opened(town, bot)
    bot.engine.act(alert, Resolve("U0ANA", Disposition.true_positive), by="U0ANA")
    bot.deliver(6)
    return str(slack_ts(bot))


def slack_ts(bot: Node) -> str | None:
    card = bot.store.outbox.message(1)
    return card.ts if card else None


def test_new_rows_open_the_same_message_again_and_say_so_aloud(
    town: World, bot: Node, slack: Sandbox
) -> None:
    ts = closed(town, bot)
    town.table.says("s_1", bot.clock())
    bot.next_tick()
    bot.clock.on(SECOND)
    bot.engine.sweep()
    bot.deliver(8)
    assert slack_ts(bot) == ts
    assert "REOPENED" in shown(slack)
    (told,) = replies(slack)
    assert told["subtype"] == "thread_broadcast"
    assert told["text"].startswith("<@U0ANA> <@U0BO> <@U0CY> ")
    assert "reopened: new rows; last called true positive by <@U0ANA>" in told["text"]


def test_under_a_snooze_it_comes_back_without_a_word(town: World, bot: Node, slack: Sandbox) -> None:
    ts = closed(town, bot)
    ask = bot.desk.command(ANA, "snooze seller:s_1 3h they are on it")
    assert isinstance(ask, AskReply)
    assert bot.desk.confirm(ANA, ask.ask).ok
    town.table.says("s_1", bot.clock())
    bot.next_tick()
    assert bot.alert(1).word == "SNOOZED", "from the start, not only when the sweep has come by"
    bot.clock.on(SECOND)
    bot.engine.sweep()
    bot.deliver(8)
    assert (slack_ts(bot), bot.alert(1).word) == (ts, "SNOOZED")
    assert [m for m in slack.messages("payments") if "reopened" in m["text"]] == []
    assert "REOPENED" in shown(slack)


@pytest.mark.parametrize(
    "act", [Escalate("U0ANA", "look at this"), Reopen("U0ANA")], ids=["escalates", "reopens"]
)
def test_who_acts_is_not_pinged_beside_the_others(
    town: World, bot: Node, slack: Sandbox, act: Escalate | Reopen
) -> None:
    town.write(
        "policies/_teams.yml",
        FILES["policies/_teams.yml"] + "  ladder: {medium: [{to: team}, {after: 10m, to: team}]}\n",
    )
    bot.engine.reload()
    (alert,) = opened(town, bot)
    if isinstance(act, Reopen):
        bot.engine.act(alert, Resolve("U0BO", Disposition.benign), by="U0BO")
    bot.engine.act(alert, act, by="U0ANA")
    bot.clock.on(SECOND)
    bot.engine.sweep()
    bot.deliver(10)
    (told,) = replies(slack)
    assert told["text"].startswith("<@U0BO> <@U0CY> ")
    assert "<@U0ANA>" not in told["text"]


def test_whoever_is_all_that_a_page_reaches_is_told_of_his_own_act_too(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (alert,) = opened(town, bot)
    bot.engine.act(alert, Escalate("U0ANA", "look at this"), by="U0ANA")
    bot.deliver(8)
    (told,) = replies(slack)
    assert told["text"].startswith("<@U0ANA> "), "ana is the lead"


def test_an_acknowledgement_that_runs_out_reminds_its_owner_and_then_pages_who_is_on_call_then(
    town: World, slack: Sandbox
) -> None:
    bot = town.node()
    (alert,) = opened(town, bot)
    bot.deliver(4)
    bot.engine.act(alert, Acknowledge("U0BO"), by="U0BO")
    began = bot.clock()

    def told_by(minutes: int) -> list[str]:
        bot.clock.at = began + minutes * MINUTE
        bot.engine.sweep()
        bot.deliver(4)
        return [m["text"].split()[0] for m in replies(slack)]

    bot.engine.act(alert, SnoozeFor("U0BO", began + HOUR), by="U0BO")  # its time stands still
    assert told_by(60) == ["<@U0BO>"], "the snooze has ended"
    assert told_by(60 + 191) == ["<@U0BO>"]
    assert told_by(60 + 192) == ["<@U0BO>"] * 2
    assert "your acknowledgement runs out" in replies(slack)[-1]["text"]
    assert bot.desk.command(CY, "takeover 3h").ok  # type: ignore[union-attr]
    assert told_by(60 + 239) == ["<@U0BO>"] * 2
    assert told_by(60 + 240) == [*["<@U0BO>"] * 2, "<@U0CY>"]
    assert replies(slack)[-1]["subtype"] == "thread_broadcast"
    assert "acknowledgement has run out; it is open again" in replies(slack)[-1]["text"]
    assert (bot.alert(alert).word, bot.alert(alert).owner) == ("OPEN", None)


def test_a_table_that_is_late_makes_a_condition_unknown_and_its_owner_is_named(
    town: World, slack: Sandbox
) -> None:
    town.table.does("ALTER TABLE core.sellers ADD COLUMN loaded_at TIMESTAMP")
    town.write("policies/_assets.yml", LATE)
    town.write("policies/_teams.yml", FILES["policies/_teams.yml"] + ACCOUNTS)
    town.write("policies/payments/held.yml", HELD + "needs: {core.sellers: wait}\n")
    bot = town.node()
    loaded = f"TIMESTAMP '{bot.clock():%Y-%m-%d %H:%M:%S}'"
    town.table.does(f"INSERT INTO core.sellers VALUES ('s_1', true, {loaded})")
    bot.next_tick(HELD_NAME)
    bot.deliver(4)
    bot.next_tick(HELD_NAME, 2 * HOUR)
    assert bot.alert(1).condition is Condition.unknown
    waits = bot.store.runs.recent(HELD_NAME)[0]
    assert waits.status is RunStatus.waiting
    assert "accounts own it" in waits.error
    bot.deliver(4)
    card = json.dumps(slack.messages("payments")[0]["blocks"])
    assert "DATA LATE" in card
    assert "sellers is late: loaded until 2026-01-05 12:00 UTC; accounts own it" in card
    listed = bot.desk.command(ANA, "list late")
    assert [alert.id for alert in listed.alerts] == [1]  # type: ignore[union-attr]
    table = bot.desk.command(ANA, "show core.sellers")
    assert isinstance(table, AssetReply)
    assert [alert.id for alert in table.waiting] == [1]
    town.table.does(f"UPDATE core.sellers SET loaded_at = {loaded} + INTERVAL 2 HOUR")
    bot.next_tick(HELD_NAME)
    assert bot.alert(1).condition is Condition.firing


def test_the_ladder_of_an_open_alert_is_that_of_its_opening_and_its_people_are_those_of_now(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (alert,) = opened(town, bot)
    teams = FILES["policies/_teams.yml"].replace(
        "ana: {slack: U0ANA, roles: [responder, lead]}", "ana: {slack: U0ANA}"
    )
    town.write(
        "policies/_teams.yml",
        teams.replace("cy: {slack: U0CY}", "cy: {slack: U0CY, roles: [lead]}")
        + "  ladder: {medium: [{to: bo}, {after: 1m, to: bo}]}\n",
    )
    bot.engine.reload()
    bot.deliver(4)
    bot.clock.on(9 * MINUTE)
    bot.engine.sweep()
    assert bot.kinds(alert) == ["opened"], "not by the new ladder"
    bot.clock.on(MINUTE)
    bot.engine.sweep()
    bot.deliver(6)
    (told,) = replies(slack)
    assert told["text"].startswith("<@U0CY> "), "who leads now"
