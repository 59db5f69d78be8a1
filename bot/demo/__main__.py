"""`python -m bot.demo`: a marketplace in a folder, its beat, and its admin site, until told to stop."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from bot.demo.market import FolderInUse, Market
from bot.demo.web import app


def main() -> int:
    given = _arguments()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        listener = _listen(given.port)
        market = Market(given.folder, given.seed, _now(), fresh=given.fresh, calm=given.calm)
    except (OSError, FolderInUse) as error:
        print(f"the marketplace cannot start: {error}", file=sys.stderr)
        return 1
    server = uvicorn.Server(_site(market, listener))
    serving = threading.Thread(target=server.run, args=([listener],), daemon=True, name="admin site")
    serving.start()
    try:
        _beat(market, given.beat, stop)
    finally:
        server.should_exit = True
        serving.join(timeout=3)
        market.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.demo", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where its files lie")
    parser.add_argument("--port", type=int, required=True, help="of the admin site and the risk service")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same history")
    parser.add_argument("--fresh", action="store_true", help="start anew instead of going on")
    parser.add_argument("--beat", type=float, default=2.5, help="seconds between new rows")
    parser.add_argument("--calm", action="store_true", help="plant no trouble")
    return parser.parse_args()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()  # who comes before the marketplace is open waits for it
    return listener


def _site(market: Market, listener: socket.socket) -> uvicorn.Config:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return uvicorn.Config(
        app(market, address),
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )


def _beat(market: Market, seconds: float, stop: threading.Event) -> None:
    next_beat = time.monotonic() + seconds
    while not stop.wait(max(0.0, next_beat - time.monotonic())):
        market.beat(_now())
        next_beat = max(next_beat + seconds, time.monotonic())


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
