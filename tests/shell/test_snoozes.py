"""Snoozes of entities and policies, from the command to Slack: previewed, confirmed, announced, ended."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.core.alert import Work
from bot.core.reply import AskReply, ListReply, Person, Said, StatusReply
from bot.core.snooze import Scope, Target
from bot.sandbox import Sandbox
from tests.shell.making import DAY, FILES, HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH

ANA, BO, CY = (Person(f"U0{name}", "C0PAYMENTS") for name in ("ANA", "BO", "CY"))
TEAMS = FILES["policies/_teams.yml"].replace("cy: {slack: U0CY}", "cy: {slack: U0CY, roles: [admin]}")
EVERY, HELD = "payments.elsewhere", "payments.held"


@pytest.fixture
def bot(town: World) -> Node:
    """ana is a lead, cy an admin; ALR-1 is open, about seller s_1."""
    town.write("policies/_teams.yml", TEAMS)
    node = town.node()
    violates(town, node)
    return node


def violates(world: World, node: Node, seller: str = "s_1", times: int = 1) -> None:
    world.table.says(seller, node.clock() - SECOND, times=times)
    node.next_tick()


def asked(node: Node, text: str, person: Person = ANA) -> AskReply:
    reply = node.desk.command(person, text)
    assert isinstance(reply, AskReply), reply
    return reply


def snoozed(node: Node, text: str, person: Person = ANA) -> Said:
    said = node.desk.confirm(person, asked(node, text, person).ask)
    assert said.ok, said
    return said


def wrong(node: Node, text: str, person: Person = ANA) -> str:
    said = node.desk.command(person, text)
    assert isinstance(said, Said)
    assert not said.ok
    assert node.store.snoozes.on() == []
    return f"{said.text} {said.hint}"


def posted(slack: Sandbox, part: str) -> str:
    """The one message of the channel with these words."""
    (found,) = [m for m in slack.messages("payments") if part in json.dumps(m)]
    return str(found["text"])


def test_nothing_is_done_before_the_preview_is_confirmed(bot: Node) -> None:
    reply = asked(bot, "snooze seller:s_1 3d known to care")
    told = " ".join(reply.lines)
    assert "Snooze `seller:s_1` until" in told
    assert "it would have hidden 1 alert, 0 of them true positives, the worst medium" in told
    assert "It covers 1 open alert now: ALR-1." in told
    assert bot.alert(1).snooze is None
    assert not bot.desk.confirm(BO, reply.ask).ok, "somebody else's"
    assert bot.store.snoozes.on() == []
    said = bot.desk.confirm(ANA, reply.ask)
    assert said.hint == "undo: `/patrol wake seller:s_1`"
    assert not bot.desk.confirm(ANA, reply.ask).ok, "twice"
    quiet = bot.alert(1).snooze
    assert quiet
    assert (quiet.by, quiet.why, quiet.target) == ("U0ANA", "known to care", "seller:s_1")


def test_what_came_worse_since_the_preview_is_not_hidden_by_the_yes(town: World, bot: Node) -> None:
    reply = asked(bot, "snooze seller:s_1 3d")
    town.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    bot.next_tick(HELD)  # of high severity; the preview spoke of medium
    said = bot.desk.confirm(ANA, reply.ask)
    assert said.text.endswith("; ALR-1 with it.")
    assert [bot.alert(n).word for n in (1, 2)] == ["SNOOZED", "OPEN"]


def test_a_preview_is_good_for_a_quarter_of_an_hour(bot: Node) -> None:
    reply = asked(bot, "snooze seller:s_1 3d")
    bot.clock.on(16 * MINUTE)
    assert "too long ago" in bot.desk.confirm(ANA, reply.ask).text


def test_who_may_not_is_told_who_may_and_what_is_wrong_is_said(bot: Node) -> None:
    told = "Only a lead of payments may snooze all alerts of seller:s_1: ⟦U0ANA⟧, ⟦U0CY⟧"
    assert told in wrong(bot, "snooze seller:s_1 3d", BO)
    assert "⟦U0CY⟧" in wrong(bot, f"snooze {EVERY} 12h", ANA)
    assert "An entity can be snoozed for 14 d at most." in wrong(bot, "snooze seller:s_1 15d")
    assert "A policy can be snoozed for 3 d at most." in wrong(bot, f"snooze {EVERY} 73h", CY)
    assert "Did you mean `seller:s_1`?" in wrong(bot, "snooze seler:s_1 3d")
    assert "does not look like the id of a seller" in wrong(bot, "snooze seller:Bob 3d")
    assert "is not snoozed" in wrong(bot, "wake seller:s_1")
    assert "For how long?" in wrong(bot, "snooze seller:s_1")
    assert "2,000 are kept" in wrong(bot, f"snooze seller:s_1 3d {'x' * 2_001}")


def test_what_is_worse_than_its_ceiling_comes_through(town: World, bot: Node) -> None:
    snoozed(bot, "snooze seller:s_1 3d")
    town.table.does("INSERT INTO core.sellers VALUES ('s_1', true)")
    bot.next_tick(HELD)  # of high severity; nothing above medium was seen before
    assert (bot.alert(2).policy, bot.alert(2).word) == (HELD, "OPEN")
    violates(town, bot, times=5)
    assert bot.alert(1).word == "OPEN", "high now"


@BOTH
def test_a_whole_snooze_of_a_policy_told_in_its_channel(town: World, bot: Node, slack: Sandbox) -> None:
    bot.deliver(4)
    snoozed(bot, f"snooze {EVERY} 12h the load is being mended", CY)
    violates(town, bot, "s_2")
    violates(town, bot, "s_3")
    assert [alert.word for alert in bot.alerts(EVERY)] == ["SNOOZED"] * 3
    bot.deliver(12)
    began = posted(slack, "cy snoozed `payments.elsewhere`")
    assert "the load is being mended" in began
    assert "It covers ALR-1." in began
    assert "<@" not in began, "nobody is pinged by it"
    bot.clock.on(12 * HOUR)
    bot.engine.sweep()
    assert [alert.word for alert in bot.alerts(EVERY)] == ["OPEN"] * 3
    bot.deliver(12)
    ended = posted(slack, "It hid 3 alerts")
    assert ended.startswith("<@U0ANA> <@U0BO> <@U0CY> The snooze of `payments.elsewhere` has ended")
    assert "It hid 3 alerts, the worst medium." in ended
    assert "Awake again: ALR-1, ALR-2, ALR-3." in ended
    pages = [m for m in slack.messages("payments") if "nobody has acknowledged" in json.dumps(m)]
    assert pages == [], "the announcement has told the first step"
    bot.clock.on(11 * MINUTE)
    bot.engine.sweep()
    assert "escalated" in bot.kinds(2)


def test_its_end_is_announced_once_though_two_processes_sweep(town: World, bot: Node, slack: Sandbox) -> None:
    snoozed(bot, "snooze seller:s_9 1h")
    other = town.node()
    bot.deliver(8)
    bot.clock.on(HOUR)
    bot.engine.sweep()
    other.engine.sweep()
    bot.deliver(8)
    other.deliver(8)
    assert "It hid nothing." in posted(slack, "The snooze of `seller:s_9` has ended")


def test_waking_it_wakes_all_that_it_covers_and_says_so(bot: Node, slack: Sandbox) -> None:
    snoozed(bot, "snooze seller:s_1 3d")
    assert bot.alert(1).word == "SNOOZED"
    said = bot.desk.command(ANA, "wake seller:s_1")
    assert isinstance(said, Said)
    assert said.ok
    assert bot.alert(1).word == "OPEN"
    assert bot.store.snoozes.on() == []
    bot.deliver(8)
    assert posted(slack, "It hid 1 alert").startswith("<@U0BO> <@U0CY> ana ended the snooze of `seller:s_1`")


def test_a_new_snooze_of_the_same_takes_the_place_of_the_old_one(bot: Node) -> None:
    snoozed(bot, "snooze seller:s_1 3d")
    snoozed(bot, "snooze seller:s_1 2h only for now")
    (one,) = bot.store.snoozes.on()
    quiet = bot.alert(1).snooze
    assert quiet
    assert (quiet.of, quiet.until) == (one.id, one.until)
    assert quiet.until == bot.clock() + 2 * HOUR


def test_an_alert_that_slipped_in_is_quieted_by_the_sweep_and_one_that_was_woken_is_not(bot: Node) -> None:
    shown = bot.engine.snoozes.preview(Target(Scope.entity, "seller:s_1"), bot.clock() + DAY, "U0ANA")
    bot.engine.snoozes.begin(shown, "U0ANA", "")
    bot.desk.command(BO, "wake 1")
    bot.engine.sweep()
    assert bot.alert(1).word == "OPEN"
    bot.clock.on(SECOND)
    bot.engine.snoozes.begin(shown, "U0ANA", "again")
    assert bot.alert(1).word == "SNOOZED", "a new one begins anew"


def test_a_longer_snooze_takes_over_when_the_shorter_one_ends(bot: Node) -> None:
    snoozed(bot, "snooze seller:s_1 2h")
    snoozed(bot, f"snooze {EVERY} 12h", CY)
    bot.clock.on(2 * HOUR)
    bot.engine.sweep()
    assert bot.alert(1).word == "SNOOZED"
    bot.clock.on(10 * HOUR)
    bot.engine.sweep()
    assert (bot.alert(1).word, bot.alert(1).work) == ("OPEN", Work.open)


def test_the_snoozes_that_are_on_stand_in_list_and_status(bot: Node) -> None:
    snoozed(bot, "snooze seller:s_1 3d known to care")
    listed = bot.desk.command(BO, "list snoozed")
    assert isinstance(listed, ListReply)
    assert "known to care" in listed.snoozes[0]
    assert [alert.id for alert in listed.alerts] == [1]
    status = bot.desk.command(BO, "status")
    assert isinstance(status, StatusReply)
    assert status.standing == listed.snoozes


def test_a_policy_that_is_renamed_keeps_its_snooze(town: World, bot: Node) -> None:
    snoozed(bot, f"snooze {EVERY} 12h", CY)
    for kind, folder in (("yml", "policies"), ("sql", "sql")):
        text = FILES[f"{folder}/payments/elsewhere.{kind}"]
        more = f"renamed_from: {EVERY}\n" if kind == "yml" else ""
        town.write(f"{folder}/payments/steering.{kind}", text + more)
        (town.project / f"{folder}/payments/elsewhere.{kind}").unlink()
    bot.engine.reload()
    bot.clock.on(timedelta(minutes=5))
    bot.engine.reload()
    assert [one.target.name for one in bot.store.snoozes.on()] == ["payments.steering"]
    bot.engine.sweep()
    assert bot.alert(1).word == "SNOOZED"
