"""Socket Mode: hello, turns, acks, refreshes, cuts, redelivery."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import websocket
from slack_bolt import App
from slack_sdk import WebClient

from bot.sandbox import Sandbox

Until = Callable[..., Any]
Connect = Callable[..., Any]


@pytest.fixture
def hasty() -> Iterator[Sandbox]:
    """Gives up on an ack after 0.3 s, and redelivers at once, after 0.06 s and 0.3 s."""
    with Sandbox(channels=["payments"], pace=False, deadline=0.3, scale=0.001) as running:
        yield running


def link(sandbox: Sandbox) -> str:
    headers = {"Authorization": f"Bearer {sandbox.app_token}"}
    return str(httpx.post(sandbox.api + "apps.connections.open", headers=headers).json()["url"])


def dial(sandbox: Sandbox) -> websocket.WebSocket:
    return websocket.create_connection(link(sandbox), timeout=5)


def read(socket: websocket.WebSocket) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(socket.recv())
    return message


def deliveries(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sandbox.journal(kind="delivered")


def test_a_connection_is_greeted_and_counted(sandbox: Sandbox) -> None:
    first, second = dial(sandbox), dial(sandbox)

    assert [read(first)["num_connections"], read(second)["num_connections"]] == [1, 2]
    assert sandbox.state()["connected"] == 2
    first.close()
    second.close()


def test_a_ticket_opens_one_connection(sandbox: Sandbox) -> None:
    url = link(sandbox)
    first = websocket.create_connection(url, timeout=5)

    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(url, timeout=5)
    first.close()


def test_an_eleventh_connection_is_sent_away(sandbox: Sandbox) -> None:
    sockets = [dial(sandbox) for _ in range(11)]
    greetings = [read(socket) for socket in sockets]

    assert [g["type"] for g in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[-1]["reason"] == "too_many_websockets"
    for socket in sockets:
        socket.close()


def test_each_payload_goes_to_one_connection_in_turn(
    sandbox: Sandbox, client: WebClient, connect: Connect
) -> None:
    heard: list[str] = []

    def one(name: str) -> App:
        app = App(client=client)

        @app.command("/patrol")
        def _(ack: Any) -> None:
            heard.append(name)
            ack()

        return app

    with connect(sandbox, one("a")), connect(sandbox, one("b"), already=1):
        for _ in range(6):
            sandbox.command("ana", "payments", "/patrol status", wait_ms=0)

    assert sorted(heard) == ["a", "a", "a", "b", "b", "b"]
    assert heard[0] != heard[1]


def test_acks_come_within_milliseconds(sandbox: Sandbox, on_slack: App) -> None:
    @on_slack.command("/patrol")
    def _(ack: Any) -> None:
        ack()

    times = [sandbox.command("ana", "payments", "/patrol x", wait_ms=0)["ack_ms"] for _ in range(20)]

    assert statistics.median(times) < 100


def test_two_connections_outlive_a_refresh(
    sandbox: Sandbox, app: App, connect: Connect, until: Until
) -> None:
    @app.command("/patrol")
    def _(ack: Any) -> None:
        ack()

    with connect(sandbox, app, 2):
        sandbox.refresh_sockets()
        answers = []
        end = time.monotonic() + 40
        while len(events(sandbox, "opened")) < 4 and time.monotonic() < end:
            answers.append(sandbox.command("ana", "payments", "/patrol x", wait_ms=0))

        assert len(events(sandbox, "refresh_requested")) == 2
        assert all(answer["acked"] for answer in answers)
        assert max(answer["ack_ms"] for answer in answers) < 1000
        until(lambda: sandbox.state()["connected"] == 2)


def events(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    return [entry for entry in sandbox.journal(kind="socket") if entry["event"] == name]


def test_a_cut_connection_is_back_soon(sandbox: Sandbox, app: App, connect: Connect, until: Until) -> None:
    @app.command("/patrol")
    def _(ack: Any) -> None:
        ack()

    with connect(sandbox, app):
        sandbox.cut_sockets()
        until(lambda: sandbox.state()["connected"] == 0 or len(sandbox.journal(kind="socket")) > 2)
        until(lambda: sandbox.state()["connected"] == 1, seconds=10)

        assert sandbox.command("ana", "payments", "/patrol x", wait_ms=0)["acked"]


def test_a_warning_leaves_the_connection_open(sandbox: Sandbox) -> None:
    socket = dial(sandbox)
    read(socket)

    sandbox.refresh_sockets("warning")

    assert read(socket)["reason"] == "warning"
    assert sandbox.state()["connected"] == 1
    socket.close()


def test_three_seconds_are_the_end_for_a_command(hasty: Sandbox) -> None:
    socket = dial(hasty)
    read(socket)
    began = time.monotonic()

    answer = hasty.command("ana", "payments", "/patrol x")

    assert 0.3 <= time.monotonic() - began < 1
    assert answer["error"] == "/patrol failed because the app did not respond in time"
    envelope = read(socket)
    assert envelope["accepts_response_payload"]
    socket.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
    assert [entry["failed"] for entry in deliveries(hasty)] == ["timeout"]
    socket.close()


def test_a_late_ack_is_noted(hasty: Sandbox, until: Until) -> None:
    socket = dial(hasty)
    read(socket)
    hasty.command("ana", "payments", "/patrol x")

    socket.send(json.dumps({"envelope_id": read(socket)["envelope_id"]}))

    until(lambda: [e for e in hasty.journal(kind="socket") if e["event"] == "late_ack"])
    socket.close()


def test_an_event_without_an_ack_comes_three_times_more(hasty: Sandbox, until: Until) -> None:
    socket = dial(hasty)
    read(socket)

    hasty.message("ana", "payments", "@patrol hello")

    until(lambda: len(deliveries(hasty)) == 4, seconds=10)
    envelopes = [read(socket) for _ in range(4)]
    assert [e["retry_attempt"] for e in envelopes] == [0, 1, 2, 3]
    assert [e["retry_reason"] for e in envelopes] == ["", "timeout", "timeout", "timeout"]
    assert len({e["payload"]["event_id"] for e in envelopes}) == 1
    assert len({e["envelope_id"] for e in envelopes}) == 4
    socket.close()


def test_an_event_waits_for_the_app_to_come_back(web_client: Any, connect: Connect, until: Until) -> None:
    heard: list[Any] = []
    with Sandbox(channels=["payments"], pace=False, scale=0.02) as slow:
        app = App(client=web_client(slow))

        @app.event("app_mention")
        def _(ack: Any, event: Any, request: Any) -> None:
            heard.append((event["text"], request.headers["x-slack-retry-num"]))
            ack()

        assert not slow.message("ana", "payments", "@patrol hello")["acked"]
        with connect(slow, app):
            until(lambda: heard, seconds=10)

        assert heard in ([("<@U0PATROL> hello", [attempt])] for attempt in ("2", "3"))


def test_an_event_may_be_delivered_twice_or_its_ack_lost(
    sandbox: Sandbox, on_slack: App, until: Until
) -> None:
    heard = []

    @on_slack.event("app_mention")
    def _(ack: Any, body: Any) -> None:
        heard.append(body["event_id"])
        ack()

    sandbox.faults({"method": "events_api", "fault": "duplicate", "times": 1})
    sandbox.message("ana", "payments", "@patrol one")
    until(lambda: len(heard) == 2)
    sandbox.faults({"method": "events_api", "fault": "lose_ack", "times": 1})
    sandbox.message("ana", "payments", "@patrol two")
    until(lambda: len(heard) == 4)

    assert [heard[0], heard[2]] == [heard[1], heard[3]]


def test_a_click_is_never_delivered_again(hasty: Sandbox, web_client: Any) -> None:
    button = {"type": "button", "action_id": "ack", "text": {"type": "plain_text", "text": "Ack"}}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = web_client(hasty).chat_postMessage(channel="C0PAYMENTS", text="x", blocks=blocks)["ts"]

    answer = hasty.click("ana", "payments", ts, "ack")
    time.sleep(0.5)

    assert answer["error"] == "This failed because the app did not respond in time."
    assert len(deliveries(hasty)) == 1
