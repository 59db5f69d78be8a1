"""The door /api/METHOD: reads a call, applies faults, token, scope and limits, runs it, records it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bot.sandbox import names
from bot.sandbox.call import Call, SlackError
from bot.sandbox.faults import Faults, Rule
from bot.sandbox.limits import Limits
from bot.sandbox.methods import METHODS, Method
from bot.sandbox.methods.table import require
from bot.sandbox.names import Json
from bot.sandbox.workspace import Workspace

# Granted, too, where no manifest was given: those that no single method names.
UNASKED = {f"{kind}:{what}" for kind in ("channels", "groups", "im") for what in ("history", "read")}
UNASKED |= {"app_mentions:read", "commands"}
TOKENS = {names.BOT_TOKEN, names.APP_TOKEN}
CHANNEL_ARGUMENTS = ("channel", "channel_id", "channels", "users", "user_id")


@dataclass(frozen=True)
class Outcome:
    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


class Hangup(Response):
    """Closes the TCP connection without a byte of answer; with `reset`, by a RST."""

    def __init__(self, reset: bool = False) -> None:
        super().__init__()
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        sock = transport.get_extra_info("socket")
        if self._reset and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class WebApi:
    """Calls of the Web API against one workspace."""

    def __init__(self, workspace: Workspace, faults: Faults, limits: Limits) -> None:
        self._workspace = workspace
        self._faults = faults
        self._limits = limits
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, request: Request) -> Response:
        name = request.path_params["method"]
        try:
            args = await read_arguments(request)
        except SlackError as error:
            return JSONResponse(error.answer())
        except ClientDisconnect:  # whoever called is gone: nobody reads an answer
            return Response(status_code=400)
        token = _token(request, args)
        call = Call(name, args, token, self._workspace.clock(), origin(request))
        rule = self._faults.strike(name, *self._channels(call))
        response = await self._with_fault(call, rule) if rule else respond(self._run(call))
        response.headers.update(self._scopes(name))
        return response

    def _scopes(self, name: str) -> dict[str, str]:
        """The headers by which Slack says what the app may do, and what this method needs."""
        method = METHODS.get(name)
        granted = self._workspace.app.scopes
        every = {known.scope for known in METHODS.values() if known.scope} | UNASKED
        accepted = method.scope if method and method.scope else ""
        listed = ",".join(sorted(every if granted is None else granted))
        return {"x-oauth-scopes": listed, "x-accepted-oauth-scopes": accepted}

    def _channels(self, call: Call) -> tuple[str, ...]:
        """Id and name of the channel that a call is about, so that a fault may name either."""
        wanted = next((call.text(key) for key in CHANNEL_ARGUMENTS if call.text(key)), "")
        channel = self._workspace.find_channel(wanted)
        return (wanted, channel.id, channel.name) if channel else (wanted,)

    async def _with_fault(self, call: Call, rule: Rule) -> Response:
        fault = rule.fault
        if fault == "slow":
            await asyncio.sleep(rule.seconds)
            return respond(self._run(call, fault))
        if fault == "store_then_drop":
            self._run(call, fault)
            return Hangup()
        if fault == "store_then_500":
            self._run(call, fault)
            return respond(Outcome(500, {"ok": False, "error": "internal_error"}))
        if fault == "drop_then_store_late":
            self._write(call, Outcome(0, {}), "drop_then_store_late")
            task = asyncio.create_task(self._run_late(call, rule.seconds))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return Hangup()
        if fault in ("reset", "drop"):
            self._write(call, Outcome(0, {}), fault)
            return Hangup(reset=fault == "reset")
        outcome = refusal(rule)
        self._write(call, outcome, fault)
        return respond(outcome)

    async def _run_late(self, call: Call, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._run(call, "stored_late")

    def _run(self, call: Call, fault: str | None = None) -> Outcome:
        with self._workspace.lock:
            outcome = self._answer(call)
        self._write(call, outcome, fault)
        return outcome

    def _answer(self, call: Call) -> Outcome:
        method = METHODS.get(call.method)
        try:
            if method is None:
                raise SlackError("unknown_method", req_method=call.method)
            if call.method != "api.test":
                self._admit(method, call)
            wait = self._waits(method, call)
            if wait:
                return Outcome(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)})
            return Outcome(200, method.run(self._workspace, call))
        except SlackError as error:
            return Outcome(200, error.answer())

    def _admit(self, method: Method, call: Call) -> None:
        if not call.token:
            raise SlackError("not_authed")
        if call.token not in TOKENS:
            raise SlackError("invalid_auth")
        if method.app_token != (call.token == names.APP_TOKEN):
            raise SlackError("not_allowed_token_type")
        if method.scope:
            require(self._workspace, method.scope)

    def _waits(self, method: Method, call: Call) -> int | None:
        wait = self._limits.method(method.name, call.at)
        if wait is None and method.posts and call.text(method.posts):
            known = self._workspace.find_channel(call.text(method.posts))
            wait = self._limits.post(known.id if known else call.text(method.posts), call.at)
        return wait

    def _write(self, call: Call, outcome: Outcome, fault: str | None) -> None:
        body = outcome.body
        details: Json = {"method": call.method, "args": call.args, "status": outcome.status}
        details |= {"ok": bool(body.get("ok")), "fault": fault}
        details |= {key: body[key] for key in ("error", "ts") if key in body}
        self._workspace.journal.write("api", self._workspace.clock(), **details)


def respond(outcome: Outcome) -> Response:
    return JSONResponse(outcome.body, outcome.status, headers=outcome.headers)


def refusal(rule: Rule) -> Outcome:
    """429, a 5xx, or Slack's own error under status 200."""
    if rule.fault == "429":
        body: Json = {"ok": False, "error": "ratelimited"}
        return Outcome(429, body, {"Retry-After": str(rule.retry_after)})
    if rule.fault.startswith("error:"):
        return Outcome(200, {"ok": False, "error": rule.fault.removeprefix("error:")})
    status = int(rule.fault) if rule.fault.isdigit() else 500
    return Outcome(status, {"ok": False, "error": "internal_error"})


def origin(request: Request) -> str:
    """The address under which the caller reached us, without a slash at its end."""
    return str(request.base_url).rstrip("/")


def _token(request: Request, args: Json) -> str:
    """From the header or the `token` argument, which is taken out of the arguments."""
    in_args = args.pop("token", "")
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else str(in_args or "")


async def read_arguments(request: Request) -> Json:
    """Query, form and JSON bodies as one mapping; Slack's errors for what cannot be read."""
    args: Json = dict(request.query_params)
    raw = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not raw:
        return args
    if kind == "application/json":
        return {**args, **_json_object(raw)}
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        raise SlackError("invalid_form_data") from None
    return {**args, **dict(pairs)}


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body
