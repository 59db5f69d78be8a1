"""HTTP: health and figures, which are read only, and whatever is posted to those who take it elsewhere."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.process.errors import SettingsError

MOST_BYTES = 1_000_000  # ten times what Slack sends with the longest message
READ_S = 3.0  # for a whole body
POSTS = 20  # answered side by side


@dataclass(frozen=True)
class Health:
    """`ok`: the process is sound, and a restart would mend nothing. `ready`: it does its whole work just now.

    `checks` says of each part how it is, in a sentence.
    """

    ok: bool
    ready: bool
    checks: Mapping[str, str]


class Said(Protocol):
    """The answer to a post."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def content_type(self) -> str: ...


# Takes the headers (names in lower case; with them `:path`, as which no sender can name one), the raw body,
# and when it came (monotonic). Called in a thread.
Take = Callable[[Mapping[str, str], bytes, float], Said]


def app(
    health: Callable[[], Health], registry: CollectorRegistry, posts: Mapping[str, Take] | None = None
) -> Starlette:
    """`/healthz`, `/readyz` and `/metrics`, and `posts` by their paths.

    `health` is called in a thread and may ask the store.
    """

    def healthz(_: Request) -> Response:
        found = _asked(health)
        return _told(found.ok, found)

    def readyz(_: Request) -> Response:
        found = _asked(health)
        return _told(found.ok and found.ready, found)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(
        routes=[
            *(Route(path, _Post(take)) for path, take in (posts or {}).items()),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


class _Post:
    """An endpoint that reads a body within bounds and hands it over, in threads of its own."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._threads = ThreadPoolExecutor(POSTS, thread_name_prefix="post")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive), time.monotonic())
        await answer(scope, receive, send)

    async def _answer(self, request: Request, arrived: float) -> Response:
        if request.method != "POST":
            return PlainTextResponse("Refused: only POST is answered here.\n", 405, {"Allow": "POST"})
        try:
            async with asyncio.timeout(READ_S):
                body = await _body(request)
        except TimeoutError:
            return _closing("Refused: the body did not come in time.\n", 408)
        except ClientDisconnect:
            return _closing("", 400)
        if body is None:
            return _closing(f"Refused: the body is longer than {MOST_BYTES:,} bytes.\n", 413)
        headers = {**request.headers, ":path": request.url.path}
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self._threads, self._take, headers, body, arrived)
        return Response(said.body, said.status, media_type=said.content_type)


async def _body(request: Request) -> bytes | None:
    """The raw body, or None as soon as it is known to be too long."""
    if int(request.headers.get("content-length", 0)) > MOST_BYTES:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def _closing(text: str, status: int) -> Response:
    """An answer after which the rest of the body is not waited for."""
    return PlainTextResponse(text, status, {"Connection": "close"})


@dataclass(frozen=True)
class Handle:
    """A server that runs in a thread of its own."""

    host: str
    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def close(self, timeout_s: float = 5.0) -> None:
        """Stops listening, lets requests end for a moment, and waits until it is over."""
        self._server.should_exit = True
        self._thread.join(timeout_s)


def serve(app: Starlette, port: int, host: str = "127.0.0.1") -> Handle:
    """Serves the app; port 0 takes a free one. SettingsError when the port is not to be had."""
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    return Handle(host, listener.getsockname()[1], server, thread)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SettingsError(_why(host, port, error)) from None
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program: set PATROL_PORT to a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be opened by this user: set PATROL_PORT to one above 1023."
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"Cannot listen on {host} port {port} ({reason}): set PATROL_HOST to an address of this machine."


def _asked(health: Callable[[], Health]) -> Health:
    try:
        return health()
    except Exception as error:  # whatever broke, the probe must get an answer that says so
        return Health(
            False, False, {"health": f"Could not be found out: {type(error).__name__}. See the log."}
        )


def _told(good: bool, health: Health) -> Response:
    body = {"ok": health.ok, "ready": health.ready, "checks": dict(health.checks)}
    return JSONResponse(body, 200 if good else 503, {"Cache-Control": "no-store"})
