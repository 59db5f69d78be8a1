"""Channels and tokens that Slack refuses: told, gone round or waited for, and over by themselves."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.core.action import Acknowledge, Escalate, RerunEnded, Resolve
from bot.core.alert import Disposition
from bot.core.builtin_slack import UNREACHABLE, channel_key
from bot.deliver.refusals import ELSEWHERE, GONE, WHOLE
from bot.process.errors import SlackRefused
from bot.sandbox import Sandbox
from tests.shell.delivering import OTHER, escalated, opened, shown, standing, threaded, until
from tests.shell.making import FILES, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH

pytestmark = pytest.mark.slow

TEAMS = FILES["policies/_teams.yml"]
OWNERS = """
platform:
  channel: C0OTHER
  members:
    cy: {slack: U0CY, roles: [lead]}
"""


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


def told(bot: Node) -> list[str]:
    """The open alerts about channels, in words."""
    return [alert.title for alert in bot.alerts(UNREACHABLE)]


def owned(town: World, bot: Node) -> None:
    """Another team answers for Patrol itself, in a channel of its own."""
    town.write("policies/_teams.yml", TEAMS + OWNERS)
    bot.engine.project._owner = "platform"
    bot.engine.reload()


def elsewhere(town: World, bot: Node) -> None:
    town.write("policies/payments/elsewhere.yml", OTHER)
    bot.engine.reload()


def refuse(slack: Sandbox, word: str, channel: str = "payments", method: str = "chat.*") -> None:
    slack.faults({"method": method, "channel": channel, "fault": f"error:{word}"})


# ------------------------------------------------------------------------------ channels


@pytest.mark.parametrize("word", sorted(ELSEWHERE))
def test_where_the_teams_channel_takes_no_posts_they_go_to_who_answers_for_patrol(
    town: World, bot: Node, slack: Sandbox, word: str
) -> None:
    owned(town, bot)
    refuse(slack, word)
    (alert,) = opened(town, bot)
    escalated(bot, alert, "look")
    bot.deliver(20)
    assert standing(slack) == []
    assert sorted(standing(slack, "other")) == ["card-1", "card-2", "effect-1"]
    (title,) = told(bot)
    assert title.startswith(f"#payments takes no posts ({word}): ")
    assert bot.alert(2).terms.team == "payments"
    assert bot.deliverer
    assert f"#payments takes no posts: {word}" in bot.deliverer.trouble


def test_a_bot_thrown_out_says_how_to_invite_it_and_goes_on_when_it_is_invited(
    town: World, bot: Node, slack: Sandbox
) -> None:
    elsewhere(town, bot)
    opened(town, bot, "s_1")
    bot.deliver(4)
    slack.set_channel("other", remove_bot=True)
    opened(town, bot, "s_2", "s_3")
    bot.deliver(10)
    assert standing(slack, "other") == ["card-1"]
    assert told(bot) == ["#other takes no posts (not_in_channel): write `/invite @patrol` there"]
    assert "/invite @patrol" in shown(slack, -1)
    before = len(slack.journal(method="chat.postMessage"))
    opened(town, bot, "s_4")
    bot.deliver(4)
    assert len(slack.journal(method="chat.postMessage")) <= before + 2  # it is not tried with every card
    slack.set_channel("other", remove_bot=False)
    bot.deliver(70, SECOND)
    assert told(bot) == []
    bot.clock.on(MINUTE)
    opened(town, bot, "s_5")
    bot.deliver(6)
    assert [d for d in standing(slack, "other") if d.startswith("card")] == ["card-1", "card-6"]
    assert sum(d.startswith("card") for d in standing(slack)) == 4  # what was posted elsewhere stays there


def test_an_archived_channel_without_another_way_waits_in_order_and_goes_on_when_it_is_back(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.set_channel("payments", archived=True)
    opened(town, bot, *(f"s_{n}" for n in range(5)))
    bot.deliver(600, SECOND)
    assert bot.deliverer
    assert "#payments takes no posts: is_archived; unarchive it" in bot.deliverer.trouble
    assert len(slack.journal(method="chat.postMessage")) <= 600 / 30 + 2  # it is not hammered
    slack.set_channel("payments", archived=False)
    bot.deliver(100, SECOND)
    assert standing(slack) == [f"card-{n}" for n in range(1, 7)]
    assert told(bot) == []
    assert bot.deliverer.trouble == ""


def test_without_the_scope_to_ask_about_channels_a_card_is_the_try_once_a_minute(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults({"method": "conversations.info", "fault": "error:missing_scope"})
    elsewhere(town, bot)
    slack.set_channel("other", archived=True)
    opened(town, bot, "s_1")
    bot.deliver(100, SECOND)
    assert len(slack.journal(method="conversations.info")) <= 4
    assert told(bot)[0].startswith("C0OTHER takes no posts (is_archived)")
    slack.set_channel("other", archived=False)
    opened(town, bot, "s_2")
    bot.deliver(10, SECOND)
    assert standing(slack, "other") == ["card-3"]
    assert told(bot) == []


def test_a_channel_that_the_files_no_longer_name_is_forgotten(town: World, bot: Node, slack: Sandbox) -> None:
    elsewhere(town, bot)
    slack.set_channel("other", archived=True)
    opened(town, bot)
    bot.deliver(6)
    assert len(told(bot)) == 1
    town.write("policies/payments/elsewhere.yml", FILES["policies/payments/elsewhere.yml"])
    bot.engine.reload()
    bot.deliver(70, SECOND)
    assert told(bot) == []


def test_what_one_process_learns_of_a_channel_the_other_knows(town: World, bot: Node, slack: Sandbox) -> None:
    other = town.node()
    elsewhere(town, bot)
    other.engine.reload()
    slack.set_channel("other", archived=True)
    opened(town, bot)
    bot.deliver(6)
    before = len(slack.journal(method="chat.postMessage"))
    bot.clock.on(6 * SECOND)
    opened(town, bot, "s_2")
    other.deliver(4)
    refused = [e for e in slack.journal(method="chat.postMessage")[before:] if not e["ok"]]
    assert refused == []
    assert len(bot.alerts(UNREACHABLE)) == 1


def test_one_who_resolves_it_by_hand_is_not_told_again_while_it_lasts(
    town: World, bot: Node, slack: Sandbox
) -> None:
    elsewhere(town, bot)
    slack.set_channel("other", archived=True)
    opened(town, bot)
    bot.deliver(6)
    (alert,) = bot.alerts(UNREACHABLE)
    bot.engine.act(alert.id, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    opened(town, bot, "s_2", "s_3")
    bot.deliver(200, SECOND)
    assert told(bot) == []
    slack.set_channel("other", archived=False)
    bot.deliver(100, SECOND)
    slack.set_channel("other", archived=True)
    opened(town, bot, "s_4")
    bot.deliver(100, SECOND)
    assert len(told(bot)) == 1  # it was open in between: that is news


# ------------------------------------------------------------------------------ messages


@pytest.mark.parametrize("word", sorted(GONE))
def test_a_card_that_can_no_longer_be_edited_is_posted_anew_and_one_stands(
    town: World, bot: Node, slack: Sandbox, word: str
) -> None:
    (alert,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    if word == "message_not_found":
        assert bot.slack
        bot.slack.delete("C0PAYMENTS", slack.messages("payments")[0]["ts"])
    slack.faults({"method": "chat.update", "fault": f"error:{word}", "times": 1})
    bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    bot.deliver(20)
    new = slack.messages("payments")[-1]
    assert "ACKNOWLEDGED" in shown(slack, -1)
    card = bot.store.outbox.message(alert)
    assert card
    assert card.ts == new["ts"]
    if word in ("cant_update_message", "edit_window_closed"):
        assert standing(slack) == ["card-1"]


def test_a_reply_that_slack_refuses_for_good_is_parked_and_holds_up_nothing(
    town: World, bot: Node, slack: Sandbox
) -> None:
    first, _ = opened(town, bot, "s_1", "s_2")
    bot.deliver(6)
    slack.faults({"method": "chat.postMessage", "fault": "error:some_new_word", "times": 4})
    for word in ("one", "two", "three"):
        bot.engine.act(first, RerunEnded("U0ANA", word))
    bot.deliver(60, SECOND)
    assert [text.rsplit(" ", 1)[-1] for text in threaded(slack)] == ["two", "three"]
    assert [m.delivery for m in bot.store.outbox.parked()] == ["effect-1"]
    assert bot.deliverer
    assert "1 refused for good in " in bot.deliverer.trouble
    (title,) = told(bot)
    assert "a message is refused in" in title
    assert "some_new_word" in title
    bot.deliver(65, MINUTE)  # an hour later it is tried again, and taken
    assert [text.rsplit(" ", 1)[-1] for text in threaded(slack)] == ["two", "three", "one"]
    assert bot.store.outbox.parked() == []
    assert told(bot) == []
    assert bot.deliverer.trouble == ""


def test_what_is_parked_is_tried_when_a_process_starts(town: World, bot: Node, slack: Sandbox) -> None:
    (alert,) = opened(town, bot)
    bot.deliver(6)
    slack.faults({"method": "chat.postMessage", "fault": "error:some_new_word", "times": 4})
    escalated(bot, alert, "one")
    bot.deliver(40, SECOND)
    assert len(bot.store.outbox.parked()) == 1
    town.node().deliver(4)
    assert threaded(slack)[0].endswith("one")


def test_replies_that_a_channel_takes_in_no_thread_are_parked_and_its_cards_go_on(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bot.slack
    real = bot.slack.post

    def post(*given: Any, **how: Any) -> str:
        if how.get("thread_ts"):
            raise SlackRefused("restricted_action_non_threadable_channel")
        return real(*given, **how)

    monkeypatch.setattr(bot.slack, "post", post)
    (first,) = opened(town, bot, "s_1")
    bot.engine.act(first, RerunEnded("U0ANA", "one"))
    bot.deliver(300, SECOND)
    opened(town, bot, "s_2")
    bot.deliver(10, SECOND)
    assert [m.delivery for m in bot.store.outbox.parked()] == ["effect-1"]
    assert any("s_2 asked" in shown(slack, n) for n in range(len(slack.messages("payments"))))


# ------------------------------------------------------------------------------ the whole workspace


@pytest.mark.parametrize("word", sorted(WHOLE))
def test_a_token_that_is_refused_pauses_everything_and_loses_nothing(
    town: World, bot: Node, slack: Sandbox, word: str
) -> None:
    (first,) = opened(town, bot)
    until(bot, slack, ["card-1"])
    slack.faults({"method": "*", "fault": f"error:{word}"})
    bot.engine.act(first, Escalate("U0ANA", "look"), by="U0ANA")
    opened(town, bot, *(f"s_{n}" for n in range(2, 8)))
    before = len(slack.journal(kind="api"))
    bot.deliver(300, SECOND)
    assert len(slack.journal(kind="api")) - before <= 300 / 30 + 8  # it is tried as a whole, not by message
    assert bot.deliverer
    assert bot.deliverer.trouble.startswith(f"Slack refuses SLACK_BOT_TOKEN: {word}; ")
    assert bot.alerts(UNREACHABLE) == []
    slack.no_faults()
    bot.deliver(60, SECOND)
    assert [d for d in standing(slack) if d.startswith("card")] == [f"card-{n}" for n in range(1, 8)]
    assert standing(slack).count("effect-1") == 1
    assert bot.deliverer.trouble == ""


def test_a_slack_that_is_silent_is_left_in_peace_and_all_is_sent_soon_after_it_is_back(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults({"method": "*", "fault": "drop"})
    opened(town, bot, *(f"s_{n}" for n in range(8)))
    bot.deliver(600, SECOND)
    assert len(slack.journal(kind="api")) <= 40
    assert bot.deliverer
    assert "Slack does not answer" in bot.deliverer.trouble
    slack.no_faults()
    bot.deliver(75, SECOND)
    assert sorted(standing(slack)) == [f"card-{n}" for n in range(1, 9)]
    assert bot.deliverer.trouble == ""


def test_one_message_that_slack_breaks_on_pauses_no_other(town: World, bot: Node, slack: Sandbox) -> None:
    elsewhere(town, bot)
    town.table.does("INSERT INTO core.sellers VALUES ('s_9', true)")
    bot.tick("payments.held")
    slack.faults({"method": "chat.postMessage", "channel": "other", "fault": "500"})
    opened(town, bot, "s_1")
    bot.deliver(60, SECOND)
    for n in range(4):
        bot.engine.act(1, Escalate("U0ANA", f"reason {n}"), by="U0ANA")
        bot.deliver(3, SECOND)
    assert len(threaded(slack)) == 4
    assert bot.deliverer
    assert bot.deliverer.pacing.why == ""


# ------------------------------------------------------------------------------ pace, shared


@BOTH
def test_what_slack_asks_one_process_to_wait_the_other_waits(town: World, bot: Node, slack: Sandbox) -> None:
    nodes = [bot, town.node()]
    slack.faults({"method": "chat.postMessage", "fault": "429", "retry_after": 20, "times": 1})
    opened(town, bot, *(f"s_{n}" for n in range(4)))
    for _ in range(19):
        for node in nodes:
            node.deliver(1, timedelta(milliseconds=500))
    assert len(slack.journal(method="chat.postMessage")) == 1
    for _ in range(30):
        for node in nodes:
            node.deliver(1, timedelta(milliseconds=500))
    assert standing(slack) == [f"card-{n}" for n in range(1, 5)]


@BOTH
def test_the_workspaces_updates_rest_for_all_when_slack_asks_for_it(
    town: World, bot: Node, slack: Sandbox
) -> None:
    other = town.node()
    alerts = opened(town, bot, "s_1", "s_2")
    bot.deliver(6)
    slack.faults({"method": "chat.update", "fault": "429", "retry_after": 20, "times": 1})
    for alert in alerts:
        bot.engine.act(alert, Acknowledge("U0ANA"), by="U0ANA")
    for _ in range(18):
        bot.deliver(1, timedelta(milliseconds=500))
        other.deliver(1, timedelta(milliseconds=500))
    assert len(slack.journal(method="chat.update")) == 1
    bot.deliver(20)
    assert all("ACKNOWLEDGED" in shown(slack, n) for n in range(2))


@BOTH
def test_two_processes_keep_one_pace_and_the_order_of_two_hundred_alerts_while_slack_is_busy(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes, at = [bot, town.node()], []
    for node in nodes:
        assert node.slack
        real = node.slack.post

        def post(*given: Any, real: Any = real, **how: Any) -> str:
            ts = str(real(*given, **how))
            at.append(bot.clock())
            return ts

        monkeypatch.setattr(node.slack, "post", post)
    slack.faults({"method": "chat.postMessage", "fault": "429", "retry_after": 5, "every": 20, "after": 7})
    town.write(
        "policies/payments/elsewhere.yml", FILES["policies/payments/elsewhere.yml"] + "max_alerts: 500\n"
    )
    for node in nodes:
        node.engine.reload()
    alerts = opened(town, bot, *(f"s_{n}" for n in range(200)))
    assert bot.view.status().problems == ("200 cards wait for C0PAYMENTS; the last in about 3 min",)
    bot.deliver(1, timedelta(milliseconds=100))
    assert bot.deliverer
    assert bot.deliverer.trouble == "200 cards wait for #payments; the last in about 3 min"
    for _ in range(400):
        for node in nodes:  # the third look after a post sends the next: now the one does, now the other
            node.deliver(1, timedelta(milliseconds=400))
        if len(at) == 200:
            break
    assert standing(slack) == [f"card-{alert}" for alert in alerts]
    assert all(later - earlier >= SECOND for earlier, later in pairwise(at))
    bot.deliver(20)
    assert bot.deliverer.trouble == ""
    assert channel_key("C0PAYMENTS") not in {a.key for a in bot.alerts()}
