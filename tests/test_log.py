"""One road for every log line: ids bound, libraries included, no secret ever."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.socket_mode.websocket_client import SocketModeClient as WebClientOfSockets

from bot.process import log


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Each test begins as a new process does: other tests, as libraries do, may have silenced loggers."""
    known = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    loggers = [logger for logger in known if isinstance(logger, logging.Logger)]
    was = [(logger, logger.level, logger.disabled, logger.propagate, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.disabled, logger.propagate, logger.handlers = False, True, []
        logger.setLevel(logging.NOTSET)
    yield
    for logger, level, disabled, propagate, handlers in was:
        logger.disabled, logger.propagate, logger.handlers = disabled, propagate, handlers
        logger.setLevel(level)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_a_line_is_json(stream: io.StringIO) -> None:
    log.configure("auto", "info", stream=stream)
    log.get("engine").info("run ended", rows=3)
    [line] = lines(stream)
    assert (line["event"], line["rows"], line["level"], line["logger"]) == ("run ended", 3, "info", "engine")
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_it_is_pretty() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    log.configure("auto", "info", stream=stream)
    log.get().info("run ended", rows=3)
    assert "run ended" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


def test_ids_are_on_every_line_within_whoever_writes_it(stream: io.StringIO) -> None:
    log.configure("json", "info", stream=stream)
    ours = log.get()
    with ours.bound(run=7, alert=3):
        ours.info("one")
        logging.getLogger("slack_bolt.App").warning("two %s", "words")
    ours.info("three")
    one, two, three = lines(stream)
    assert (one["run"], two["run"], two["alert"], two["event"]) == (7, 7, 3, "two words")
    assert "run" not in three


@pytest.mark.parametrize(
    "name", ["apscheduler.scheduler", "httpx", "slack_sdk.web", "uvicorn.error", "uvicorn.access"]
)
def test_libraries_keep_their_routine_to_themselves(stream: io.StringIO, name: str) -> None:
    log.configure("json", "info", stream=stream)
    logging.getLogger(name).info("routine")
    logging.getLogger(name).error("trouble")
    assert [line["event"] for line in lines(stream)] == ["trouble"]


def test_what_slacks_library_does_to_the_loggers_brings_no_line_back(stream: io.StringIO) -> None:
    log.configure("json", "info", stream=stream)
    WebClientOfSockets("xapp-1", auto_reconnect_enabled=False).close()  # sets the level of `websocket` anew
    logging.getLogger("websocket").error("Connection to remote host was lost. - goodbye")
    assert lines(stream) == []


def test_configured_twice_a_line_is_written_once(stream: io.StringIO) -> None:
    log.configure("json", "info", stream=stream)
    log.configure("json", "info", stream=stream)
    log.get().info("once")
    assert len(lines(stream)) == 1


SECRETS = [
    "xoxb-1234-5678-hush",
    "xoxe.xoxp-1-hush",
    "xapp-1-A1-2-hush",
    "postgresql://patrol:hush@db/patrol",
    "wss://wss.example/link/?ticket=hush&app_id=1",
    "https://hooks.slack.com/commands/T1/2/hush",
    "Authorization: Bearer hush",
    "signing-hush",
]


@pytest.mark.parametrize("mode", ["json", "pretty"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_gets_into_a_line(stream: io.StringIO, mode: str, secret: str) -> None:
    log.configure(mode, "info", hide=["signing-hush"], stream=stream)
    ours = log.get()
    ours.info(f"event {secret}", value=secret, nested={"deep": [secret]}, name=f"({secret})")
    logging.getLogger("slack_sdk").warning("argument %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        ours.exception("broke")
    assert stream.getvalue().count("hush") == 0
    assert "broke" in stream.getvalue()


@given(st.text(max_size=60))
def test_no_text_makes_a_second_line_or_breaks_the_first(text: str) -> None:
    stream = io.StringIO()
    log.configure("json", "info", stream=stream)
    log.get().info(text, value=text)
    assert len(stream.getvalue().split("\n")) == 2
    assert json.loads(stream.getvalue())["value"] is not None
    pretty = io.StringIO()
    log.configure("pretty", "info", stream=pretty)
    log.get().info("row", value=text)
    logging.getLogger("rows").info("%s", text)
    assert len(pretty.getvalue().split("\n")) == 3


def test_before_it_is_configured_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    log.get("early").warning("spoke first")
    assert "spoke first" in caplog.text
