"""Connections come back: after a cut, a refresh, and where Slack was away at the start."""

from __future__ import annotations

import socket as sockets
import time

from bot.sandbox import Sandbox
from bot.slack.client import SlackClient
from bot.slack.listeners import new_app, register
from bot.slack.socket import start

from .conftest import MANIFEST, RecordingDesk, eventually


def works(sandbox: Sandbox, desk: RecordingDesk) -> bool:
    before = len(desk.handed)
    return bool(sandbox.command("ana", "payments", "/patrol status")["acked"]) and len(desk.handed) > before


def test_two_connections_come_back_after_a_cut_and_after_a_refresh(sandbox: Sandbox) -> None:
    desk, client = RecordingDesk(), SlackClient(sandbox.bot_token, sandbox.api)
    app = new_app(client)
    register(app, desk, client)
    handle = start(app, sandbox.app_token, sandbox.api, connections=2)
    try:
        eventually(lambda: handle.connected() == 2)
        assert works(sandbox, desk)
        sandbox.refresh_sockets()
        assert works(sandbox, desk)
        eventually(lambda: handle.connected() == 2 and sandbox.state()["connected"] == 2)
        sandbox.cut_sockets()
        eventually(lambda: handle.connected() == 2 and sandbox.state()["connected"] == 2, 15)
        assert works(sandbox, desk)
    finally:
        began = time.monotonic()
        handle.close()
    assert time.monotonic() - began < 5
    eventually(lambda: sandbox.state()["connected"] == 0)


def test_it_waits_for_a_slack_that_is_not_there_yet() -> None:
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    desk = RecordingDesk()
    client = SlackClient("xoxb-sandbox", f"http://127.0.0.1:{port}/api/", timeout_s=2)
    app = new_app(client)
    register(app, desk, client)
    handle = start(app, "xapp-sandbox", f"http://127.0.0.1:{port}/api/", connections=1)
    try:
        assert handle.connected() == 0
        with Sandbox(channels=("payments",), port=port, pace=False, manifest=MANIFEST) as sandbox:
            eventually(lambda: handle.connected() == 1, 20)
            assert works(sandbox, desk)
    finally:
        handle.close()
