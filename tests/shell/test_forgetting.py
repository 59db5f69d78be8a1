"""Files at Slack go with what they show: rows that are too old or erased, pictures that are too old."""

from __future__ import annotations

import pytest

from bot.core.action import Resolve, ShareRows
from bot.core.alert import Disposition
from bot.deliver.forgetting import Forgetting
from bot.sandbox import Sandbox
from bot.slack.client import SlackClient
from bot.store.keeping import FOR_EVER, Keep
from tests.shell.delivering import opened, until
from tests.shell.making import DAY, Node, World

KEEP = Keep(evidence=35 * DAY, history=90 * DAY)


@pytest.fixture
def bot(town: World, slack: Sandbox) -> Node:
    """ALR-1 is resolved, all its rows are in a file in its thread; a picture was uploaded."""
    node = town.node()
    (alert,) = opened(town, node)
    until(node, slack, ["card-1"])
    node.engine.act(alert, ShareRows("U0ANA"), by="U0ANA")
    node.deliver(10)
    node.engine.act(alert, Resolve("U0ANA", Disposition.benign), by="U0ANA")
    client = SlackClient(slack.bot_token, slack.api)
    picture = client.upload("days.png", b"\x89PNG\r\n\x1a\n", "alerts by day")
    node.store.uploads.drawn(picture, node.clock())
    client.keep(picture, "days")
    assert len(files(slack)) == 1
    return node


def files(slack: Sandbox) -> list[str]:
    """Those that are shown in the channel."""
    said = slack.channel("payments")["messages"]
    return [one["name"] for m in said for one in m.get("files", []) if one["mode"] != "tombstone"]


def a_day(bot: Node, slack: Sandbox, keep: Keep) -> int:
    bot.store.keeping.prune(keep, bot.clock())
    return Forgetting(bot.store, SlackClient(slack.bot_token, slack.api), bot.clock, keep).once()


def test_files_go_when_their_rows_and_their_time_are_over(bot: Node, slack: Sandbox) -> None:
    bot.clock.on(20 * DAY)
    assert a_day(bot, slack, KEEP) == 0
    bot.clock.on(20 * DAY)
    assert a_day(bot, slack, FOR_EVER) == 0
    assert len(files(slack)) == 1
    assert a_day(bot, slack, KEEP) == 2
    assert files(slack) == []
    assert a_day(bot, slack, KEEP) == 0
    bot.clock.on(60 * DAY)
    a_day(bot, slack, KEEP)
    assert bot.store.alerts.get(1) is None


@pytest.mark.parametrize("trouble", ["500", "429", "error:missing_scope"])
def test_an_alert_is_not_forgotten_before_its_file(bot: Node, slack: Sandbox, trouble: str) -> None:
    bot.clock.on(100 * DAY)
    slack.faults({"method": "files.delete", "fault": trouble})
    assert a_day(bot, slack, KEEP) == 0
    assert bot.store.alerts.get(1) is not None
    slack.no_faults()
    assert a_day(bot, slack, KEEP) == 2
    a_day(bot, slack, KEEP)
    assert bot.store.alerts.get(1) is None


def test_a_file_that_somebody_has_deleted_is_over(bot: Node, slack: Sandbox) -> None:
    bot.clock.on(40 * DAY)
    slack.faults({"method": "files.delete", "fault": "error:file_deleted"})
    assert a_day(bot, slack, KEEP) == 2
    slack.no_faults()
    assert a_day(bot, slack, KEEP) == 0


def test_files_that_slack_does_not_let_us_delete_are_in_nobodys_way(bot: Node, slack: Sandbox) -> None:
    """As those of an app that was installed before."""
    for n in range(120):
        bot.store.uploads.drawn(f"F0000{n:03}", bot.clock() - DAY)
    bot.clock.on(40 * DAY)
    bot.store.keeping.prune(KEEP, bot.clock())
    slack.faults({"method": "files.delete", "fault": "error:cant_delete_file"})
    forgetting = Forgetting(bot.store, SlackClient(slack.bot_token, slack.api), bot.clock, KEEP)
    for _ in range(5):
        assert forgetting.once() == 0
    asked = {call["args"]["file"] for call in slack.journal(method="files.delete")}
    assert len(asked) == 122
