"""Wiring: a workspace and its doors as one Starlette app, served on loopback in this thread or another."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.sandbox import names
from bot.sandbox.clicks import Clicks
from bot.sandbox.client import SandboxClient
from bot.sandbox.delivery import Delivery, Pace
from bot.sandbox.faults import Faults
from bot.sandbox.limits import Limits
from bot.sandbox.links import Links, SameOrigin, page_routes
from bot.sandbox.people import Door
from bot.sandbox.seed import CHANNELS, PEOPLE, Seed, profile_of
from bot.sandbox.shelf import open_shelf
from bot.sandbox.speech import Speech
from bot.sandbox.web import WebApi
from bot.sandbox.wire import Wire
from bot.sandbox.workspace import SCAN, Workspace

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How strict and how fast.

    `pace` False lifts the rate limits, `scan` is how long a file is looked at (seconds), `scale` shortens the
    waits for redelivery, `edit_window` is the age in seconds beyond which messages may not be changed,
    `request_url` chooses signed HTTP over Socket Mode.
    """

    pace: bool = True
    scan: float = SCAN
    deadline: float = 3.0
    scale: float = 1.0
    state: str | Path | None = None
    manifest: Mapping[str, Any] | str | Path | None = None
    request_url: str | None = None
    edit_window: float | None = None
    clock: Callable[[], float] = time.time


def create_app(seed: Seed | None = None, options: Options | None = None) -> Starlette:
    """The whole sandbox; its parts hang on `app.state` (workspace, wire, door)."""
    how = options or Options()
    workspace = Workspace(seed, profile_of(how.manifest), open_shelf(how.state), how.clock)
    workspace.edit_window, workspace.scan = how.edit_window, how.scan
    faults, limits, wire = Faults(), Limits(how.pace), Wire(workspace)
    delivery = Delivery(workspace, wire, faults, Pace(how.deadline, how.scale), how.request_url)
    door = Door(workspace, Clicks(workspace, delivery), Speech(workspace, delivery), wire, faults)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        delivery.stop()
        workspace.close()

    app = Starlette(
        routes=[
            Route("/api/{method}", WebApi(workspace, faults, limits).__call__, methods=["GET", "POST"]),
            WebSocketRoute("/link/", wire.serve),
            *door.routes(),
            *Links(workspace, faults, limits).routes(),
            *page_routes(),
        ],
        lifespan=lifespan,
        middleware=[Middleware(SameOrigin)],
    )
    app.state.workspace, app.state.wire, app.state.door = workspace, wire, door
    return app


class OpenProtocol(H11Protocol):
    """Lets an endpoint reach its connection, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it, and lets open streams end."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._sandbox = app

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.state.door.closing.set()
        self._sandbox.state.workspace.changed()
        await super().shutdown(sockets)


def _server(app: Starlette) -> _Server:
    config = uvicorn.Config(
        app,
        http=OpenProtocol,
        ws="websockets-sansio",
        ws_ping_interval=10.0,
        ws_ping_timeout=30.0,
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    return _Server(config, app)


def _bound(port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's delay off: 1 ms an answer instead of 45.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(128)  # from now on callers wait, instead of being refused until the server is up
    return listener


class Sandbox(SandboxClient):
    """A sandbox in a thread of this process, for tests; also a client of itself.

    with Sandbox(channels=["payments"], users=["ana", "bo"], pace=False) as s:
        WebClient(base_url=s.api, token=s.bot_token) …
        s.click("ana", "payments", ts, "ack")

    `port` 0 takes any free one. Further options are those of `Options`. `s.workspace` is the state itself,
    for tests that must look inside (take `s.workspace.lock`).
    """

    def __init__(
        self, channels: Sequence[str] = CHANNELS, users: Sequence[str] = PEOPLE, port: int = 0, **options: Any
    ) -> None:
        self._app = create_app(Seed(users, channels), Options(**options))
        self._listener = _bound(port)
        self._server = _server(self._app)
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self.workspace: Workspace = self._app.state.workspace
        super().__init__(f"http://{HOST}:{self._listener.getsockname()[1]}")

    def _serve(self) -> None:
        self._server.run(sockets=[self._listener])

    def __enter__(self) -> Sandbox:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close_client()
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()


def run(
    port: int = names.DEFAULT_PORT,
    channels: Sequence[str] = CHANNELS,
    users: Sequence[str] = PEOPLE,
    state: str | Path | None = None,
    manifest: Mapping[str, Any] | str | Path | None = None,
    quiet: bool = False,
    pace: bool = True,
    request_url: str | None = None,
) -> int:
    """Serves until SIGINT or SIGTERM; says its address first of all. Returns the exit code."""
    try:
        listener = _bound(port)
    except OSError:
        print(f"port {port} is taken: choose another one, or end what listens there", file=sys.stderr)
        return 2
    print(f"http://{HOST}:{listener.getsockname()[1]}", flush=True)
    options = Options(pace=pace, state=state, manifest=manifest, request_url=request_url)
    server = _server(create_app(Seed(users, channels), options))
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda *_: setattr(server, "should_exit", True))
    if not quiet:
        print("a Slack of its own, on this machine only; Ctrl-C ends it", flush=True)
    server.run(sockets=[listener])
    return 0
