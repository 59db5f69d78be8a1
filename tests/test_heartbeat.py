"""The dead man's ping, against a real server: it calls only while Patrol works, and names no secret."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.process.errors import StoreAway
from bot.watch import heartbeat
from bot.watch.heartbeat import Heartbeat

SECRET = "3f2a-hush"


class Listener:
    """Hears the pings."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200
        self.slow = threading.Event()
        self.slow.set()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.slow.wait(5)
                listener.heard.append(self.path)
                self.send_response(listener.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.slow.set()
    made.server.shutdown()
    made.server.server_close()


def working() -> str:
    return ""


def until(come: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not come():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def test_while_patrol_works_it_calls_and_says_when_that_went_through(listener: Listener) -> None:
    beat = Heartbeat(listener.url, working)
    assert beat.health() == "none has gone through yet"
    assert beat.once()
    assert listener.heard == [f"/{SECRET}"]
    assert beat.health().startswith("ok: went through at ")


def test_it_is_held_back_while_patrol_does_not_work_and_says_why(listener: Listener) -> None:
    why = "not heard of for a minute: sweep"
    beat = Heartbeat(listener.url, lambda: why)
    assert not beat.once()
    assert listener.heard == []
    said = f"held back, Patrol is not at work: {why}; none has gone through yet"
    assert beat.health() == said
    why = ""
    assert beat.once()
    assert len(listener.heard) == 1


@pytest.mark.parametrize("error", [StoreAway("The store is away."), ValueError("a bug")])
def test_where_it_cannot_be_found_out_it_is_held_back(listener: Listener, error: Exception) -> None:
    def breaks() -> str:
        raise error

    assert not Heartbeat(listener.url, breaks).once()
    assert listener.heard == []


@pytest.mark.parametrize("status", [301, 404, 503])
def test_an_answer_that_is_no_yes_did_not_go_through(listener: Listener, status: int) -> None:
    beat = Heartbeat(listener.url, working)
    assert beat.once()
    listener.status = status
    assert not beat.once()
    assert beat.health().startswith(f"PATROL_PING_URL answered {status}; last went through at ")


def test_who_does_not_answer_in_time_or_at_all_is_said(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "TIMEOUT_S", 0.2)
    listener.slow.clear()
    beat = Heartbeat(listener.url, working)
    assert not beat.once()
    assert beat.health().startswith("PATROL_PING_URL did not answer within 0.2 s; none has gone")
    nobody = Heartbeat(f"http://127.0.0.1:1/{SECRET}", working)
    assert not nobody.once()
    assert nobody.health().startswith("PATROL_PING_URL cannot be reached (ConnectError)")


def test_no_line_names_the_address_and_a_trouble_is_logged_once(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    listener.status = 500
    beat = Heartbeat(listener.url, working)
    for _ in range(3):
        beat.once()
    assert caplog.text.count("ping did not go through") == 1
    assert SECRET not in caplog.text + beat.health()


def test_it_goes_on_by_itself_and_ends_when_told(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.05)
    monkeypatch.setattr(heartbeat, "AGAIN_S", 0.05)
    beat = Heartbeat(listener.url, working)
    beat.start()
    until(lambda: len(listener.heard) >= 3)
    beat.close()
    count = len(listener.heard)
    time.sleep(0.3)
    assert len(listener.heard) == count
