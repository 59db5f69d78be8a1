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
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.sandbox import names, outgoing
from bot.sandbox.acts import People
from bot.sandbox.call import SlackError
from bot.sandbox.client import SandboxClient
from bot.sandbox.delivery import Delivery, Pace
from bot.sandbox.faults import Faults
from bot.sandbox.limits import Limits
from bot.sandbox.people import Door
from bot.sandbox.seed import CHANNELS, PEOPLE, Seed, profile_of
from bot.sandbox.shelf import open_shelf
from bot.sandbox.web import Hangup, Outcome, WebApi, read_arguments, respond
from bot.sandbox.wire import Wire
from bot.sandbox.workspace import Workspace

PAGE = Path(__file__).parent / "page"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Options:
    """How strict and how fast.

    `pace` False lifts the rate limits, `scale` shortens the waits for redelivery, `edit_window` is the age in
    seconds beyond which messages may not be changed, `request_url` chooses signed HTTP over Socket Mode.
    """

    pace: bool = True
    deadline: float = 3.0
    scale: float = 1.0
    state: str | Path | None = None
    manifest: Mapping[str, Any] | str | Path | None = None
    request_url: str | None = None
    edit_window: float | None = None
    clock: Callable[[], float] = time.time


class Doors:
    """The endpoints that belong to no other room: response_url, uploads, files and the page."""

    def __init__(self, workspace: Workspace, faults: Faults, limits: Limits) -> None:
        self._workspace = workspace
        self._faults = faults
        self._limits = limits

    def routes(self) -> list[Route | Mount]:
        page: list[Route | Mount] = [Route("/", self.page)]
        if PAGE.is_dir():
            page.append(Mount("/static", StaticFiles(directory=PAGE)))
        return [
            Route("/response/{key}", self.response_url, methods=["POST"]),
            Route("/upload/{key}", self.upload, methods=["POST", "PUT"]),
            Route("/files/{key}/{name}", self.file),
            *page,
        ]

    async def page(self, _request: Request) -> Response:
        index = PAGE / "index.html"
        return FileResponse(index) if index.exists() else PlainTextResponse("The page is not here.")

    async def response_url(self, request: Request) -> Response:
        w = self._workspace
        target = w.response_urls.find(request.path_params["key"])
        if target is None:
            return JSONResponse({"ok": False, "error": "invalid_url"}, 404)
        body = await read_arguments(request)
        channel = w.channels[target.channel]
        rule = self._faults.strike("response_url", channel.id, channel.name)
        if rule is not None and rule.fault in ("reset", "drop"):
            return Hangup(reset=rule.fault == "reset")
        outcome = self._responded(target, body) if rule is None else Outcome(int(rule.fault), {"ok": False})
        details = {"method": "response_url", "args": body, "status": outcome.status}
        error = {"error": outcome.body["error"]} if "error" in outcome.body else {}
        w.journal.write("api", w.clock(), **details, ok=outcome.status == 200, **error)
        return PlainTextResponse("ok") if outcome.status == 200 else respond(outcome)

    def _responded(self, target: Any, body: Any) -> Outcome:
        w = self._workspace
        refusal = target.refusal(w.clock())
        if refusal:
            return Outcome(404, {"ok": False, "error": refusal})
        wait = (
            self._limits.post(target.channel, w.clock())
            if body.get("response_type") == "in_channel"
            else None
        )
        if wait:
            return Outcome(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)})
        target.used += 1
        try:
            with w.lock:
                outgoing.respond(w, target, body)
        except SlackError as error:
            return Outcome(400, error.answer())
        return Outcome(200, {"ok": True})

    async def upload(self, request: Request) -> Response:
        w = self._workspace
        file = w.files.get(request.path_params["key"])
        if file is None:
            return PlainTextResponse("file not found", 404)
        content = await request.body()
        if len(content) != file["expected"]:
            return PlainTextResponse("the length differs from what was announced", 400)
        w.store_content(file["id"], content)
        file |= {"size": len(content), "state": "uploaded"}
        w.keep("file", file["id"], file)
        return PlainTextResponse(f"OK - {len(content)}")

    async def file(self, request: Request) -> Response:
        content = self._workspace.contents.get(request.path_params["key"])
        if content is None:
            return PlainTextResponse("the content of this file is no longer here", 404)
        return PlainTextResponse(content, headers={"X-Content-Type-Options": "nosniff"})


def create_app(seed: Seed | None = None, options: Options | None = None) -> Starlette:
    """The whole sandbox; its parts hang on `app.state` (workspace, wire, door)."""
    how = options or Options()
    workspace = Workspace(seed, profile_of(how.manifest), open_shelf(how.state), how.clock)
    workspace.edit_window = how.edit_window
    faults, limits, wire = Faults(), Limits(how.pace), Wire(workspace)
    delivery = Delivery(workspace, wire, faults, Pace(how.deadline, how.scale), how.request_url)
    door = Door(workspace, People(workspace, delivery), wire, faults)

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
            *Doors(workspace, faults, limits).routes(),
        ],
        lifespan=lifespan,
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
) -> int:
    """Serves until SIGINT or SIGTERM; says its address first of all. Returns the exit code."""
    try:
        listener = _bound(port)
    except OSError:
        print(f"port {port} is taken: choose another one, or end what listens there", file=sys.stderr)
        return 2
    print(f"http://{HOST}:{listener.getsockname()[1]}", flush=True)
    server = _server(create_app(Seed(users, channels), Options(pace=pace, state=state, manifest=manifest)))
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda *_: setattr(server, "should_exit", True))
    if not quiet:
        print("a Slack of its own, on this machine only; Ctrl-C ends it", flush=True)
    server.run(sockets=[listener])
    return 0
