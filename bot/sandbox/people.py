"""The sandbox's own door, /sandbox/…: what people and scripts use to see, to act, and to make trouble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox import names
from bot.sandbox.clicks import Clicks
from bot.sandbox.faults import BadRule, Faults
from bot.sandbox.hand import Act, CannotDo
from bot.sandbox.members import User
from bot.sandbox.names import Json
from bot.sandbox.screen import screen
from bot.sandbox.speech import Speech
from bot.sandbox.web import origin
from bot.sandbox.wire import Wire
from bot.sandbox.workspace import Workspace

HEARTBEAT = 15.0


class Door:
    def __init__(
        self, workspace: Workspace, clicks: Clicks, speech: Speech, wire: Wire, faults: Faults
    ) -> None:
        self._workspace = workspace
        self._acts: dict[str, Callable[[Act], Awaitable[Json]]] = {
            "click": clicks.click,
            "submit": clicks.submit,
            "close": clicks.close,
            "command": speech.command,
            "message": speech.message,
            "shortcut": speech.shortcut,
            "open_home": speech.open_home,
        }
        self._wire = wire
        self._faults = faults
        self.closing = asyncio.Event()
        self._refreshing: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        return [
            Route("/sandbox/state", self.state),
            Route("/sandbox/events", self.events),
            Route("/sandbox/journal", self.journal),
            Route("/sandbox/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/sandbox/channel", self.channel, methods=["POST"]),
            Route("/sandbox/user", self.user, methods=["POST"]),
            Route("/sandbox/usergroup", self.usergroup, methods=["POST"]),
            *(Route(f"/sandbox/{name}", self._act(name), methods=["POST"]) for name in self._acts),
        ]

    # -- looking -------------------------------------------------------------------------------------------

    async def state(self, request: Request) -> Response:
        try:
            user = self._person(request.query_params["user"]) if request.query_params.get("user") else None
        except CannotDo as refusal:
            return _refused(refusal)
        limit = request.query_params.get("limit", "")
        number = int(limit) if limit.isdigit() else None
        with self._workspace.lock:
            shown = self._faults.shown()
            return JSONResponse(screen(self._workspace, self._wire.connected, shown, user, number))

    async def events(self, _request: Request) -> Response:
        return StreamingResponse(
            self._revisions(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
        )

    async def _revisions(self) -> AsyncIterator[str]:
        """The revision now, and again at every change; a comment when nothing happens for long."""
        woken = asyncio.Event()
        self._workspace.watch(woken.set)
        try:
            while not self.closing.is_set():
                woken.clear()
                yield f"data: {json.dumps({'rev': self._workspace.rev})}\n\n"
                while not woken.is_set() and not self.closing.is_set():
                    try:
                        await asyncio.wait_for(woken.wait(), HEARTBEAT)
                    except TimeoutError:
                        yield ": still here\n\n"
        finally:
            self._workspace.unwatch(woken.set)

    async def journal(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        return JSONResponse({"entries": self._workspace.journal.since(int(since) if since.isdigit() else 0)})

    # -- acting --------------------------------------------------------------------------------------------

    def _act(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await _body(request)
                user = self._person(str(body.get("user", "")))
                self._workspace.journal.write("act", self._workspace.clock(), act=name, args=body)
                return JSONResponse(await self._acts[name](Act(user, body, origin(request))))
            except CannotDo as refusal:
                return _refused(refusal)

        return endpoint

    def _person(self, wanted: str) -> User:
        user = self._workspace.find_user(wanted)
        if user is None or user.id == names.BOT_USER:
            known = ", ".join(u.name for u in self._workspace.users.values() if not u.is_bot)
            raise CannotDo(f"there is no person {wanted!r}; there are {known}")
        return user

    # -- changing the workspace, making trouble ------------------------------------------------------------

    async def channel(self, request: Request) -> Response:
        try:
            body = await _body(request)
            people = [self._person(str(member)).id for member in body.get("members", ())]
        except CannotDo as refusal:
            return _refused(refusal)
        name = str(body.get("name", "")).removeprefix("#")
        if not name:
            return _refused(CannotDo("a channel needs a name"))
        w = self._workspace
        wanted = {"archived": "is_archived", "private": "is_private", "shared": "is_shared", "topic": "topic"}
        channel = w.add_channel(name, **{wanted[key]: body[key] for key in wanted if key in body})
        if "remove_bot" in body:
            (w.leave if body["remove_bot"] else w.join)(channel, names.BOT_USER)
        if "members" in body:
            bot = [names.BOT_USER] if names.BOT_USER in channel.members else []
            w.add_channel(channel.name, members=[*people, *bot])
        return JSONResponse({"ok": True, "channel": {"id": channel.id, **channel.kept()}})

    async def user(self, request: Request) -> Response:
        try:
            body = await _body(request)
        except CannotDo as refusal:
            return _refused(refusal)
        name = str(body.get("name", "")).removeprefix("@")
        if not name:
            return _refused(CannotDo("a person needs a name"))
        wanted = {
            "real_name": "real_name",
            "guest": "is_restricted",
            "deleted": "deleted",
            "team": "team_id",
            "tz": "tz",
            "dnd": "dnd",
        }
        user = self._workspace.add_user(name, **{wanted[key]: body[key] for key in wanted if key in body})
        return JSONResponse({"ok": True, "user": vars(user)})

    async def usergroup(self, request: Request) -> Response:
        try:
            body = await _body(request)
            members = [self._person(str(member)).id for member in body.get("members", [])]
        except CannotDo as refusal:
            return _refused(refusal)
        return JSONResponse({"ok": True, "id": self._workspace.set_group(str(body.get("name", "")), members)})

    async def faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._faults.clear()
        if request.method != "POST":
            return JSONResponse({"ok": True, **self._faults.shown()})
        try:
            body = await _body(request)
            self._faults.change(body)
        except (CannotDo, BadRule) as refusal:
            return _refused(refusal)
        await self._trouble_sockets(body)
        self._workspace.changed()
        return JSONResponse({"ok": True, **self._faults.shown()})

    async def _trouble_sockets(self, body: Json) -> None:
        """refresh_sockets: true (one after another), "all" (at once) or "warning"; cut_sockets: true."""
        how = body.get("refresh_sockets")
        if how == "warning":
            await self._wire.warn()
        elif how:
            task = asyncio.create_task(self._wire.refresh(all_at_once=how == "all"))
            self._refreshing.add(task)
            task.add_done_callback(self._refreshing.discard)
        if body.get("cut_sockets"):
            self._wire.cut()


async def _body(request: Request) -> Json:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise CannotDo("the body must be JSON") from None
    if not isinstance(body, dict):
        raise CannotDo("the body must be a JSON object")
    return body


def _refused(why: Exception) -> Response:
    return JSONResponse({"ok": False, "error": str(why)}, status_code=400)
