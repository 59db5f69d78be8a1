"""Do-not-disturb: who would not hear a page is passed over, and the thread says so."""

from __future__ import annotations

import pytest

from bot.core.action import Comment, Timer
from bot.core.reply import AskReply, Person
from bot.sandbox import Sandbox
from tests.shell.delivering import opened, shown, threaded
from tests.shell.making import HOUR, MINUTE, SECOND, Node, World

ANA = Person("U0ANA", "C0PAYMENTS", "command")
TEAM = """
payments:
  channel: C0PAYMENTS
  members:
    ana: {slack: U0ANA, roles: [responder, lead]}
    bo: {slack: U0BO}
    cy: {slack: U0CY}
  ladder: {medium: [{to: bo}, {after: 10m, to: cy}, {after: 20m, to: ana}]}
"""


@pytest.fixture
def bot(town: World) -> Node:
    town.write("policies/_teams.yml", TEAM)
    return town.node()


def mute(slack: Sandbox, bot: Node, *names: str, hours: int = 8) -> None:
    now = int(bot.clock().timestamp())
    for name in names:
        slack.set_user(name, dnd=[now - 60, now + hours * 3600])


def state(slack: Sandbox, n: int = 0) -> str:
    """The line of a card that says who is told."""
    return str(slack.messages("payments")[n]["blocks"][1])


def asked(slack: Sandbox) -> int:
    return len(slack.journal(kind="api", method="dnd.info"))


def test_the_next_step_is_told_at_once_and_the_thread_says_why(
    town: World, slack: Sandbox, bot: Node
) -> None:
    mute(slack, bot, "bo")
    opened(town, bot)
    bot.deliver(8)
    assert "U0BO" not in state(slack)
    (told,) = threaded(slack)
    assert told.startswith("<@U0CY> ")
    assert "escalated to cy: bo has asked Slack not to be disturbed until" in told
    assert bot.alert(1).step == 2


def test_where_nobody_wants_to_hear_the_last_step_is_told_all_the_same(
    town: World, slack: Sandbox, bot: Node
) -> None:
    mute(slack, bot, "ana", "bo", "cy")
    opened(town, bot)
    bot.deliver(12)
    assert ["<@U0ANA>" in text for text in threaded(slack)] == [True]
    assert bot.kinds(1) == ["opened", "escalated", "escalated"]
    assert bot.alert(1).step == 3


def test_a_later_step_is_passed_over_likewise(town: World, slack: Sandbox, bot: Node) -> None:
    opened(town, bot)
    bot.deliver(4)
    assert "<@U0BO>" in shown(slack)
    mute(slack, bot, "cy")
    bot.clock.on(11 * MINUTE)
    bot.engine.act(1, Timer())
    bot.deliver(8)
    assert [text.split()[0] for text in threaded(slack)] == ["<@U0ANA>"]


def test_a_step_of_which_one_hears_it_is_told(town: World, slack: Sandbox) -> None:
    town.write("policies/_teams.yml", TEAM.replace("[{to: bo},", "[{to: team},"))
    bot = town.node()
    mute(slack, bot, "ana", "cy")
    opened(town, bot)
    bot.deliver(6)
    assert all(f"<@U0{name}>" in shown(slack) for name in ("ANA", "BO", "CY"))
    assert bot.kinds(1) == ["opened"]


def test_who_has_just_done_something_is_there(town: World, slack: Sandbox, bot: Node) -> None:
    opened(town, bot, "s_0")
    bot.engine.act(1, Comment("U0BO", "I look"), by="U0BO")
    mute(slack, bot, "bo")
    opened(town, bot, "s_1")
    bot.deliver(6)
    assert "<@U0BO>" in shown(slack, 1)
    bot.clock.on(11 * MINUTE)
    opened(town, bot, "s_2")
    bot.deliver(6)
    assert "U0BO" not in state(slack, 2)


def test_what_was_over_or_comes_later_is_no_do_not_disturb(town: World, slack: Sandbox, bot: Node) -> None:
    now = int(bot.clock().timestamp())
    for n, span in enumerate([[now - 7200, now - 3600], [now + 3600, now + 7200]]):
        slack.set_user("bo", dnd=span)
        opened(town, bot, f"s_{n}")
        bot.deliver(4)
        assert "<@U0BO>" in shown(slack, n)
        bot.clock.on(2 * MINUTE)


def test_slack_is_asked_once_a_minute_of_each(town: World, slack: Sandbox, bot: Node) -> None:
    opened(town, bot, *(f"s_{n}" for n in range(4)))
    bot.deliver(14)
    assert len(slack.messages("payments")) == 4
    assert asked(slack) == 1
    bot.clock.on(MINUTE)
    opened(town, bot, "s_9")
    bot.deliver(4)
    assert asked(slack) == 2


@pytest.mark.parametrize("fault", ["error:missing_scope", "error:user_not_found", "429", "500", "drop"])
def test_where_slack_does_not_say_it_is_told_as_before(
    town: World, slack: Sandbox, bot: Node, fault: str
) -> None:
    mute(slack, bot, "bo")
    slack.faults({"method": "dnd.info", "fault": fault})
    opened(town, bot)
    bot.deliver(6)
    assert "<@U0BO>" in shown(slack)
    assert bot.deliverer
    assert bot.deliverer.trouble == ""


def test_a_page_that_waited_is_judged_by_when_it_is_sent(town: World, slack: Sandbox, bot: Node) -> None:
    mute(slack, bot, "bo", hours=1)
    bot.clock.on(HOUR + SECOND)
    opened(town, bot)
    bot.deliver(4)
    assert "<@U0BO>" in shown(slack)


@pytest.mark.parametrize("early", [False, True], ids=["its time is over", "woken early"])
def test_the_end_of_a_snooze_of_more_is_not_told_to_who_would_not_hear_it(
    town: World, slack: Sandbox, bot: Node, early: bool
) -> None:
    opened(town, bot)
    bot.deliver(4)
    ask = bot.desk.command(ANA, "snooze seller:s_1 1h they are on it")
    assert isinstance(ask, AskReply)
    assert bot.desk.confirm(ANA, ask.ask).ok
    bot.deliver(4)
    mute(slack, bot, "cy")  # whose turn it is when the alert wakes
    if early:
        bot.desk.command(ANA, "wake seller:s_1")
    else:
        bot.clock.on(HOUR + SECOND)
    bot.engine.sweep()
    bot.deliver(10)
    (ended,) = [m["text"] for m in slack.messages("payments") if "the snooze of" in m["text"].lower()[-400:]][
        -1:
    ]
    assert "<@U0CY>" not in ended
    assert "cy has asked Slack not to be disturbed: the next step is told." in ended
    (told,) = threaded(slack)
    assert told.startswith("<@U0ANA> ")
    assert "cy has asked Slack not to be disturbed until" in told


def test_where_the_last_step_is_muted_the_end_of_a_snooze_is_told_all_the_same(
    town: World, slack: Sandbox
) -> None:
    town.write("policies/_teams.yml", TEAM.replace("{after: 10m, to: cy}, ", ""))
    bot = town.node()
    opened(town, bot)
    bot.deliver(4)
    ask = bot.desk.command(ANA, "snooze seller:s_1 1h they are on it")
    assert isinstance(ask, AskReply)
    assert bot.desk.confirm(ANA, ask.ask).ok
    mute(slack, bot, "ana")
    bot.clock.on(HOUR + SECOND)
    bot.engine.sweep()
    bot.deliver(10)
    ended = slack.messages("payments")[-1]["text"]
    assert "<@U0ANA>" in ended
    assert "not to be disturbed" not in ended
