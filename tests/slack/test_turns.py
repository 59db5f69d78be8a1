"""What follows an answer: told once Slack takes it, and never in the way of an act."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.process.errors import SlackBusy
from bot.slack.turns import TRIES, Turns


@pytest.fixture
def turns() -> Iterator[Turns]:
    with ThreadPoolExecutor(1) as acts, ThreadPoolExecutor(1) as talk:
        yield Turns(acts, talk)


def test_an_answer_that_slack_asks_to_wait_with_is_told_then(turns: Turns) -> None:
    told, tried = threading.Event(), []

    def tell() -> None:
        tried.append(1)
        if len(tried) < 3:
            raise SlackBusy(0.01)
        told.set()

    turns.later(tell)
    assert told.wait(5)
    assert len(tried) == 3


def test_it_is_not_tried_for_ever_and_the_log_says_so(turns: Turns, caplog: pytest.LogCaptureFixture) -> None:
    tried, over = [], threading.Event()

    def tell() -> None:
        tried.append(1)
        if len(tried) == TRIES:
            over.set()
        raise SlackBusy(0.01)

    turns.later(tell)
    assert over.wait(5)
    turns._talk.submit(lambda: None).result(5)
    assert len(tried) == TRIES
    assert "an answer was not told: Slack asks to wait" in caplog.text


def test_while_an_answer_waits_for_slack_another_is_told(turns: Turns) -> None:
    told = threading.Event()

    def busy() -> None:
        raise SlackBusy(30)

    turns.later(busy)
    turns.later(told.set)
    assert told.wait(5)
