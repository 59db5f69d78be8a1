"""What the tests of delivery share: alerts to post, what stands in Slack, and how Slack may fail."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.core.action import Escalate
from bot.sandbox import Sandbox
from bot.slack import listeners, socket
from tests.shell.making import FILES, SECOND, Node, World

OTHER = FILES["policies/payments/elsewhere.yml"] + "channel: C0OTHER\n"


@contextmanager
def listening(bot: Node, slack: Sandbox, **beside: Any) -> Iterator[None]:
    """The bot hears what is clicked, typed and said, over a real socket; `beside`: what `register` takes."""
    assert bot.slack
    app = listeners.new_app(bot.slack)
    listeners.register(app, bot.desk, bot.slack, clock=bot.clock, **beside)
    handle = socket.start(app, slack.app_token, slack.url, connections=1)
    try:
        wait_for(handle.connected)
        yield
    finally:
        handle.close()


def opened(town: World, bot: Node, *sellers: str) -> list[int]:
    """An alert for each seller, none of them posted yet."""
    for seller in sellers or ("s_1",):
        town.table.says(seller, bot.clock() - SECOND)
    bot.next_tick()
    return [alert.id for alert in bot.alerts("payments.elsewhere")]


def standing(slack: Sandbox, channel: str = "payments") -> list[str]:
    """Of every message of ours that stands, which delivery it carries, in order."""
    return [
        m["metadata"]["event_payload"]["delivery_id"]
        for m in slack.channel(channel)["messages"]
        if m.get("metadata")
    ]


def shown(slack: Sandbox, n: int = 0, channel: str = "payments") -> str:
    return json.dumps(slack.messages(channel)[n])


def until(bot: Node, slack: Sandbox, wanted: list[str], rounds: int = 60) -> None:
    """Delivers until just these stand, and a while longer to see that it stays so."""
    for _ in range(rounds):
        if sorted(standing(slack)) == sorted(wanted):
            break
        bot.deliver(2)
    assert sorted(standing(slack)) == sorted(wanted)
    bot.deliver(20)
    assert sorted(standing(slack)) == sorted(wanted)


def struck(bot: Node, slack: Sandbox, fault: dict[str, Any]) -> None:
    """The next post meets the fault; what Slack does slowly is done before our hand-moved clock goes on."""
    before = len(standing(slack))
    slack.faults({"method": "chat.postMessage", "times": 1, **fault})
    bot.deliver(1)
    if fault["fault"] == "slow":
        wait_for(lambda: len(standing(slack)) > before)


def wait_for(look: Any, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


FAULTS = [
    {"fault": "429", "retry_after": 3},
    {"fault": "500"},
    {"fault": "503"},
    {"fault": "store_then_drop"},
    {"fault": "store_then_500"},
    {"fault": "slow", "seconds": 2.6},
    {"fault": "reset"},
    {"fault": "drop"},
    {"fault": "error:invalid_blocks"},
    {"fault": "error:internal_error"},
    {"fault": "error:some_new_word"},
]


def threaded(slack: Sandbox) -> list[str]:
    """What the replies in the first card's thread say."""
    (card, *_) = slack.messages("payments")
    return [m["text"] for m in slack.messages("payments", card["ts"])]


def escalated(bot: Node, alert: int, *reasons: str) -> None:
    for reason in reasons:
        bot.engine.act(alert, Escalate("U0ANA", reason), by="U0ANA")
