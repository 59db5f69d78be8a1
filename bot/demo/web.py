"""HTTP: the admin site that agents open from an alert, and the risk service that jobs call. Local only."""

from __future__ import annotations

import json
import time
import uuid

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.demo import pages, publish, risk
from bot.demo.market import Market

GUARDED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
LONGEST_BODY = 20_000


class Mistake(Exception):
    """The request cannot be done; the text says why and what would be right."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


def app(market: Market, address: str) -> Starlette:
    """The whole application; `address` is where people reach it, for links."""

    async def home(_request: Request) -> Response:
        return _page(await run_in_threadpool(pages.home, market))

    async def page(request: Request) -> Response:
        kind, thing = request.path_params["kind"], request.path_params["id"]
        make = pages.PAGES.get(kind)
        found = await run_in_threadpool(make, market, thing) if make else None
        return _page(found) if found else _page(pages.missing(f"{kind}/{thing}"), 404)

    async def person(request: Request) -> Response:
        who = request.path_params["id"]
        return RedirectResponse(f"/{'sellers' if who.startswith('s_') else 'buyers'}/{who}")

    async def rescore(request: Request) -> Response:
        seller_id, _name, _body = await _seller(market, request)
        now = time.time()
        troubled = await run_in_threadpool(_troubled, market, seller_id)
        run = risk.start(market.folder, _key(request), seller_id, troubled=troubled, now=now)
        return JSONResponse(_told(run, address, now), status_code=202)

    async def train(request: Request) -> Response:
        now = time.time()
        run = await run_in_threadpool(risk.train, market.folder, _key(request), now=now)
        return JSONResponse(_told(run, address, now), status_code=202)

    async def notice(request: Request) -> Response:
        seller_id, name, body = await _seller(market, request)
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise Mistake(422, "text is missing: what the seller is to be told")
        number = risk.notify(market.folder, _key(request), seller_id, text[:2000])
        link = f"{address}/sellers/{seller_id}"
        return JSONResponse(
            {"id": str(number), "message": f"{name} has the notice in the inbox", "link": link}
        )

    async def health(_request: Request) -> Response:
        current = publish.current(market.folder)
        return JSONResponse({"ok": current is not None, "version": current.name if current else None})

    return Starlette(
        routes=[
            Route("/", home),
            Route("/healthz", health),
            Route("/people/{id}", person),
            Route("/rescore", rescore, methods=["POST"]),
            Route("/train", train, methods=["POST"]),
            *_runs(market, address),
            Route("/notices", notice, methods=["POST"]),
            Route("/{kind}/{id}", page),
        ],
        exception_handlers={Mistake: _mistake},
    )


def _runs(market: Market, address: str) -> list[Route]:
    """How far a run is, its log, and its end before its time."""

    def there(found: risk.RiskRun | None) -> risk.RiskRun:
        if found is None:
            raise Mistake(404, "there is no such run")
        return found

    async def run(request: Request) -> Response:
        found = there(risk.find(market.folder, request.path_params["id"]))
        return JSONResponse(_told(found, address, time.time()))

    async def stop(request: Request) -> Response:
        now = time.time()
        found = await run_in_threadpool(risk.cancel, market.folder, request.path_params["id"], now)
        return JSONResponse(_told(there(found), address, now), status_code=202)

    async def log(request: Request) -> Response:
        found = there(risk.find(market.folder, request.path_params["id"]))
        return PlainTextResponse(found.log(time.time()))

    return [
        Route("/runs/{id:int}", run),
        Route("/runs/{id:int}/cancel", stop, methods=["POST"]),
        Route("/runs/{id:int}/log", log),
    ]


async def _seller(market: Market, request: Request) -> tuple[str, str, dict[str, object]]:
    """The seller that the request is about, the shop's name, and the whole body."""
    raw = await request.body()
    try:
        body = json.loads(raw[: LONGEST_BODY + 1])
    except ValueError:
        raise Mistake(400, "the body must be a JSON object such as {'seller_id': 's_1'}") from None
    seller_id = body.get("seller_id") if isinstance(body, dict) else None
    if not isinstance(seller_id, str):
        raise Mistake(422, "seller_id is missing, such as s_1")
    found = await run_in_threadpool(
        market.read, "SELECT display_name FROM core.sellers WHERE seller_id = ?", [seller_id]
    )
    if not found:
        raise Mistake(404, f"there is no seller {seller_id[:40]}")
    return seller_id, found[0][0], body


def _troubled(market: Market, seller_id: str) -> bool:
    sql = "SELECT count(*) FROM market.planted WHERE key = ?"
    return bool(market.read(sql, [json.dumps({"seller_id": seller_id})])[0][0])


def _told(run: risk.RiskRun, address: str, now: float) -> dict[str, str]:
    return {
        "id": str(run.id),
        "state": run.state(now),
        "message": run.message(now),
        "link": f"{address}/" if run.trains else f"{address}/sellers/{run.seller_id}",
    }


def _key(request: Request) -> str:
    return request.headers.get("Idempotency-Key") or str(uuid.uuid4())


def _page(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status_code=status, headers=GUARDED)


async def _mistake(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Mistake)
    return JSONResponse({"error": error.said}, status_code=error.status)
