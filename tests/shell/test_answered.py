"""Pages in a thread ask for somebody until somebody has answered, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import Acknowledge, Comment, Resolve, Unacknowledge
from bot.core.alert import Disposition
from bot.sandbox import Sandbox
from tests.shell.delivering import escalated, opened, until
from tests.shell.making import MINUTE, Node, World


@pytest.fixture
def paged(town: World, slack: Sandbox) -> tuple[Node, int]:
    """An alert that was escalated, with its page in the thread."""
    node = town.node()
    (alert,) = opened(town, node)
    until(node, slack, ["card-1"])
    escalated(node, alert, "nobody is there")
    until(node, slack, ["card-1", "effect-1"])
    return node, alert


def page(slack: Sandbox) -> tuple[list[str], str]:
    """The buttons of the page, and all that it says."""
    shown: list[Any] = [m for m in slack.channel("payments")["messages"] if "nobody is there" in m["text"]][
        -1
    ]["blocks"]
    return [e["text"]["text"] for b in shown if b["type"] == "actions" for e in b["elements"]], str(shown)


def test_it_asks_until_it_is_answered_and_then_says_what_happened(
    paged: tuple[Node, int], slack: Sandbox
) -> None:
    node, alert = paged
    assert page(slack)[0] == ["Acknowledge"]
    node.engine.act(alert, Comment("U0BO", "I look"), by="U0BO")
    node.deliver(4)
    assert page(slack)[0] == ["Acknowledge"], "a note is no answer"
    node.engine.act(alert, Acknowledge("U0BO"), by="U0BO")
    node.deliver(4)
    buttons, said = page(slack)
    assert buttons == []
    assert "acknowledged by <@U0BO>" in said
    assert not said.split("'text': '")[1].startswith("<@U0ANA>"), (
        "whoever escalates tells others, not himself"
    )
    node.engine.act(alert, Comment("U0BO", "found it"), by="U0BO")
    node.engine.act(alert, Unacknowledge("U0BO"), by="U0BO")
    node.deliver(4)
    assert page(slack)[0] == [], "who is asked next is asked by a page of its own"


@pytest.mark.parametrize(
    "fault", [{"fault": "429", "retry_after": 1}, {"fault": "store_then_drop"}, {"fault": "500"}]
)
def test_what_goes_wrong_on_the_way_is_made_up_for(
    paged: tuple[Node, int], slack: Sandbox, fault: dict[str, Any]
) -> None:
    node, alert = paged
    slack.faults({"method": "chat.update", "times": 2, **fault})
    node.engine.act(alert, Resolve("U0BO", Disposition.benign), by="U0BO")
    for _ in range(6):
        node.deliver(4)
        node.clock.on(MINUTE)
    assert page(slack)[0] == []
    assert "resolved" in page(slack)[1]


def test_a_page_that_can_no_longer_be_edited_stays_as_it_is(paged: tuple[Node, int], slack: Sandbox) -> None:
    node, alert = paged
    slack.faults({"method": "chat.update", "fault": "error:edit_window_closed", "after": 1})
    node.engine.act(alert, Acknowledge("U0BO"), by="U0BO")
    for _ in range(3):
        node.deliver(4)
        node.clock.on(timedelta(minutes=5))
    assert node.store.outbox.answered(node.clock()) == []
    assert page(slack)[0] == ["Acknowledge"]
