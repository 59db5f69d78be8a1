"""The whole bot, watched from outside: it is heard of while it works, and falls silent when it does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.app import Bot
from bot.process.settings import load
from bot.sandbox import Sandbox
from bot.watch import heartbeat
from tests.shell.making import World


@pytest.fixture
def heard() -> Iterator[tuple[str, list[float]]]:
    """An address, and when it was called."""
    times: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            times.append(time.monotonic())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hush", times
    server.shutdown()
    server.server_close()


def until(come: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not come():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def test_a_bot_at_work_is_heard_and_one_whose_sweep_hangs_is_not(
    world: World, slack: Sandbox, heard: tuple[str, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.1)
    monkeypatch.setattr(heartbeat, "AGAIN_S", 0.1)
    url, times = heard
    given = {
        "PATROL_SLACK_URL": slack.api,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "PATROL_WAREHOUSE_URL": world.table.url,
        "PATROL_STORE_URL": world.url,
        "PATROL_PORT": "0",
        "PATROL_PING_URL": url,
    }
    bot = Bot(load(world.project, given))
    bot.start()
    try:
        until(lambda: len(times) >= 3)
        assert bot.health().checks["ping"].startswith("ok: went through at ")
        assert bot.idle() == ""
        monkeypatch.setattr(bot.engine, "sweep", lambda: None)
        bot.scheduler._scheduler.remove_job(":sweep")  # it hangs
        bot.scheduler.beats["sweep"] = datetime.now(UTC) - timedelta(minutes=5)
        until(lambda: "held back" in bot.health().checks["ping"])
        count = len(times)
        time.sleep(0.5)
        assert len(times) == count
        assert "not heard of for a minute: sweep" in bot.health().checks["ping"]
    finally:
        bot.stop()
