"""Members from a Slack user group: read, kept, and known while Slack is away."""

from __future__ import annotations

import pytest

from bot.core.oncall import names
from bot.core.reply import OnCallReply, Person, Said
from bot.sandbox import Sandbox
from bot.shifts.groups import AGAIN, READ_EVERY, Groups
from sensors.model.team import Role
from tests.shell.making import DAY, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH

TEAM = """
payments:
  channel: C0PAYMENTS
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
  members_from: S0FRAUD
  rotation: {length: daily, anchor: 2026-01-05T09:00:00}
"""


@pytest.fixture
def town(town: World) -> World:
    town.write("policies/_teams.yml", TEAM)
    return town


def reading(node: Node) -> Groups:
    assert node.slack
    return Groups(node.store, node.engine.project, node.slack, node.clock)


def members(node: Node) -> list[tuple[str, str]]:
    node.engine.reload()
    return [(member.name, member.slack) for member in node.engine.catalog.teams["payments"].members]


@BOTH
def test_people_of_the_group_are_members_in_every_process(town: World, slack: Sandbox) -> None:
    slack.set_group("fraud", ["cy", "ana", "bo"])
    bot, other = town.node(), town.node()
    assert members(bot) == [("ana", "U0ANA")]
    reading(bot).once()
    assert members(bot) == members(other) == [("ana", "U0ANA"), ("bo", "U0BO"), ("cy", "U0CY")]
    assert bot.engine.catalog.teams["payments"].members[0].roles == {Role.responder, Role.lead}
    answer = bot.desk.command(Person("U0CY", "C0PAYMENTS"), "takeover 2h")
    assert isinstance(answer, Said)
    assert answer.ok
    bot.clock.on(DAY)  # nobody is named in the rotation: all members take turns
    reply = bot.desk.command(Person("U0ANA"), "oncall payments")
    assert isinstance(reply, OnCallReply)
    assert reply.teams[0].people == ("U0BO",)


def test_it_is_read_every_ten_minutes_and_by_one_process(town: World, slack: Sandbox) -> None:
    slack.set_group("fraud", ["bo"])
    bot, other = town.node(), town.node()
    readers = [reading(bot), reading(other)]
    for _ in range(3):
        for reader in readers:
            reader.once()
    assert len(slack.journal(kind="api", method="usergroups.users.list")) == 1
    assert len(slack.journal(kind="api", method="users.info")) == 1
    slack.set_group("fraud", ["cy"])
    bot.clock.on(READ_EVERY)
    for reader in readers:
        reader.once()
    assert len(slack.journal(kind="api", method="usergroups.users.list")) == 2
    assert members(other) == [("ana", "U0ANA"), ("cy", "U0CY")]


@pytest.mark.parametrize("fault", ["500", "429", "error:no_such_subteam", "error:missing_scope", "drop"])
def test_while_slack_says_nothing_the_last_known_members_stay(
    town: World, slack: Sandbox, fault: str
) -> None:
    slack.set_group("fraud", ["bo"])
    bot = town.node()
    reader = reading(bot)
    reader.once()
    slack.faults({"method": "usergroups.users.list", "fault": fault})
    bot.clock.on(READ_EVERY)
    reader.once()
    assert members(town.node()) == [("ana", "U0ANA"), ("bo", "U0BO")]
    asked = len(slack.journal(kind="api", method="usergroups.users.list"))
    bot.clock.on(SECOND)
    reader.once()  # not hammered
    assert len(slack.journal(kind="api", method="usergroups.users.list")) == asked
    slack.no_faults()
    slack.set_group("fraud", ["cy"])
    bot.clock.on(AGAIN + MINUTE)
    reader.once()
    assert members(bot) == [("ana", "U0ANA"), ("cy", "U0CY")]


def test_guests_bots_and_those_who_left_are_no_members(town: World, slack: Sandbox) -> None:
    slack.set_group("fraud", ["ana", "bo", "cy"])
    slack.set_user("bo", guest=True)
    slack.set_user("cy", deleted=True)
    bot = town.node()
    reading(bot).once()
    assert members(bot) == [("ana", "U0ANA")]


def test_nobody_of_the_group_becomes_the_lead_by_his_name(town: World, slack: Sandbox) -> None:
    town.write("policies/_teams.yml", TEAM + "  ladder: {medium: [{to: ana}, {after: 1m, to: lead}]}\n")
    for name in ("lead", "Ana"):
        slack.set_user(name)
    slack.set_user("anna", real_name="ana")
    slack.set_group("fraud", ["lead", "anna"])
    slack.workspace.users["U0ANNA"].name = "ana"
    bot = town.node()
    reading(bot).once()
    assert members(bot)[1:] == [("ana (U0ANNA)", "U0ANNA"), ("lead (U0LEAD)", "U0LEAD")]
    assert names(bot.engine.catalog.teams)["U0ANA"] == "ana"


def test_a_team_of_a_group_alone_is_no_team_without_people(town: World) -> None:
    alone = TEAM.replace("  members:\n    ana: {slack: U0ANA, roles: [responder, lead]}\n", "")
    town.write("policies/_teams.yml", alone)
    node = town.node()
    assert [p for p in node.engine.catalog.problems if "_teams" in p.path] == []
    town.write("policies/_teams.yml", alone.replace("S0FRAUD", "fraud-team"))
    town.may_be_wrong = True
    assert "must be Slack's id of a user group, such as S0123ABCD" in str(
        town.node().engine.catalog.errors[0]
    )
