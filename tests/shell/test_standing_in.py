"""Who is on call, asked and changed from Slack; and a page that goes to whoever it is at that moment."""

from __future__ import annotations

import pytest

from bot.core.action import Escalate
from bot.core.reply import OnCallReply, Person, Said
from bot.sandbox import Sandbox
from bot.slack.home import home
from tests.shell.delivering import opened, threaded, until
from tests.shell.making import DAY, HOUR, MINUTE, Node, World
from tests.shell.trouble import BOTH

ANA, BO, CY = (Person(f"U0{name}", "C0PAYMENTS") for name in ("ANA", "BO", "CY"))
STRANGER = Person("U0STRANGER", "C0PAYMENTS")
TEAM = """
payments:
  channel: C0PAYMENTS
  review_channel: C0PAYMENTSREVIEW
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO}
    cy: {slack: U0CY}
  rotation: {members: [ana, cy], length: 7d, anchor: 2026-01-05T09:00:00, timezone: UTC}
"""
CHAT = TEAM.replace("payments:", "chat:").replace("C0PAYMENTS", "C0OTHER").replace("[ana, cy]", "[ana, bo]")


@pytest.fixture
def bot(world: World) -> Node:
    """Ana is on call since Monday at nine, cy from the next one; it is noon."""
    world.write("policies/_teams.yml", TEAM)
    return world.node()


def said(node: Node, text: str, person: Person = ANA) -> Said:
    answer = node.desk.command(person, text)
    assert isinstance(answer, Said), answer
    return answer


def good(node: Node, text: str, person: Person = ANA) -> Said:
    answer = said(node, text, person)
    assert answer.ok, answer
    return answer


def bad(node: Node, text: str, person: Person = ANA) -> str:
    """Why not, and that nothing was recorded."""
    before = node.store.covers.since(node.clock() - DAY)
    answer = said(node, text, person)
    assert not answer.ok, answer
    assert node.store.covers.since(node.clock() - DAY) == before
    return f"{answer.text} {answer.hint}"


def now_on(node: Node, person: Person = ANA) -> str:
    reply = node.desk.command(person, "oncall payments")
    assert isinstance(reply, OnCallReply)
    return " ".join(reply.teams[0].people)


def direct(slack: Sandbox, name: str) -> list[str]:
    """What the person was told by direct message."""
    channel = f"D0{name.upper()}"
    known = channel in slack.workspace.channels  # there is none before the first message
    return [message["text"] for message in slack.messages(channel)] if known else []


# --------------------------------------------------------------------------- asking


def test_oncall_says_now_and_next_and_the_week(bot: Node) -> None:
    good(bot, "cover 2h @bo from:18:00")
    reply = bot.desk.command(BO, "oncall payments week")
    assert isinstance(reply, OnCallReply)
    (line,) = reply.teams
    assert (line.people, line.following, line.why) == (("U0ANA",), ("U0BO",), "turn")
    assert line.until == bot.clock().replace(hour=18)
    assert [(reply.names[d.people[0]], d.why, f"{d.start:%a %H:%M}") for d in reply.week] == [
        ("ana", "turn", "Mon 12:00"),
        ("bo", "covers", "Mon 18:00"),
        ("ana", "turn", "Mon 20:00"),
        ("cy", "turn", "Mon 09:00"),
    ]
    bot.clock.on(7 * DAY)
    assert now_on(bot) == "U0CY"


def test_what_oncall_does_not_understand_is_said(bot: Node) -> None:
    assert "did you mean `payments`" in bad(bot, "oncall paymnts").lower()
    assert isinstance(bot.desk.command(ANA, "oncall week"), OnCallReply)  # there is but one team


# ----------------------------------------------------------------------- standing in


def test_a_cover_names_its_undo_holds_and_ends_by_itself(bot: Node) -> None:
    answer = good(bot, "cover 2h @bo")
    assert "⟦U0BO⟧ is on call for payments instead of ⟦U0ANA⟧ until" in answer.text
    assert answer.hint == "undo: `/patrol uncover 1`"
    assert now_on(bot) == "U0BO"
    bot.clock.on(2 * HOUR)
    assert now_on(bot) == "U0ANA"
    assert "has ended already" in bad(bot, "uncover 1")


