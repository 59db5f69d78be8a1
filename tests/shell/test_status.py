"""`status` and the pages of teams, policies and tables, through the desk."""

from __future__ import annotations

import pytest

from bot.core.reply import AssetReply, Person, PolicyReply, Said, StatusReply
from bot.slack.answers import render
from tests.shell.delivering import wait_for
from tests.shell.making import FILES, MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import EVERY, HELD_NAME

ANA = Person("U0ANA", "C0PAYMENTS")


@pytest.fixture
def bot(world: World, node: Node) -> Node:
    """Three alerts are open: ALR-1 to ALR-3."""
    for n in range(1, 4):
        world.table.says(f"s_{n}", NOON - MINUTE)
        node.clock.on(SECOND)
    node.tick()
    node.clock.on(SECOND)
    return node


def bad(node: Node, text: str) -> str:
    answer = node.desk.command(ANA, text)
    assert isinstance(answer, Said)
    assert not answer.ok
    return f"{answer.text} {answer.hint}"


def test_status_is_the_whole_on_one_screen(world: World, bot: Node) -> None:
    world.write("policies/payments/held.yml", "title: [")
    bot.engine.reload()
    status = bot.desk.command(ANA, "status")
    assert isinstance(status, StatusReply)
    assert {line.name: line.open_alerts for line in status.policies} == {EVERY: 3, HELD_NAME: 0}
    assert [(one.team, one.people, one.following) for one in status.on_call] == [
        ("payments", ("U0BO",), ("U0CY",))
    ]
    assert "payments.held does not load" in status.problems[0]


def test_status_of_a_team_says_what_goes_on_of_its_own(world: World, bot: Node) -> None:
    answer = bot.desk.command(ANA, f"pause {EVERY} 2h the table is rebuilt")
    assert isinstance(answer, Said)
    assert answer.ok
    assert bot.desk.start_job(ANA, 1, "hold_payouts", {}).ok
    bot.starting.effects()
    wait_for(lambda: bot.store.jobs.recent())
    team = bot.desk.command(ANA, "status payments")
    assert isinstance(team, StatusReply)
    assert [run.job for run in team.jobs] == ["hold_payouts"]
    assert [line.split("`")[1] for line in team.standing] == [EVERY]
    care = "care: {channel: C0OTHER, members: {cy: {slack: U0CY}}}"
    world.write("policies/_teams.yml", FILES["policies/_teams.yml"] + f"{care}\n")
    bot.engine.reload()
    other = bot.desk.command(ANA, "status care")
    assert isinstance(other, StatusReply)
    assert (other.jobs, other.standing) == ((), ())


def test_status_of_one_team_policy_or_table(bot: Node) -> None:
    team = bot.desk.command(ANA, "status payments")
    assert isinstance(team, StatusReply)
    assert (team.of, len(team.open_alerts), [one.team for one in team.on_call]) == (
        "payments",
        3,
        ["payments"],
    )
    assert {line.owner for line in team.policies} == {"payments"}
    assert "*3 open alerts* of payments, 3 with nobody on them" in str(render(team).blocks)
    policy = bot.desk.command(ANA, f"status {EVERY}")
    assert isinstance(policy, PolicyReply)
    table = bot.desk.command(ANA, "show core.chat")
    assert isinstance(table, AssetReply)
    assert table == bot.desk.command(ANA, "status Core.Chat")
    assert (table.asset.name, table.waiting) == ("core.chat", ())
    assert {line.name for line in table.policies} == {EVERY}
    shown = str(render(table).blocks)
    assert "1 policy reads it" in shown
    assert f"`{EVERY}` · 3 open" in shown
    assert "Did you mean `core.chat`?" in bad(bot, "status core.chta")
    assert "no policy or table `nothing.like_it`" in bad(bot, "show nothing.like_it")
