"""An entity or a policy is quieted, or paused, by those only whose it is; who may not hears who may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.reply import AskReply, Person, Said
from tests.shell.making import ELSEWHERE, ELSEWHERE_SQL, FILES, NOON, SECOND, Node, World

EVERY, THEIRS = "payments.elsewhere", "chat.elsewhere"
ANA, BO, CY, DEE, EVE, FAY = (
    Person(f"U0{name}", "C0PAYMENTS", "command") for name in ("ANA", "BO", "CY", "DEE", "EVE", "FAY")
)
TEAMS = (
    FILES["policies/_teams.yml"].replace("cy: {slack: U0CY}", "cy: {slack: U0CY, roles: [admin]}")
    + """
chat:
  channel: C0CHAT
  members: {dee: {slack: U0DEE, roles: [lead]}, eve: {slack: U0EVE, roles: [admin]}}
mail:
  channel: C0MAIL
  members: {fay: {slack: U0FAY, roles: [admin]}}
"""
)
DONE = ("snoozed until", "is paused until", "runs every")


@pytest.fixture
def bot(world: World) -> Node:
    """Two teams look at sellers, each with a policy of its own; a third looks at none."""
    world.write("policies/_teams.yml", TEAMS)
    world.write("policies/chat/elsewhere.yml", ELSEWHERE.replace("owner: payments", "owner: chat"))
    world.write("sql/chat/elsewhere.sql", ELSEWHERE_SQL)
    return violates(world, world.node())


def violates(world: World, node: Node) -> Node:
    world.table.says("s_1", node.clock() - SECOND)
    node.next_tick(EVERY)
    node.tick(THEIRS)
    return node


def does(node: Node, text: str, person: Person) -> Said:
    """Asked and, where it is previewed, said yes to."""
    reply = node.desk.command(person, text)
    said = node.desk.confirm(person, reply.ask) if isinstance(reply, AskReply) else reply
    assert isinstance(said, Said), said
    return said


@pytest.mark.parametrize(
    ("text", "able", "told"),
    [
        (f"snooze {EVERY} 1h", [CY], "an admin of payments may snooze all of `payments.elsewhere`: ⟦U0CY⟧."),
        (f"pause {EVERY} 1h", [ANA, CY], "a lead of payments may pause `payments.elsewhere`"),
        (f"resume {EVERY}", [ANA, CY], "a lead of payments may pause `payments.elsewhere`"),
        (f"every {EVERY} 1h 2h", [ANA, CY], "a lead of payments may have `payments.elsewhere` run at"),
        ("snooze seller:s_1 1h", [ANA, CY, DEE, EVE], "a lead of chat or payments may snooze all alerts of"),
        (f"wake {THEIRS}", [CY, EVE], "an admin of chat may snooze all of `chat.elsewhere`: ⟦U0EVE⟧"),
    ],
)
def test_a_role_counts_in_the_team_whose_it_is(bot: Node, text: str, able: list[Person], told: str) -> None:
    """cy is an admin of the team that answers for Patrol, and so of each."""
    for person in (ANA, BO, CY, DEE, EVE, FAY):
        known = bot.store.trail.counts()["lines"]
        said = does(bot, text, person)
        refused = said.text.startswith("Only a")
        assert refused == (person not in able), (person, said)
        if refused:
            assert told in said.text
            (line,) = (kept.line for kept in list(bot.store.trail.lines())[known:])
            assert (line.by, line.via, line.outcome) == (person.slack, "command", "refused")
            assert line.words == said.text


def test_whoever_lost_his_role_since_the_preview_does_it_no_more(world: World, bot: Node) -> None:
    reply = bot.desk.command(DEE, "snooze seller:s_1 1h")
    assert isinstance(reply, AskReply)
    world.write("policies/_teams.yml", TEAMS.replace("U0DEE, roles: [lead]", "U0DEE"))
    bot.engine.reload()
    said = bot.desk.confirm(DEE, reply.ask)
    assert said.text.startswith("Only a lead of chat or payments")
    assert bot.store.snoozes.on() == []


def test_what_is_sensitive_is_quieted_by_its_own_team_only(world: World, bot: Node) -> None:
    sensitive = ELSEWHERE.replace("owner: payments", "owner: chat") + "sensitive: true\n"
    world.write("policies/chat/elsewhere.yml", sensitive)
    bot.engine.reload()
    reply = bot.desk.command(ANA, "snooze seller:s_1 1d")
    assert isinstance(reply, AskReply)
    assert "It covers 1 open alert now: ALR-1." in " ".join(reply.lines)
    assert bot.desk.confirm(ANA, reply.ask).ok
    assert [bot.alert(n).word for n in (1, 2)] == ["SNOOZED", "OPEN"]
    bot.desk.command(DEE, "resolve 2 benign")
    world.table.says("s_1", bot.clock() + 2 * SECOND)
    violates(world, bot)
    reopened = bot.alert(2)
    assert (reopened.word, reopened.snooze) == ("OPEN", None)
    assert does(bot, "snooze seller:s_1 1d", DEE).ok
    assert bot.alert(2).word == "SNOOZED"


def test_each_is_in_the_audit_by_what_it_is(bot: Node) -> None:
    for person, text in (
        (ANA, "snooze seller:s_1 1h on it"),
        (ANA, "wake seller:s_1"),
        (CY, f"snooze {EVERY} 1h"),
        (ANA, f"pause {EVERY} 1h"),
        (ANA, f"resume {EVERY}"),
        (ANA, f"every {EVERY} 5m 1h"),
    ):
        assert does(bot, text, person).ok, text
    lines = [kept.line for kept in bot.store.trail.lines()]
    assert [(line.by, line.deed, line.about, line.outcome) for line in lines] == [
        ("U0ANA", "snooze_entity", "an entity", "done"),
        ("U0ANA", "wake", "an entity", "done"),
        ("U0CY", "snooze_policy", EVERY, "done"),
        ("U0ANA", "pause", EVERY, "done"),
        ("U0ANA", "resume", EVERY, "done"),
        ("U0ANA", "every", EVERY, "done"),
    ]


def test_a_time_of_day_is_meant_by_the_clock_of_the_one_who_says_it(world: World, bot: Node) -> None:
    """It is noon in UTC: 13:00 in Berlin, 07:00 in New York."""
    berlin = TEAMS.replace("timezone: UTC", "timezone: Europe/Berlin")
    world.write("policies/_teams.yml", berlin)
    bot.engine.reload()
    bot.desk.met("U0BO", "America/New_York")
    bot.desk.met("U0CY", "Mars/Olympus")
    bot.clock.at = NOON
    for person, text, hour in (
        (BO, "snooze 1 until:18:00", 23),  # his own
        (CY, "snooze 1 until:18:00", 17),  # his team's: his own is none
        (DEE, "snooze 2 until:18:00", 18),  # his team has no rotation
    ):
        alert = bot.alert(int(text.split()[1]))
        assert does(bot, text, person).ok
        quiet = bot.alert(alert.id).snooze
        assert quiet
        assert quiet.until == NOON.replace(hour=hour), person
    assert does(bot, f"pause {EVERY} until:14:00", ANA).ok
    (order,) = bot.store.orders.on()
    assert order.until == NOON + timedelta(hours=1)
    reply = bot.desk.command(ANA, "snooze seller:s_1 until:tue")
    assert isinstance(reply, AskReply)
    assert "⟦t:" in reply.lines[0]  # shown to each reader in his own zone
    assert bot.desk.confirm(ANA, reply.ask).ok
    (snooze,) = bot.store.snoozes.on()
    assert snooze.until == NOON.replace(hour=23)  # midnight in Berlin