def test_whoever_asks_and_wherever_it_is_shown_the_same_one_is_on_call(world: World, bot: Node) -> None:
    good(bot, "cover 2h @cy")
    world.table.says("s_1", bot.clock())
    bot.next_tick()
    status = bot.desk.status(BO)
    assert now_on(bot) == "U0CY"
    assert [line.people for line in status.on_call] == [("U0CY",)]
    assert "<@U0CY>" in str(home(status, BO)["blocks"])
    assert "<@U0ANA>" not in str(home(status, BO)["blocks"]).partition("<@U0CY>")[0]
    assert bot.view.paged(bot.alert(1)) == ("U0CY",)
    refused = bot.desk.command(STRANGER, "ack 1")
    assert isinstance(refused, Said)
    assert "⟦U0CY⟧ (on call), ⟦U0ANA⟧" in refused.text


def test_a_cover_is_undone_by_its_number_once(bot: Node) -> None:
    good(bot, "cover 2h <@U0BO>")
    bot.clock.on(MINUTE)
    assert "⟦U0ANA⟧ is on call for payments" in good(bot, "uncover 1", BO).text
    assert now_on(bot) == "U0ANA"
    assert "has ended already" in bad(bot, "uncover 1")
    assert "There is no cover 9" in bad(bot, "uncover 9")
    assert "Which one?" in bad(bot, "uncover")


def test_times_of_day_are_those_of_the_team_s_clock(world: World, bot: Node) -> None:
    world.write("policies/_teams.yml", TEAM.replace("timezone: UTC", "timezone: America/New_York"))
    bot.engine.reload()
    bot.clock.on(3 * HOUR)  # 15:00 UTC, 10:00 in New York
    good(bot, "cover until:13:00 @bo from:11:00")
    (cover,) = bot.store.covers.since(bot.clock())
    assert [f"{at:%H:%M}" for at in (cover.start, cover.end)] == ["16:00", "18:00"]


def test_who_is_not_on_call_then_hears_so_and_when_it_is_his_turn(bot: Node) -> None:
    why = bad(bot, "cover 2h @bo", CY)
    assert "You are not on call then" in why
    assert "Your next turn is for payments, from ⟦t:" in why
    assert "No turn of yours comes" in bad(bot, "cover 2h @ana", BO)
    good(bot, "cover 2h @bo")
    assert "You are not on call then" in bad(bot, "cover 1h @cy")  # bo is, for ana
    good(bot, "cover 1h @cy", BO)
    assert now_on(bot) == "U0CY"


NONSENSE = (
    ("cover 2h", "Name somebody with @"),
    ("cover @bo", "no duration"),
    ("cover 2h @bob", "did you mean `bo`"),
    ("cover 2h @ana", "Nobody covers for himself"),
    ("cover 2h @bo from:25:00", "From when?"),
    ("cover 2h @bo please", "`please` is too much"),
    ("cover 20d @bo", "At most 14 d at once"),
    ("cover 2h @bo team:paymnts", "did you mean `payments`"),
    ("takeover", "For how long?"),
    ("takeover 2h", "You are on call for payments then as it is"),
    ("takeover three hours", "no duration"),
)


def test_what_makes_no_sense_is_said_and_nothing_recorded(bot: Node) -> None:
    for text, why in NONSENSE:
        assert why.lower() in bad(bot, text).lower(), text


def test_only_members_are_on_call_and_say_who_is(world: World, bot: Node) -> None:
    with_dee = CHAT.replace("    cy: {slack: U0CY}\n", "    dee: {slack: U0DEE}\n")
    world.write("policies/_teams.yml", TEAM + with_dee)
    bot.engine.reload()
    assert "member of no team" in bad(bot, "takeover 2h", STRANGER)
    assert "⟦U0DEE⟧ is no member of payments" in bad(bot, "cover 2h @dee")
    dee = Person("U0DEE", "C0OTHER")
    assert "Only a responder of payments may be on call for payments" in bad(
        bot, "takeover 2h team:payments", dee
    )
    good(bot, "cover 2h @bo")
    assert "Only a responder of payments may be on call" in bad(bot, "uncover 1", dee)


