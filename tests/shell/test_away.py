"""Slack was away, or the queue was long: what comes too late is told once, and nothing is lost or doubled."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import Acknowledge, Comment, Escalate, RerunEnded, Resolve
from bot.core.alert import Alert, Disposition
from bot.core.builtin_slack import SLACK_AWAY
from bot.core.change import EffectKind
from bot.sandbox import Sandbox
from tests.shell.delivering import opened, standing, threaded
from tests.shell.making import FILES, HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH

ONCALL = "<@U0BO>"


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


def goes_away(slack: Sandbox) -> None:
    slack.faults({"method": "*", "fault": "drop"})


def time_goes_on(span: timedelta, *nodes: Node, each: timedelta = MINUTE) -> None:
    """Everything goes on as it does: what is due is done, what can be sent is sent."""
    for _ in range(span // each):
        for node in nodes:
            node.engine.sweep()
            node.deliver(1, timedelta())
        nodes[0].clock.on(each)


def digests(bot: Node) -> list[Alert]:
    return bot.alerts(SLACK_AWAY)


def pinging(slack: Sandbox) -> list[dict[str, Any]]:
    """The messages of ours that mention anybody."""
    return [m for m in slack.channel("payments")["messages"] if "<@U0" in json.dumps(m)]


def ended(bot: Node, state: str) -> list[str]:
    """The reasons of the effects that ended so."""
    from sqlalchemy import text

    with bot.store._database.read() as c:
        found = c.execute(
            text("SELECT result FROM effects WHERE state = :state ORDER BY id"), {"state": state}
        )
        return [str(reason) for reason in found.scalars()]


# ------------------------------------------------------------------------------ Slack away


@BOTH
def test_after_six_hours_there_is_one_digest_and_one_mention_instead_of_pages(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (known,) = opened(town, bot, "s_0")
    bot.deliver(4)
    bot.engine.act(known, Acknowledge("U0CY"), by="U0CY")
    bot.deliver(4)
    before = len(pinging(slack))
    goes_away(slack)
    for n in range(1, 15):
        opened(town, bot, f"s_{n}")
        time_goes_on(10 * MINUTE, bot)
    bot.engine.act(known, Comment("U0CY", "on it"), by="U0CY")
    bot.engine.act(3, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    bot.engine.act(4, Acknowledge("U0ANA"), by="U0ANA")
    time_goes_on(3 * HOUR, bot)
    assert digests(bot) == []
    slack.no_faults()
    time_goes_on(4 * MINUTE, bot, each=SECOND)

    (digest,) = digests(bot)
    assert digest.title.startswith("Slack was away for 5 h")
    assert "12 alerts opened, " in digest.title
    assert digest.title.endswith("pages held back")
    listed = {row["alert"] for row in bot.store.alerts.evidence(digest.id).rows}
    assert listed == {f"ALR-{n}" for n in range(1, 16)} - {"ALR-3", "ALR-4"}  # 1: nobody has it any more
    cards = [d for d in standing(slack) if d.startswith("card")]
    assert sorted(cards) == sorted(f"card-{n}" for n in range(1, digest.id + 1))
    after = pinging(slack)[before:]
    (told,) = [m for m in after if ONCALL in json.dumps(m)]
    assert "Slack was away" in json.dumps(told)
    shown = {m["metadata"]["event_payload"]["delivery_id"]: json.dumps(m) for m in slack.messages("payments")}
    assert "RESOLVED" in shown["card-3"]
    assert "ACKNOWLEDGED" in shown["card-4"]
    late = [reason for reason in ended(bot, "dropped") if reason.startswith("too late")]
    assert late
    assert all(digest.title in reason for reason in late)


@BOTH
def test_two_processes_tell_one_digest(town: World, bot: Node, slack: Sandbox) -> None:
    other = town.node()
    goes_away(slack)
    opened(town, bot, "s_1", "s_2", "s_3")
    time_goes_on(HOUR, bot, other)
    slack.no_faults()
    time_goes_on(2 * MINUTE, bot, other, each=SECOND)
    (digest,) = digests(bot)
    assert sorted(standing(slack)) == [f"card-{n}" for n in range(1, 5)]
    assert bot.store.alerts.evidence(digest.id).total == 3


def test_after_fourteen_minutes_everything_is_told_as_it_is(town: World, bot: Node, slack: Sandbox) -> None:
    goes_away(slack)
    opened(town, bot, "s_1")
    time_goes_on(13 * MINUTE, bot)
    slack.no_faults()
    time_goes_on(MINUTE, bot, each=SECOND)
    assert digests(bot) == []
    assert len(threaded(slack)) == 1  # the team, after ten minutes
    assert "<!here" not in threaded(slack)[0]


def test_a_card_that_comes_late_mentions_nobody_and_the_digest_does(
    town: World, bot: Node, slack: Sandbox
) -> None:
    town.write(
        "policies/_teams.yml",
        FILES["policies/_teams.yml"] + "  ladder: {medium: [{to: oncall}]}\n",
    )
    bot.engine.reload()
    assert not bot.engine.catalog.errors
    goes_away(slack)
    opened(town, bot, "s_1")
    time_goes_on(20 * MINUTE, bot)
    slack.no_faults()
    time_goes_on(2 * MINUTE, bot, each=SECOND)
    (digest,) = digests(bot)
    assert digest.title == "Slack was away for 20 min: 1 alert opened"
    assert [("Slack was away" in json.dumps(m)) for m in pinging(slack)] == [True]


def test_what_was_said_and_pings_nobody_still_comes_to_its_thread_in_order(
    town: World, bot: Node, slack: Sandbox
) -> None:
    (alert,) = opened(town, bot, "s_1")
    bot.deliver(4)
    goes_away(slack)
    for word in ("one", "two"):
        bot.engine.act(alert, RerunEnded("U0ANA", word))
        bot.engine.act(alert, Escalate("U0ANA", f"now {word}"), by="U0ANA")
        time_goes_on(30 * MINUTE, bot)
    bot.engine.act(alert, RerunEnded("U0ANA", "three"))
    slack.no_faults()
    time_goes_on(2 * MINUTE, bot, each=SECOND)
    assert threaded(slack) == ["one", "two", "three"]
    assert len(digests(bot)) == 1


def test_another_absence_is_another_digest_with_a_mention(town: World, bot: Node, slack: Sandbox) -> None:
    for n in (1, 2):
        goes_away(slack)
        opened(town, bot, f"s_{n}")
        time_goes_on(30 * MINUTE, bot)
        slack.no_faults()
        time_goes_on(2 * MINUTE, bot, each=SECOND)
        assert len(digests(bot)) == n
        cards = [m for m in slack.messages("payments") if "Slack was away" in json.dumps(m)]
        assert ONCALL in json.dumps(cards[-1])
        assert len(cards) == n


def test_a_token_that_was_revoked_for_hours_ends_in_a_digest_too(
    town: World, bot: Node, slack: Sandbox
) -> None:
    slack.faults({"method": "*", "fault": "error:token_revoked"})
    opened(town, bot, "s_1", "s_2")
    time_goes_on(2 * HOUR, bot)
    slack.no_faults()
    time_goes_on(2 * MINUTE, bot, each=SECOND)
    (digest,) = digests(bot)
    assert digest.title.startswith("Slack was away for 2 h: 2 alerts opened, ")


# ------------------------------------------------------------------------------ a long queue


def test_a_queue_so_long_that_pages_are_late_is_told_once(town: World, bot: Node, slack: Sandbox) -> None:
    opened(town, bot, "s_1", "s_2")
    for _ in range(20):
        bot.engine.sweep()
        bot.clock.on(MINUTE)  # nothing could be sent meanwhile, though Slack was there
    time_goes_on(MINUTE, bot, each=SECOND)
    (digest,) = digests(bot)
    assert digest.title == "Messages to Slack are 20 min late: 2 alerts opened, 4 pages held back"
    assert sorted(standing(slack)) == ["card-1", "card-2", "card-3"]
    time_goes_on(10 * MINUTE, bot)
    assert len(digests(bot)) == 1


def test_while_the_only_channel_is_closed_no_digest_grows(town: World, bot: Node, slack: Sandbox) -> None:
    slack.set_channel("payments", archived=True)
    opened(town, bot, "s_1", "s_2")
    time_goes_on(3 * HOUR, bot)
    assert digests(bot) == []
    slack.set_channel("payments", archived=False)
    time_goes_on(3 * MINUTE, bot, each=SECOND)
    assert len(digests(bot)) == 1
    assert len([d for d in standing(slack) if d.startswith("card")]) == 4


# ------------------------------------------------------------------------------ kills


class Killed(BaseException):
    """What `kill -9` would be."""


@pytest.mark.parametrize("point", ["digest.before", "digest.after"])
def test_wherever_the_teller_dies_there_is_one_digest_with_every_row(
    town: World, bot: Node, slack: Sandbox, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    goes_away(slack)
    opened(town, bot, "s_1", "s_2", "s_3")
    time_goes_on(HOUR, bot)
    slack.no_faults()

    def die(at: str) -> None:
        if at == point:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("bot.deliver.away.reach", die)
        with pytest.raises(Killed):
            time_goes_on(2 * MINUTE, bot, each=SECOND)
    time_goes_on(2 * MINUTE, town.node(), each=SECOND)
    (digest,) = digests(bot)
    assert bot.store.alerts.evidence(digest.id).total == 3
    assert sorted(standing(slack)) == [f"card-{n}" for n in range(1, 5)]


def test_a_page_that_is_being_sent_is_not_in_a_digest(town: World, bot: Node, slack: Sandbox) -> None:
    """Between reading and writing, another process has begun to send it: the digest is decided anew."""
    (alert,) = opened(town, bot, "s_1")
    bot.deliver(4)
    bot.engine.act(alert, Escalate("U0ANA", "look"), by="U0ANA")
    bot.clock.on(20 * MINUTE)
    other = town.node()
    assert other.deliverer
    ((stored, told, message),) = bot.store.outbox.effects(bot.clock(), kinds=[EffectKind.page])
    real = bot.store.act

    def act(*given: Any) -> Any:
        bot.store.act = real  # type: ignore[method-assign]
        assert other.deliverer
        assert other.deliverer.replies.move(stored, told, message)
        return real(*given)

    bot.store.act = act  # type: ignore[method-assign]
    bot.deliver(4)
    assert digests(bot) == []
    assert len(threaded(slack)) == 1
    assert ended(bot, "dropped") == []
