"""Addresses that the sandbox hands out: response_url, upload and file links; and the page."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.sandbox import outgoing
from bot.sandbox.call import SlackError
from bot.sandbox.faults import Faults
from bot.sandbox.limits import Limits
from bot.sandbox.names import Json
from bot.sandbox.replies import ResponseUrl
from bot.sandbox.web import Hangup, Outcome, read_arguments, refusal, respond
from bot.sandbox.workspace import PICTURES, Workspace, kind_of_content

PAGE = Path(__file__).parent / "page"
MARK = re.compile(r"p(\d{10})(\d{6})")


class Links:
    def __init__(self, workspace: Workspace, faults: Faults, limits: Limits) -> None:
        self._workspace = workspace
        self._faults = faults
        self._limits = limits

    def routes(self) -> list[Route]:
        return [
            Route("/response/{key}", self.response_url, methods=["POST"]),
            Route("/upload/{key}", self.upload, methods=["POST", "PUT"]),
            Route("/files/{key}/{name}", self.file),
            Route("/archives/{channel}", self.permalink),
            Route("/archives/{channel}/{mark}", self.permalink),
        ]

    async def response_url(self, request: Request) -> Response:
        w = self._workspace
        target = w.response_urls.find(request.path_params["key"])
        if target is None:
            return JSONResponse({"ok": False, "error": "invalid_url"}, 404)
        try:
            body = await read_arguments(request)
        except SlackError as error:
            return JSONResponse(error.answer(), 400)
        channel = w.channels[target.channel]
        rule = self._faults.strike("response_url", channel.id, channel.name)
        fault = rule.fault if rule else None
        if rule and fault == "slow":
            await asyncio.sleep(rule.seconds)
        if rule is None or fault in ("slow", "store_then_drop"):
            outcome = self._responded(target, body)
        else:
            outcome = Outcome(0, {}) if fault in ("drop", "reset") else refusal(rule)
        self._write(body, outcome, fault)
        if fault in ("drop", "reset", "store_then_drop"):
            return Hangup(reset=fault == "reset")
        return PlainTextResponse("ok") if outcome.body.get("ok") else respond(outcome)

    def _responded(self, target: ResponseUrl, body: Json) -> Outcome:
        w = self._workspace
        refused = target.refusal(w.clock())
        if refused:
            return Outcome(404, {"ok": False, "error": refused})
        to_all = body.get("response_type") == "in_channel"
        wait = self._limits.post(target.channel, w.clock()) if to_all else None
        if wait:
            return Outcome(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)})
        target.used += 1
        try:
            with w.lock:
                outgoing.respond(w, target, body)
        except SlackError as error:
            return Outcome(400, error.answer())
        return Outcome(200, {"ok": True})

    def _write(self, body: Json, outcome: Outcome, fault: str | None) -> None:
        details: Json = {"method": "response_url", "args": body, "status": outcome.status, "fault": fault}
        details |= {"ok": bool(outcome.body.get("ok"))}
        details |= {"error": outcome.body["error"]} if "error" in outcome.body else {}
        self._workspace.journal.write("api", self._workspace.clock(), **details)

    async def upload(self, request: Request) -> Response:
        w = self._workspace
        file = w.files.get(request.path_params["key"])
        if file is None:
            return PlainTextResponse("file not found", 404)
        content = await request.body()
        if len(content) != file["expected"]:
            return PlainTextResponse("the length differs from what was announced", 400)
        rule = self._faults.strike("upload")
        fault = rule.fault if rule else ""
        if rule and not fault.startswith("store_"):
            return Hangup(reset=fault == "reset") if fault in ("drop", "reset") else respond(refusal(rule))
        w.store_content(file["id"], content)
        file |= {"size": len(content), "state": "uploaded"}
        w.keep("file", file["id"], file)
        return Hangup() if fault else PlainTextResponse(f"OK - {len(content)}")

    async def file(self, request: Request) -> Response:
        content = self._workspace.contents.get(request.path_params["key"])
        if content is None:
            return PlainTextResponse("there is no such file", 404)
        kind = kind_of_content(content)
        shown = kind if kind in PICTURES else "text/plain; charset=utf-8"
        return Response(content, media_type=shown, headers={"X-Content-Type-Options": "nosniff"})

    async def permalink(self, request: Request) -> Response:
        """Leads to the page at this channel and message, which the page calls #CHANNEL/THREAD/MESSAGE."""
        channel = self._workspace.find_channel(request.path_params["channel"])
        mark = MARK.fullmatch(request.path_params.get("mark", ""))
        if channel is None or (mark is None and "mark" in request.path_params):
            return PlainTextResponse("There is no such channel or message here.", 404)
        ts = ".".join(mark.groups()) if mark else ""
        thread = channel.messages.get(ts, {}).get("thread_ts", ts)
        place = "/".join([channel.id, "" if thread == ts else thread, ts]).rstrip("/")
        acting = urlencode([("as", name) for name in request.query_params.getlist("as")[:1]])
        return RedirectResponse(f"{'/?' if acting else '/'}{acting}#{place}")


async def _page(_request: Request) -> Response:
    index = PAGE / "index.html"
    return FileResponse(index) if index.exists() else PlainTextResponse("The page is not here.", 404)


def page_routes() -> list[Route | Mount]:
    static = [Mount("/static", StaticFiles(directory=PAGE))] if PAGE.is_dir() else []
    return [Route("/", _page), *static]


class SameOrigin:
    """Refuses what a page of another site sends: a stranger's page in the same browser must not act here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin and urlsplit(origin).netloc != headers.get("host"):
            refused = JSONResponse({"ok": False, "error": "not from this page"}, 403)
            await refused(scope, receive, send)
        else:
            await self._app(scope, receive, send)