def test_with_several_teams_the_channel_or_a_word_says_which(world: World, bot: Node) -> None:
    world.write("policies/_teams.yml", TEAM + CHAT)
    bot.engine.reload()
    elsewhere = Person("U0ANA", "C0THIRD")
    assert "`team:payments` or `team:chat`" in bad(bot, "cover 2h @bo", elsewhere)
    assert "`team:payments` or `team:chat`" in bad(bot, "takeover 2h", Person("U0CY", "C0THIRD"))
    assert "for chat" in good(bot, "takeover 2h", Person("U0CY", "C0OTHER")).text
    assert "for payments" in good(bot, "cover 2h @bo team:payments", elsewhere).text


# ---------------------------------------------------------------------------- stories


@BOTH
def test_ana_is_on_call_bo_covers_is_paged_and_when_it_ends_ana_is_again(town: World, slack: Sandbox) -> None:
    town.write("policies/_teams.yml", TEAM)
    bot, other = town.node(), town.node()
    assert good(bot, "cover 1h @bo").ok
    bot.deliver(4)
    (told,) = direct(slack, "bo")
    assert "ana has asked you to cover: you are on call for payments until" in told
    assert direct(slack, "ana") == []  # who acts is not told of it

    opened(town, bot)
    bot.deliver(4)
    assert "<@U0BO>" in str(slack.messages("payments")[0]["blocks"])
    assert "<@U0ANA>" not in str(slack.messages("payments")[0]["blocks"])

    bot.clock.on(2 * HOUR)  # the cover has ended: nobody had to do anything
    other.engine.act(1, Escalate("U0CY", "no answer"), by="U0CY")
    assert [now_on(node) for node in (bot, other)] == ["U0ANA", "U0ANA"]
    bot.deliver(4)
    good(bot, "ack 1", CY)
    good(bot, "unack 1", CY)
    bot.engine.sweep()
    bot.deliver(6)
    assert "<@U0ANA>" in threaded(slack)[-1]
    assert "<@U0BO>" not in threaded(slack)[-1]


def test_who_is_relieved_is_told_and_told_again_when_it_ends(town: World, slack: Sandbox) -> None:
    town.write("policies/_teams.yml", TEAM)
    bot = town.node()
    assert "instead of ⟦U0ANA⟧" in good(bot, "takeover 2h", BO).text
    bot.deliver(4)
    assert ["bo has taken over" in text and "in your place" in text for text in direct(slack, "ana")] == [
        True
    ]
    good(bot, "uncover 1", CY)
    bot.deliver(8)
    assert [len(direct(slack, name)) for name in ("ana", "bo", "cy")] == [1, 1, 0]
    assert "cy has ended it: bo no longer stands in for payments" in direct(slack, "bo")[0]


@pytest.mark.parametrize("fault", ["429", "500", "store_then_drop", "drop", "error:some_new_word"])
def test_a_direct_message_comes_once_whatever_slack_does(town: World, slack: Sandbox, fault: str) -> None:
    town.write("policies/_teams.yml", TEAM)
    bot = town.node()
    slack.faults({"method": "chat.postMessage", "times": 1, "fault": fault, "retry_after": 2})
    good(bot, "takeover 2h", BO)
    bot.deliver(150)
    assert len(direct(slack, "ana")) == 1


def test_who_cannot_be_told_holds_up_nobody(town: World, slack: Sandbox) -> None:
    town.write("policies/_teams.yml", TEAM.replace("U0CY", "U0GONE"))
    bot = town.node()
    good(bot, "cover 2h <@U0GONE>")
    good(bot, "uncover 1", BO)
    bot.deliver(8)
    assert len(direct(slack, "ana")) == 1
    opened(town, bot)
    until(bot, slack, ["card-1"])
