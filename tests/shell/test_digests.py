"""A team's digest in its channel: once when its day begins, and to whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.action import Acknowledge, Resolve, Unacknowledge
from bot.core.alert import Disposition
from bot.core.reply import DigestReply, Person, Said
from bot.digests import Digests
from bot.sandbox import Sandbox
from bot.slack.answers import render
from tests.shell.delivering import opened, shown, standing, until
from tests.shell.making import DAY, HOUR, MINUTE, Node, World

ANA = Person("U0ANA", "C0PAYMENTS")
STRANGER = Person("U0STRANGER", "C0NOWHERE")
TP = Disposition.true_positive


@pytest.fixture
def bot(town: World) -> Node:
    """It is Monday noon; the team's days begin at nine."""
    return town.node()


def digests(node: Node) -> int:
    return Digests(node.view).once()


def test_it_comes_at_nine_in_the_teams_channel_once_for_all_processes(
    town: World, slack: Sandbox, bot: Node
) -> None:
    assert digests(bot) == 0  # this morning's: there was nothing
    taken, other = opened(town, bot, "s_1", "s_2")
    bot.engine.act(taken, Acknowledge("U0ANA"), by="U0ANA")
    bot.engine.act(taken, Resolve("U0ANA", TP), by="U0ANA")
    until(bot, slack, [f"card-{taken}", f"card-{other}"])
    bot.clock.on(21 * HOUR)  # Tuesday, nine
    assert digests(bot) == 1
    assert (digests(bot), digests(town.node())) == (0, 0)
    bot.deliver()
    said = shown(slack, -1)
    assert "The day of payments" in said
    assert f"*1 open alert*, nobody on ALR-{other}" in said
    assert "*2 new* since" in said
    assert "1 resolved: 1 true positive" in said
    assert "`payments.elsewhere` 2" in said
    assert "right 1 of 1" in said
    assert len(standing(slack)) == 3
    bot.clock.on(HOUR)
    assert digests(bot) == 0
    bot.deliver()
    assert len(standing(slack)) == 3


def test_what_has_come_since_then_is_no_news_of_that_morning_but_told_to_who_asks(
    town: World, bot: Node
) -> None:
    opened(town, bot)
    bot.clock.on(MINUTE)
    assert digests(bot) == 0
    reply = bot.desk.command(ANA, "digest")
    assert isinstance(reply, DigestReply)
    assert (reply.digest.opened, len(reply.digest.open)) == (1, 1)


def test_of_a_morning_long_gone_nobody_is_told(town: World, bot: Node) -> None:
    opened(town, bot)
    bot.clock.on(21 * HOUR + 6 * HOUR + MINUTE)
    assert digests(bot) == 0


def test_on_mondays_it_is_the_weeks_with_a_picture_of_its_days(town: World, bot: Node) -> None:
    opened(town, bot, "s_1", "s_2")
    bot.clock.on(2 * DAY)
    opened(town, bot, "s_3")
    bot.clock.on(5 * DAY)
    reply = bot.desk.command(ANA, "digest")
    assert isinstance(reply, DigestReply)
    assert reply.digest.week.by_day == (0, 1, 0, 0, 0, 0, 0)  # the first of the eight days is no more of it
    assert "▁█▁▁▁▁▁`\\n1 alert in 7 days" in str(render(reply).blocks)


def test_who_asks_says_which_or_is_of_one_team(bot: Node) -> None:
    assert isinstance(bot.desk.command(ANA, "digest payments"), DigestReply)
    assert isinstance(bot.desk.command(Person("U0ANA", "C0NOWHERE"), "digest"), DigestReply)
    wrong = bot.desk.command(ANA, "digest paymnts")
    assert isinstance(wrong, Said)
    assert "Did you mean `payments`?" in wrong.hint
    asked = bot.desk.command(STRANGER, "digest")
    assert isinstance(asked, Said)
    assert asked.text == "The digest of which team?"
    assert "`digest payments`" in asked.hint


def test_a_quiet_day_says_so_to_who_asks(bot: Node) -> None:
    reply = bot.desk.command(ANA, "digest")
    assert isinstance(reply, DigestReply)
    text = str(render(reply).blocks)
    assert "Nothing is open." in text
    assert "Nothing fired and nothing was resolved since" in text


def test_alerts_in_shadow_come_up_in_it(town: World, bot: Node) -> None:
    name = "policies/payments/elsewhere.yml"
    town.write(name, (town.project / name).read_text() + "\nstatus: shadow\n")
    bot.engine.reload()
    opened(town, bot)
    bot.clock.on(timedelta(hours=21))
    assert digests(bot) == 1
    reply = bot.desk.command(ANA, "digest")
    assert "Paging nobody, waiting for a verdict: 1 alert of `payments.elsewhere`" in str(
        render(reply).blocks
    )


def test_it_says_how_often_people_were_within_their_target(town: World, bot: Node) -> None:
    name = "policies/_teams.yml"
    team = (town.project / name).read_text()
    town.write(name, team + "  targets: {acknowledge: 15m, resolve: {medium: 1h}}\n")
    bot.engine.reload()
    soon, late, nobodys = opened(town, bot, "s_1", "s_2", "s_3")
    bot.clock.on(5 * MINUTE)
    bot.engine.act(soon, Acknowledge("U0ANA"), by="U0ANA")
    bot.clock.on(15 * MINUTE)
    bot.engine.act(soon, Unacknowledge("U0ANA"), by="U0ANA")
    bot.engine.act(soon, Acknowledge("U0BO"), by="U0BO")  # it was answered long before
    bot.engine.act(late, Acknowledge("U0ANA"), by="U0ANA")
    bot.engine.act(late, Resolve("U0ANA", TP), by="U0ANA")
    bot.clock.on(2 * HOUR)
    assert bot.alert(nobodys).is_open
    reply = bot.desk.command(ANA, "digest")
    said = str(render(reply).blocks)
    assert "Acknowledged after 12 min in the middle, 1 of 3 within 15 min, the target" in said
    assert "past it and still without anybody: 1" in said
    assert (
        "Resolved after 20 min in the middle, 1 of 3 within 1 h, the target; past it and still open: 2"
        in said
    )
