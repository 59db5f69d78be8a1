"""What Patrol says of Slack itself: a channel that takes no posts, and what could not be told in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.builtin import mended
from bot.core.builtin_slack import (
    SLACK_AWAY,
    UNREACHABLE,
    HeldBack,
    Outage,
    away_key,
    channel_key,
    refused_key,
    refused_messages,
    rows_of,
    slack_away,
    unreachable_channel,
)
from bot.core.change import Change
from bot.core.message import Queue
from bot.core.step import step
from sensors.model.policy import Severity
from tests.core.looking import TEAM
from tests.core.making import BO, HOUR, MINUTE, NOON, ladder, opened

DO = "write `/invite @patrol` there"
OUTAGE = Outage(NOON, 3 * HOUR, True)


def held(
    alert_id: int, what: str = "opened", severity: Severity = Severity.medium, to: str = "oncall"
) -> HeldBack:
    return HeldBack(replace(opened(), id=alert_id, severity=severity), what, to, NOON + alert_id * MINUTE)


def test_a_channel_that_takes_no_posts_is_told_with_what_to_do_and_ends_by_itself() -> None:
    found = unreachable_channel("C1", "#payments", "not_in_channel", DO, "payments", TEAM, NOON)
    assert (found.policy, found.key, found.severity) == (UNREACHABLE, channel_key("C1"), Severity.high)
    assert found.title == "#payments takes no posts (not_in_channel): write `/invite @patrol` there"
    first = step(None, found, NOON)
    assert isinstance(first, Change)
    alert = replace(first.alert, id=7)
    assert not isinstance(step(alert, found, NOON + MINUTE), Change)  # it is told once
    over = step(alert, mended(NOON + HOUR), NOON + HOUR)
    assert isinstance(over, Change)
    assert not over.alert.is_open


def test_messages_that_are_refused_are_another_key_than_their_channel() -> None:
    found = refused_messages("C1", "#payments", "odd", ("ALR-1", "ALR-1", "ALR-2"), "payments", TEAM, NOON)
    assert found.key == refused_key("C1") != channel_key("C1")
    assert found.count == 3
    assert found.title.startswith("3 messages are refused in #payments (odd), of ALR-1, ALR-2")


def test_a_digest_says_in_its_title_what_was_held_back_and_is_as_bad_as_the_worst() -> None:
    both = [held(1), held(2, severity=Severity.critical), held(2, "page"), held(3, "tell")]
    found = slack_away("payments", TEAM, OUTAGE, both, None, (), NOON)
    assert found.title == "Slack was away for 3 h: 2 alerts opened, 2 pages held back"
    assert (found.policy, found.severity, found.count) == (SLACK_AWAY, Severity.critical, 3)
    assert found.key == away_key("payments", OUTAGE)
    one = slack_away("payments", None, Outage(NOON, 20 * MINUTE, False), [held(1)], None, (), NOON)
    assert one.title == "Messages to Slack are 20 min late: 1 alert opened"


def test_a_digest_climbs_the_ladder_of_its_severity() -> None:
    steps = ladder((0, "lead"))
    team = replace(TEAM, ladders={Severity.high: steps})
    found = slack_away("payments", team, OUTAGE, [held(1, severity=Severity.high)], None, (), NOON)
    assert found.terms.ladder == steps


def test_what_the_same_outage_held_back_later_is_added_and_counted_once() -> None:
    first = step(None, slack_away("payments", TEAM, OUTAGE, [held(1), held(2)], None, (), NOON), NOON)
    assert isinstance(first, Change)
    before = replace(first.alert, id=9)
    more = slack_away("payments", TEAM, OUTAGE, [held(2, "page"), held(3)], before, (1, 2), NOON + MINUTE)
    assert more.title == "Slack was away for 3 h: 3 alerts opened, 1 page held back"
    assert more.count == 3


def test_a_row_for_each_alert_the_worst_first() -> None:
    rows = rows_of([held(1), held(1, "page", to=BO), held(2, severity=Severity.high)], {BO: "bo"})
    assert [row["alert"] for row in rows] == ["ALR-2", "ALR-1"]
    assert rows[1]["what"].startswith("opened, 1 page: ")
    assert rows[1]["to"] == "oncall, bo"
    assert rows[1]["when"] == f"{NOON + MINUTE:%Y-%m-%d %H:%M:%S}Z"


def test_a_queue_is_told_with_its_wait_where_it_moves() -> None:
    assert (
        Queue("#payments", 42, 3).words()
        == "42 cards and 3 replies wait for #payments; the last in about 45 s"
    )
    assert Queue("#payments", 1, 0).words(moving=False) == "1 card waits for #payments"
    assert Queue("#payments", 200, 0).words().endswith("the last in about 3 min")
    assert [Queue("#p", n, 0).is_long for n in (30, 31)] == [False, True]
    assert timedelta(seconds=Queue("#p", 2, 3).posts) == timedelta(seconds=5)
