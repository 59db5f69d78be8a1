"""A marketplace in a folder of the test's own, its clock moved by hand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

from bot.demo.market import Market
from bot.demo.web import app

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SITE = "http://127.0.0.1:9"  # what links on the site begin with
Open = Callable[..., Market]


@pytest.fixture(name="open_market")
def _open_market(tmp_path: Path) -> Iterator[Open]:
    """Opens a market; all are closed at the end."""
    opened: list[Market] = []

    def open_one(
        now: datetime = NOON, *, folder: str = "market", seed: int = 7, calm: bool = True, fresh: bool = False
    ) -> Market:
        opened.append(Market(tmp_path / folder, seed, now, calm=calm, fresh=fresh))
        return opened[-1]

    yield open_one
    for market in opened:
        market.close()


@pytest.fixture(name="serve")
def _serve() -> Callable[[Market], Iterator[str]]:
    """Serves a market's site on a free port; gives its address."""
    return served


def served(market: Market) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app(market, SITE), log_level="error", lifespan="off"))
    serving = threading.Thread(target=server.run, args=([listener],), daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    serving.join(timeout=10)
