"""Connections come back: after a cut, a refresh, a silent death, and where Slack was away at the start."""

from __future__ import annotations

import logging
import socket as sockets
import threading
import time
from contextlib import suppress

import pytest

from bot.sandbox import Sandbox
from bot.slack import socket
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


def test_it_waits_for_a_slack_that_is_not_there_yet(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "TOLD_AFTER_S", 0.0)
    monkeypatch.setattr(socket, "PATIENCE_S", 1.0)
    caplog.set_level(logging.INFO, "bot.slack.socket")
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
        assert handle.trouble.startswith(f"{socket.NONE_OPEN}: Slack does not answer (URLError")
        with Sandbox(channels=("payments",), port=port, pace=False, manifest=MANIFEST) as sandbox:
            eventually(lambda: handle.connected() == 1, 20)
            assert works(sandbox, desk)
            assert handle.trouble == ""
            dialled = [entry for entry in sandbox.journal() if entry.get("method") == "apps.connections.open"]
            assert len(dialled) == 1
            eventually(lambda: any("open again" in message for message in caplog.messages))
    finally:
        handle.close()
    lost, back = (r.getMessage() for r in caplog.records if r.name == "bot.slack.socket")
    assert lost.endswith(". Nobody can click or type until it is back.")
    assert back.startswith("a Socket Mode connection is open again, after ")


class Line:
    """A line to the sandbox that can die without a word: nothing more goes through, and nobody hangs up."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._dead = threading.Event()
        self._listener = sockets.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        """Those who talk now talk to nobody; who dials anew gets through."""
        dead, self._dead = self._dead, threading.Event()
        dead.set()

    def close(self) -> None:
        self.die()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = sockets.create_connection(("127.0.0.1", self._target))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=(*pair, self._dead), daemon=True).start()

    def _carry(self, here: sockets.socket, there: sockets.socket, dead: threading.Event) -> None:
        with suppress(OSError):
            while data := here.recv(65_536):
                if dead.is_set():
                    return
                there.sendall(data)
            there.shutdown(sockets.SHUT_WR)


def test_a_line_that_dies_without_a_word_is_noticed(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "PING_S", 1.0)
    monkeypatch.setattr(socket, "PONG_S", 0.5)
    line = Line(int(sandbox.url.rpartition(":")[2]))
    address = f"http://127.0.0.1:{line.port}/api/"
    desk, client = RecordingDesk(), SlackClient(sandbox.bot_token, address)
    app = new_app(client)
    register(app, desk, client)
    handle = start(app, sandbox.app_token, address, connections=1)
    try:
        eventually(lambda: handle.connected() == 1)
        assert works(sandbox, desk)
        line.die()
        eventually(lambda: handle.connected() == 0, 10)
        eventually(lambda: handle.connected() == 1, 10)
        eventually(lambda: works(sandbox, desk), 15)
    finally:
        handle.close()
        line.close()
