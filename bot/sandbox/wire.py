"""Socket Mode: up to ten connections of one app, each payload to one of them in turn, acks by envelope id."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox import names
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

MOST_CONNECTIONS = 10
CLOSE_AFTER_REFRESH = 1.0
# Both times 50 ms: as long as the deadline of an ack, and as the SDK may take to come back.
PATIENCE = 60
REFRESH_PATIENCE = 400


@dataclass(frozen=True)
class Ack:
    """`ms` is the time to the ack; `failed` why there was none: no_connection, timeout or (HTTP) error."""

    ms: float | None = None
    payload: Json | None = None
    failed: str | None = None

    @property
    def acked(self) -> bool:
        return self.failed is None


class Connection:
    def __init__(self, number: int, socket: WebSocket) -> None:
        self.number = number
        self.draining = False
        self.unanswered = 0
        self._socket = socket

    async def send(self, message: Json) -> None:
        await self._socket.send_text(json.dumps(message))

    async def close(self) -> None:
        await self._socket.close(1000)

    def cut(self) -> None:
        """Ends the TCP connection without a close frame."""
        self._socket.scope["state"]["transport"].abort()

    async def received(self) -> Json | None:
        """The next message of the app, or None when it is gone."""
        try:
            read = json.loads(await self._socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            return None
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


class Wire:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._open: list[Connection] = []
        self._turn = 0
        self._numbers = 0
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}

    @property
    def connected(self) -> int:
        return len(self._open)

    async def serve(self, socket: WebSocket) -> None:
        """One connection from its hello to its end."""
        if not self._workspace.use_ticket(socket.query_params.get("ticket", "")):
            await socket.close(4001)
            return
        await socket.accept()
        self._numbers += 1
        connection = Connection(self._numbers, socket)
        if len(self._open) >= MOST_CONNECTIONS:
            await connection.send(self._disconnect("too_many_websockets"))
            await connection.close()
            return
        self._open.append(connection)
        self._note("opened", connection)
        try:
            await connection.send(self._hello())
            while (message := await connection.received()) is not None:
                self._take(message, connection)
        finally:
            self._open.remove(connection)
            self._note("closed", connection)

    async def deliver(self, envelope: Json, deadline: float) -> Ack:
        """Sends to the next connection in turn and waits for the ack."""
        connection = self._next()
        if connection is None:
            return Ack(failed="no_connection")
        key = envelope["envelope_id"]
        answer: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        began = time.perf_counter()
        connection.unanswered += 1
        try:
            await connection.send(envelope)
            payload = await asyncio.wait_for(answer, deadline)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return Ack(failed="timeout")
        finally:
            connection.unanswered -= 1
            self._waiting.pop(key, None)
        return Ack(ms=round((time.perf_counter() - began) * 1000, 2), payload=payload)

    async def refresh(self, all_at_once: bool = False) -> None:
        """Tells each connection to come back on a new one, then closes it.

        As on Slack their lives end at different times: the next one's only when the app is back to as many
        connections as it had, unless `all_at_once`.
        """
        before = tuple(self._open)
        for connection in before:
            await self._refresh(connection)
            for _ in range(0 if all_at_once else REFRESH_PATIENCE):
                if len([c for c in self._open if not c.draining]) >= len(before):
                    break
                await asyncio.sleep(0.05)

    async def warn(self) -> None:
        """Says that the end of every connection is near, and ends none."""
        for connection in tuple(self._open):
            await connection.send(self._disconnect("warning"))
            self._note("warning", connection)

    async def _refresh(self, connection: Connection) -> None:
        """First nothing new is given to it, then what it holds is answered, then it is told to go."""
        if connection not in self._open:
            return
        connection.draining = True
        for _ in range(PATIENCE):
            if not connection.unanswered:
                break
            await asyncio.sleep(0.05)
        await connection.send(self._disconnect("refresh_requested"))
        self._note("refresh_requested", connection)
        asyncio.get_running_loop().call_later(CLOSE_AFTER_REFRESH, self._close_later, connection)

    def cut(self) -> None:
        for connection in tuple(self._open):
            self._note("cut", connection)
            connection.cut()

    # -- inside --------------------------------------------------------------------------------------------

    def _next(self) -> Connection | None:
        ready = [c for c in self._open if not c.draining] or self._open
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    def _take(self, message: Json, connection: Connection) -> None:
        key = str(message.get("envelope_id", ""))
        waiting = self._waiting.get(key)
        if waiting is not None and not waiting.done():
            waiting.set_result(message.get("payload"))
        else:
            self._note("late_ack" if key else "ignored", connection, envelope_id=key)

    def _close_later(self, connection: Connection) -> None:
        if connection in self._open:
            task = asyncio.ensure_future(connection.close())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _hello(self) -> Json:
        debug = {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060}
        return {"type": "hello", **self._about(), "debug_info": debug}

    def _disconnect(self, reason: str) -> Json:
        debug = {"host": "applink-sandbox"}
        return {"type": "disconnect", "reason": reason, **self._about(), "debug_info": debug}

    def _about(self) -> Json:
        return {"num_connections": len(self._open), "connection_info": {"app_id": names.APP_ID}}

    def _note(self, what: str, connection: Connection, **more: Any) -> None:
        details: Json = {"event": what, "connection": connection.number, "connected": len(self._open), **more}
        self._workspace.journal.write("socket", self._workspace.clock(), **details)
        self._workspace.changed()


def envelope(kind: str, payload: Json, accepts: bool, retry: tuple[int, str] | None) -> Json:
    """Around a payload; the retry keys stand only on events."""
    around: Json = {"envelope_id": str(uuid.uuid4()), "payload": payload, "type": kind}
    around["accepts_response_payload"] = accepts
    if retry is not None:
        around |= {"retry_attempt": retry[0], "retry_reason": retry[1]}
    return around
