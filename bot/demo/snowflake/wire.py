"""Answers as the connector reads them. Results go out whole, as Arrow."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from fakesnow.arrow import to_ipc, to_sf
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.rowtype import describe_as_rowtype
from starlette.responses import JSONResponse

from bot.demo.snowflake.executions import Answer, Execution
from bot.demo.snowflake.refusals import RESULT_GONE, Refusal

RUNNING = "333334"
AT_ONCE, CHUNK = 1000, 5000  # rows in an answer, and in each chunk of the rest
HEAD = {
    "parameters": [{"name": "TIMEZONE", "value": "UTC"}],
    "queryResultFormat": "arrow",
    "statementTypeId": 4096,
}


def said(data: Any = None, code: str | None = None, message: str | None = None) -> JSONResponse:
    return JSONResponse({"data": data, "code": code, "message": message, "success": True})


def refused(why: Refusal, query_id: str = "", status: int = 200) -> JSONResponse:
    code = f"{why.code:06d}"
    data = {"errorCode": code, "sqlState": why.state, "queryId": query_id or None}
    return JSONResponse({"data": data, "code": code, "message": why.said, "success": False}, status)


def submitted(one: Execution) -> JSONResponse:
    """It runs: ask again under `getResultUrl`."""
    data = {"queryId": one.id, "getResultUrl": f"/queries/{one.id}/result", "queryAbortsAfterSecs": 300}
    return said(data, RUNNING, "Query execution in progress. Asynchronous execution in progress.")


def outcome(one: Execution, base: str) -> JSONResponse:
    """Its result, or why there is none; while it runs, that it does. `base`: where the rest is fetched."""
    if not one.over.is_set():
        return submitted(one)
    if one.refused:
        return refused(one.refused, one.id)
    if one.answer is None:
        return refused(RESULT_GONE, one.id)
    chunks = [
        {"url": f"{base}local/chunks/{one.id}/{n}", "rowCount": rows, **_sizes(data)}
        for n, (rows, data) in enumerate(one.answer.chunks)
    ]
    return said({**one.answer.head, "queryId": one.id, "chunks": chunks, "chunkHeaders": {}})


def _sizes(data: bytes) -> dict[str, int]:
    return {"uncompressedSize": len(data), "compressedSize": len(data)}


def answer(cursor: FakeSnowflakeCursor) -> Answer:
    """The result of what the cursor has run: its first rows at once, the rest in chunks."""
    table, rowtype = cursor._arrow_table, describe_as_rowtype(cursor._describe_last_sql())
    if table is None:
        return Answer({"rowtype": rowtype, "rowsetBase64": "", **HEAD, "total": 0, "returned": 0})
    whole, starts = to_sf(table, rowtype), range(AT_ONCE, table.num_rows, CHUNK)
    first = b64encode(to_ipc(whole.slice(0, AT_ONCE))).decode()
    parts = [whole.slice(start, CHUNK) for start in starts]
    head = {
        "rowtype": rowtype,
        "rowsetBase64": first,
        **HEAD,
        "total": table.num_rows,
        "returned": table.num_rows,
    }
    return Answer(head, tuple((part.num_rows, to_ipc(part).to_pybytes()) for part in parts))
