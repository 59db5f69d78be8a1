"""Where people meet Patrol besides its cards: threads, messages, Home; from a payload to the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.action import Acknowledge
from bot.core.alert import Work
from bot.sandbox import Sandbox
from bot.slack.homes import Homes
from tests.shell.delivering import listening, opened, wait_for
from tests.shell.making import Node, World


@pytest.fixture
def bot(town: World) -> Node:
    return town.node()


@pytest.fixture
def homes(bot: Node) -> Homes:
    assert bot.slack
    return Homes(bot.desk.status, bot.slack)


@pytest.fixture
def heard(bot: Node, slack: Sandbox, homes: Homes) -> Iterator[Node]:
    with listening(bot, slack, homes=homes):
        yield bot


def a_card(town: World, bot: Node, slack: Sandbox) -> tuple[int, str]:
    (alert,) = opened(town, bot)
    bot.deliver(4)
    return alert, str(slack.messages("payments")[0]["ts"])


def at_home(slack: Sandbox, name: str) -> dict[str, Any]:
    found: dict[str, Any] = slack.state(name)["homes"].get(f"U0{name.upper()}") or {"blocks": []}
    return found


def test_ack_in_a_cards_thread_needs_no_number_and_is_in_the_audit_as_a_mention(
    town: World, heard: Node, slack: Sandbox
) -> None:
    alert, ts = a_card(town, heard, slack)
    slack.message("ana", "payments", "@patrol ack", thread_ts=ts)
    wait_for(lambda: heard.alert(alert).work is Work.acknowledged)
    assert heard.alert(alert).owner == "U0ANA"
    slack.message("bo", "payments", "@patrol comment the bank has called", thread_ts=ts)
    wait_for(lambda: heard.alert(alert).comments)
    told = slack.state("ana")["ephemerals"]
    assert told[-1]["thread_ts"] == ts
    lines = [kept.line for kept in heard.store.trail.lines()]
    assert {(line.by, line.via) for line in lines} == {("U0ANA", "mention"), ("U0BO", "mention")}


def test_a_message_of_somebody_is_put_into_an_alerts_notes(town: World, heard: Node, slack: Sandbox) -> None:
    alert, ts = a_card(town, heard, slack)
    said = slack.message("bo", "payments", "the bank says it is a mule account", thread_ts=ts)
    slack.shortcut("ana", "payments", said["ts"], "add_note")
    wait_for(lambda: slack.state("ana")["views"])
    view = slack.state("ana")["views"][-1]
    slack.submit("ana", view["id"], {})
    wait_for(lambda: heard.alert(alert).comments == 1)
    assert "mule account" in heard.store.alerts.history(alert)[-1].story


def test_home_is_acted_on_by_one_and_changes_for_the_other(
    town: World, heard: Node, slack: Sandbox, homes: Homes
) -> None:
    alert, _ = a_card(town, heard, slack)
    on_call = heard.view.told(heard.alert(alert))[0]
    name = {"U0BO": "bo", "U0CY": "cy"}[on_call]
    slack.open_home(name)
    slack.open_home("ana")
    wait_for(lambda: f"alert.ack@{alert}" in str(at_home(slack, name)) and at_home(slack, "ana")["blocks"])
    assert "Open in payments" in str(at_home(slack, "ana"))
    slack.click_view(name, at_home(slack, name)["id"], f"alert.ack@{alert}")
    wait_for(lambda: f"ALR-{alert} acknowledged by" in str(at_home(slack, name)))
    assert heard.alert(alert).owner == on_call
    assert "has it" not in str(at_home(slack, "ana"))
    assert homes.once() == 1
    assert f"<@{on_call}> has it" in str(at_home(slack, "ana"))


def test_home_finds_a_persons_own_however_many_worse_there_are(
    town: World, bot: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.view.WANTED", 1)
    mine, *others = opened(town, bot, *(f"s_{n}" for n in range(1, 4)))
    bot.engine.act(mine, Acknowledge("U0ANA"), by="U0ANA")
    reply = bot.view.status("U0STRANGER")
    assert (len(reply.open_alerts), reply.open_total, reply.teams) == (1, 3, ())
    assert reply.open_alerts[0].id in others  # the newest
    reply = bot.view.status("U0ANA")
    assert mine in {alert.id for alert in reply.open_alerts}
    assert reply.teams == ("payments",)
