"""A Snowflake of one's own over HTTP: logins, statements that run and can be stopped, their history."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from fakesnow.instance import FakeSnow
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.snowflake import wire
from bot.demo.snowflake.executions import Execution, Executions
from bot.demo.snowflake.holds import Holds
from bot.demo.snowflake.refusals import NO_SUCH_QUERY, RESULT_GONE, Refusal
from bot.demo.snowflake.sessions import Session, Sessions
from bot.demo.snowflake.statements import Statements

HELD_S = 45.0  # so long a statement that was not submitted asynchronously is waited for
Handler = Callable[[Request], Awaitable[Response]]


class Server:
    """The routes. State lies in sessions, executions and the databases of `fake`."""

    def __init__(self, fake: FakeSnow, key: str = "") -> None:
        self.sessions = Sessions(fake, key)
        self.executions = Executions()
        self.holds = Holds()
        self.statements = Statements(self.sessions, self.executions, self.holds)

    def app(self) -> Starlette:
        routes: list[tuple[str, Handler, str]] = [
            ("/session/v1/login-request", self.login, "POST"),
            ("/session/token-request", self.renew, "POST"),
            ("/session", self.session, "POST"),
            ("/session/heartbeat", self.session, "POST"),
            ("/queries/v1/query-request", self.query, "POST"),
            ("/queries/v1/abort-request", self.abort_request, "POST"),
            ("/queries/{id}/abort-request", self.abort, "POST"),
            ("/queries/{id}/result", self.result, "GET"),
            ("/monitoring/queries/{id:path}", self.monitoring, "GET"),
            ("/telemetry/send", self.telemetry, "POST"),
            ("/local/chunks/{id}/{number:int}", self.chunk, "GET"),
            ("/local/history", self.history, "GET"),
            ("/local/hold", self.hold, "POST"),
            ("/local/forget", self.forget, "POST"),
        ]
        rest = Route("/{path:path}", _plain(self.unknown), methods=["GET", "POST", "PUT", "DELETE"])
        return Starlette(
            routes=[*(Route(path, _plain(how), methods=[verb]) for path, how, verb in routes), rest]
        )

    async def login(self, request: Request) -> Response:
        data = (await _body(request)).get("data") or {}
        named = request.query_params
        place = (named.get(name, "") for name in ("databaseName", "schemaName", "roleName", "warehouse"))
        session = self.sessions.login(data, *place)
        return wire.said(session.told)

    async def renew(self, request: Request) -> Response:
        session = self.sessions.renew(request.headers.get("Authorization", ""))
        told = session.told
        return wire.said(
            {
                "sessionToken": told["token"],
                "masterToken": told["masterToken"],
                "validityInSecondsST": told["validityInSeconds"],
                "validityInSecondsMT": told["masterValidityInSeconds"],
                "sessionId": told["sessionId"],
            }
        )

    async def session(self, request: Request) -> Response:
        session = self._session(request)
        if request.query_params.get("delete"):
            self.sessions.end(session)
        return wire.said()

    async def query(self, request: Request) -> Response:
        """Runs a statement; with `asyncExec` it answers at once, and the statement runs on."""
        session, body = self._session(request), await _body(request)
        one = await run_in_threadpool(self.statements.begin, session, body)
        if body.get("asyncExec"):
            return wire.submitted(one)
        await run_in_threadpool(one.over.wait, HELD_S)
        return wire.outcome(one, str(request.base_url))

    async def result(self, request: Request) -> Response:
        one = self._execution(request)
        await run_in_threadpool(one.over.wait, HELD_S)
        return wire.outcome(one, str(request.base_url))

    async def chunk(self, request: Request) -> Response:
        """A part of a result. As in Snowflake its address is the key to it."""
        one = self.executions.get(request.path_params["id"])
        if one is None or one.answer is None:
            raise RESULT_GONE
        return Response(
            one.answer.chunks[request.path_params["number"]][1], media_type="application/octet-stream"
        )

    async def monitoring(self, request: Request) -> Response:
        self._session(request)
        one = self.executions.get(request.path_params["id"].lstrip("/"))  # connector 5 sends two slashes
        if one is None:
            return wire.said({"queries": []})
        code = f"{one.refused.code:06d}" if one.refused else None
        said = one.refused.said if one.refused else None
        status = {"id": one.id, "status": one.status, "errorCode": code, "errorMessage": said}
        return wire.said({"queries": [status]})

    async def abort(self, request: Request) -> Response:
        one = self._execution(request)
        await run_in_threadpool(one.cancel)
        return wire.said()

    async def abort_request(self, request: Request) -> Response:
        """Of a statement by the id of its request: nobody here asks so."""
        self._session(request)
        raise Refusal(2, "Unsupported feature 'abort by request id'.", "0A000")

    async def telemetry(self, _: Request) -> Response:
        return wire.said("Log Received")

    async def history(self, _: Request) -> Response:
        """What ran, newest last. Not Snowflake's: for tests, which need no login."""
        return JSONResponse(self.executions.history())

    async def hold(self, request: Request) -> Response:
        """`{"text": …}`: statements whose tag or text has it in them wait, as in a queue; `{}`: all go on."""
        self.holds.text = str((await _body(request)).get("text", ""))
        return wire.said()

    async def forget(self, _: Request) -> Response:
        """All sessions are gone, as when a server is started again."""
        return wire.said({"sessions": self.sessions.forget()})

    async def unknown(self, request: Request) -> Response:
        """What Snowflake answers and the local server does not: said, never guessed."""
        said = f"the local server has no {request.method} {request.url.path}"
        print(said, await request.body(), file=sys.stderr)
        return wire.refused(Refusal(2, said, "0A000"), status=404)

    def _session(self, request: Request) -> Session:
        return self.sessions.of(request.headers.get("Authorization", ""))

    def _execution(self, request: Request) -> Execution:
        self._session(request)
        one = self.executions.get(request.path_params["id"])
        if one is None:
            raise NO_SUCH_QUERY
        return one


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body or b"{}")
    return found


def _plain(handler: Handler) -> Handler:
    """A refusal is an answer like any other."""

    async def handled(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as why:
            return wire.refused(why)

    return handled
