"""Bringing a payload to the app, by Socket Mode or signed HTTP, in three seconds; events again if need be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.sandbox import names
from bot.sandbox.faults import Faults
from bot.sandbox.names import Json
from bot.sandbox.wire import Ack, Wire, envelope
from bot.sandbox.workspace import Workspace

RETRY_AFTER = (0.0, 60.0, 300.0)


@dataclass(frozen=True)
class Pace:
    """`deadline` is the time to ack; `scale` shortens the waits between redeliveries (1 = as Slack)."""

    deadline: float = 3.0
    scale: float = 1.0


class Delivery:
    """`request_url` chooses signed HTTP instead of Socket Mode."""

    def __init__(
        self, workspace: Workspace, wire: Wire, faults: Faults, pace: Pace, request_url: str | None = None
    ) -> None:
        self._workspace = workspace
        self._wire = wire
        self._faults = faults
        self._pace = pace
        self._request_url = request_url
        # made once, since making one takes tens of ms; a connection for each request, as from many senders
        self._http = (
            httpx.AsyncClient(
                timeout=pace.deadline, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
            )
            if request_url
            else None
        )
        self._tasks: set[asyncio.Task[Any]] = set()

    async def command(self, payload: Json) -> Ack:
        return await self._once("slash_commands", payload, accepts=True)

    async def interactive(self, payload: Json) -> Ack:
        return await self._once("interactive", payload, accepts=payload["type"] == "view_submission")

    async def event(self, payload: Json) -> Ack:
        """The first attempt; when it fails the others follow by themselves."""
        ack = await self._once("events_api", payload, accepts=False, retry=(0, ""))
        if not ack.acked:
            self._later(self._again(payload, ack.failed or ""))
        return ack

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    # -- inside --------------------------------------------------------------------------------------------

    async def _again(self, payload: Json, reason: str) -> None:
        for attempt, wait in enumerate(RETRY_AFTER, start=1):
            await asyncio.sleep(wait * self._pace.scale)
            why = "timeout" if reason in ("no_connection", "timeout") else reason
            ack = await self._once("events_api", payload, accepts=False, retry=(attempt, why))
            if ack.acked:
                return

    async def _once(
        self, kind: str, payload: Json, accepts: bool, retry: tuple[int, str] | None = None
    ) -> Ack:
        what = payload["event"]["type"] if "event" in payload else payload.get("type", payload.get("command"))
        rule = self._faults.strike_delivery(kind)
        if rule and rule.fault == "duplicate":
            self._later(self._send(kind, payload, accepts, retry))
        ack = (
            Ack(failed="timeout")
            if rule and rule.fault == "lose"
            else await self._send(kind, payload, accepts, retry)
        )
        if rule and rule.fault == "lose_ack":
            ack = Ack(failed="timeout")
        self._write(kind, str(what), payload, ack, retry, rule.fault if rule else None)
        return ack

    async def _send(self, kind: str, payload: Json, accepts: bool, retry: tuple[int, str] | None) -> Ack:
        if self._request_url and self._http:
            return await self._post(self._http, self._request_url, kind, payload, retry)
        return await self._wire.deliver(envelope(kind, payload, accepts, retry), self._pace.deadline)

    async def _post(
        self, client: httpx.AsyncClient, url: str, kind: str, payload: Json, retry: tuple[int, str] | None
    ) -> Ack:
        body, headers = signed(kind, payload, int(self._workspace.clock()))
        if retry and retry[0]:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": f"http_{retry[1]}"}
        began = time.perf_counter()
        try:
            answer = await client.post(url, content=body, headers=headers)
        except httpx.TimeoutException:
            return Ack(failed="timeout")
        except httpx.HTTPError:
            return Ack(failed="no_connection")
        if answer.status_code != 200:
            return Ack(failed="error")
        return Ack(ms=round((time.perf_counter() - began) * 1000, 2), payload=_read(answer))

    def _later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _write(
        self, kind: str, what: str, payload: Json, ack: Ack, retry: tuple[int, str] | None, fault: str | None
    ) -> None:
        details: Json = {"envelope": kind, "type": what, "acked": ack.acked, "ack_ms": ack.ms}
        details |= {"failed": ack.failed, "attempt": retry[0] if retry else 0, "fault": fault}
        details |= {"event_id": payload.get("event_id")}
        self._workspace.journal.write("delivered", self._workspace.clock(), **details)


def signed(kind: str, payload: Json, at: int) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request as Slack signs it (v0, over the raw body)."""
    if kind == "events_api":
        body, content = json.dumps(payload), "application/json"
    else:
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        body, content = urlencode(fields), "application/x-www-form-urlencoded"
    raw = f"v0:{at}:{body}".encode()
    digest = hmac.new(names.SIGNING_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"Content-Type": content, "X-Slack-Request-Timestamp": str(at)}
    return body.encode(), {**headers, "X-Slack-Signature": f"v0={digest}"}


def _read(answer: httpx.Response) -> Json | None:
    if not answer.content:
        return None
    try:
        read = answer.json()
    except ValueError:
        return {"text": answer.text}
    return read if isinstance(read, dict) else None
