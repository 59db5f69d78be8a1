"""Why an alert is as it is, and why somebody has none: the sentences hold what is so in the world."""

from __future__ import annotations

import pytest

from bot.core.action import Resolve, SnoozeFor
from bot.core.alert import Disposition
from bot.core.reply import Person, Said, WhyReply
from bot.core.words import in_plain
from bot.slack.answers import render
from sensors.warehouse import WarehouseError
from tests.shell.making import ELSEWHERE, HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import failing

BO = Person("U0BO", "C0PAYMENTS")
EVERY, HELD = "payments.elsewhere", "payments.held"


@pytest.fixture
def bot(town: World) -> Node:
    """ALR-1 of s_1: three messages within a day. s_2 has sent two, which is no alert."""
    town.write("policies/payments/elsewhere.yml", ELSEWHERE + "threshold: {count: 3, within: 24h}\n")
    node = town.node()
    for seller, times in (("s_1", 3), ("s_2", 2)):
        town.table.says(seller, node.clock() - SECOND, times=times)
    node.next_tick()
    return node


def why(node: Node, text: str) -> dict[str, str]:
    reply = node.desk.command(BO, text)
    assert isinstance(reply, WhyReply), reply
    assert render(reply).blocks
    return {what: in_plain(said) for what, said in reply.reasons}


def test_of_an_alert_its_rows_threshold_route_and_delivery(bot: Node) -> None:
    said = why(bot, "why 1")
    assert said["Found"].startswith("3 rows counted, found from 2026-01-05")
    assert said["Found"].endswith("that makes it medium.")
    assert said["Policy"] == "`payments.elsewhere` is live, owned by payments."
    assert said["Threshold"] == (
        "Its threshold is 3 rows within 1 d. It is graded by that count: medium from 1, high from 4."
    )
    assert "5 min back for rows that come late" in said["Window"]
    assert "5 rows, 1 violation" in said["Looks"]
    assert said["Rows"].startswith("3 rows of it are remembered")
    assert "step 1 of 3 of the ladder of payments: @U0BO told" in said["Route"]
    assert "nobody has acknowledged it" in said["Route"]
    assert said["Delivery"] == "Its card waits to be posted in C0PAYMENTS."
    bot.deliver(4)
    assert why(bot, "why ALR-1")["Delivery"] == "Its card stands in C0PAYMENTS."
    assert "Its card stands in <#C0PAYMENTS>." in str(render(bot.desk.command(BO, "why 1")).blocks)


def test_of_one_that_is_quiet_why_it_is(bot: Node) -> None:
    bot.engine.act(1, SnoozeFor("U0ANA", bot.clock() + HOUR, "the bank calls back"), by="U0ANA")
    assert "the bank calls back. It wakes early above medium." in why(bot, "why 1")["Snoozed"]
    bot.engine.act(1, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    assert "By @U0ANA as real but allowed" in why(bot, "why 1")["Resolved"]


def test_of_somebody_without_an_alert_what_the_policy_knows(bot: Node) -> None:
    said = why(bot, f"why seller:s_2 policy:{EVERY}")
    assert said["Alert"] == (
        "No open alert of `payments.elsewhere` is about seller:s_2; there has been none."
    )
    assert "at most 2 count together within 1 d, its threshold is 3" in said["Rows"]
    assert said["Looks"].startswith("It looked last 2026-01-05 12:01 UTC, over")
    assert why(bot, f"why seller:s_99 {EVERY}")["Rows"] == "No row of it is remembered."
    assert "3 rows counted" in why(bot, f"why seller:s_1 policy:{EVERY}")["Found"]


def test_of_somebody_every_policy_that_looks_at_such(bot: Node) -> None:
    said = why(bot, "why seller:s_1")
    assert said[EVERY].startswith("ALR-1 is open: s_1 asked 3 times")
    assert "It has not looked yet." in said[HELD]


def test_a_policy_that_cannot_look_says_since_when(bot: Node) -> None:
    bot.next_tick(HELD)
    good = bot.clock()
    failing(bot, WarehouseError("there is no table core.sellers"))
    bot.next_tick(HELD, 10 * MINUTE)
    said = why(bot, f"why seller:s_5 policy:{HELD}")["Looks"]
    assert "failed: there is no table core.sellers" in said
    assert f"Not looked at since {good:%Y-%m-%d %H:%M} UTC (10 min ago)." in said
    assert "failed" in why(bot, f"why {HELD}")["Looks"]


def test_what_nobody_knows_is_said(bot: Node) -> None:
    for text, part in (
        ("why", "Why what?"),
        ("why 99", "There is no ALR-99"),
        ("why seler:s_1", "Did you mean `seller:s_1`?"),
        ("why seller:s_1 policy:payments.nothing", "There is no policy"),
        ("why job:hold_payouts", "`show job:hold_payouts` shows it"),
    ):
        said = bot.desk.command(BO, text)
        assert isinstance(said, Said)
        assert not said.ok
        assert part in said.text
