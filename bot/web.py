"""Health and figures over HTTP, for probes, Prometheus and people. Read only: nothing can be done here."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError


@dataclass(frozen=True)
class Health:
    """`ok`: the process is sound, and a restart would mend nothing. `ready`: it does its whole work just now.

    `checks` says of each part how it is, in a sentence.
    """

    ok: bool
    ready: bool
    checks: Mapping[str, str]


def app(health: Callable[[], Health], registry: CollectorRegistry) -> Starlette:
    """`/healthz`, `/readyz` and `/metrics`. `health` is called in a thread and may ask the store."""

    def healthz(_: Request) -> Response:
        found = _asked(health)
        return _told(found.ok, found)

    def readyz(_: Request) -> Response:
        found = _asked(health)
        return _told(found.ok and found.ready, found)

    def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    )


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
