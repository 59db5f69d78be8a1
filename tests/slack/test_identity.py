"""Who we are at Slack, asked before the first act of a process: no act is lost when Slack does not say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox import Sandbox
from bot.slack.client import SlackClient
from bot.slack.face import card
from bot.slack.listeners import new_app, register
from bot.slack.socket import start

from .conftest import NOW, Bot, RecordingDesk, a_context, eventually
from .test_listeners import words


@pytest.fixture
def newcomer(sandbox: Sandbox) -> Iterator[Bot]:
    """A process that has just started: nobody has asked Slack anything yet."""
    desk, client = RecordingDesk(), SlackClient(sandbox.bot_token, sandbox.api, timeout_s=5)
    app = new_app(client)
    register(app, desk, client, clock=lambda: NOW)
    before = sandbox.state()["connected"]
    handle = start(app, sandbox.app_token, sandbox.api, connections=1)
    try:
        eventually(lambda: handle.connected() == 1 and sandbox.state()["connected"] == before + 1)
        ts = client.post("C0PAYMENTS", card(desk.alert, a_context()), "card-3")
        yield Bot(sandbox, desk, client, ts, handle)
    finally:
        handle.close()
        eventually(lambda: sandbox.state()["connected"] == before)


@pytest.mark.parametrize("fault", ["500", "reset", "429"])
def test_an_act_is_recorded_though_slack_no_longer_says_who_we_are(newcomer: Bot, fault: str) -> None:
    newcomer.client.who_am_i()  # as every process does at its start
    newcomer.sandbox.faults({"method": "auth.test", "fault": fault})
    assert newcomer.click("alert.ack")["acked"]
    assert [what[0] for what in newcomer.desk.handed] == ["act"]


@pytest.mark.parametrize("fault", ["500", "reset", "429"])
def test_until_slack_has_said_who_we_are_people_are_told_that_nothing_was_recorded(
    newcomer: Bot, fault: str
) -> None:
    newcomer.sandbox.faults({"method": "auth.test", "fault": fault, "times": 1})
    assert "Not recorded" in words(newcomer.click("alert.ack"))
    assert newcomer.desk.handed == []
    newcomer.click("alert.ack")
    assert [what[0] for what in newcomer.desk.handed] == ["act"]


def test_the_desk_learns_by_whose_clock_somebody_speaks(newcomer: Bot) -> None:
    newcomer.sandbox.set_user("ana", tz="Asia/Kolkata")
    assert newcomer.click("alert.ack")["acked"]
    assert newcomer.desk.zones == {"U0ANA": "Asia/Kolkata"}
