"""The same payloads over signed HTTP, judged by slack_sdk's own verifier."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.sandbox import Sandbox

SECRET = "sandbox-signing-secret"


class Receiver(ThreadingHTTPServer):
    """Keeps what it was sent, and answers with `status` and `answer`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[dict[str, str], str]] = []
        self.status = 200
        self.answer: dict[str, Any] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.requests.append((dict(self.headers), body))
        raw = json.dumps(self.server.answer).encode() if self.server.answer else b""
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def over_http(receiver: Receiver) -> Iterator[Sandbox]:
    url = f"http://127.0.0.1:{receiver.server_port}/slack/events"
    with Sandbox(channels=["payments"], pace=False, request_url=url, scale=0.001) as running:
        yield running


def test_every_request_is_signed_over_its_raw_body(over_http: Sandbox, receiver: Receiver) -> None:
    over_http.command("ana", "payments", "/patrol list")
    over_http.message("ana", "payments", "@patrol hello")

    verifier = SignatureVerifier(SECRET)
    assert len(receiver.requests) == 2
    for headers, body in receiver.requests:
        assert verifier.is_valid_request(body, headers)
        assert not verifier.is_valid_request(body + " ", headers)


def test_a_command_is_a_form_and_its_answer_is_shown(over_http: Sandbox, receiver: Receiver) -> None:
    receiver.answer = {"text": "three open"}

    seen = over_http.command("ana", "payments", "/patrol list")

    fields = parse_qs(receiver.requests[0][1])
    assert (fields["command"], fields["text"], fields["user_id"]) == (["/patrol"], ["list"], ["U0ANA"])
    assert [entry["text"] for entry in seen["ephemerals"]] == ["three open"]
    assert seen["ack_ms"] is not None


def test_bolt_takes_these_requests(
    over_http: Sandbox, receiver: Receiver, web_client: Any, until: Any
) -> None:
    app = App(client=web_client(over_http), signing_secret=SECRET)
    heard: list[str] = []

    @app.command("/patrol")
    def _(ack: Any, command: Any) -> None:
        ack()
        heard.append(command["text"])

    @app.event("app_mention")
    def _(event: Any) -> None:
        heard.append(event["text"])

    over_http.command("ana", "payments", "/patrol list")
    over_http.message("ana", "payments", "@patrol hello")
    answers = [app.dispatch(BoltRequest(body=b, headers=dict(h))).status for h, b in receiver.requests]

    assert answers == [200, 200]
    until(lambda: sorted(heard) == ["<@U0PATROL> hello", "list"])


def test_an_event_that_meets_an_error_is_sent_again(
    over_http: Sandbox, receiver: Receiver, until: Any
) -> None:
    receiver.status = 500

    assert not over_http.message("ana", "payments", "@patrol hello")["acked"]

    until(lambda: len(receiver.requests) == 4)
    numbers = [headers.get("X-Slack-Retry-Num") for headers, _ in receiver.requests]
    assert numbers == [None, "1", "2", "3"]
    assert receiver.requests[1][0]["X-Slack-Retry-Reason"] == "http_error"


def test_a_dead_receiver_is_seen_by_the_person(over_http: Sandbox, receiver: Receiver) -> None:
    receiver.shutdown()
    receiver.server_close()

    assert "did not respond" in over_http.command("ana", "payments", "/patrol list")["error"]
