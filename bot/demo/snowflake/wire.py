"""Answers as the connector reads them. Results go out whole, as Arrow."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from fakesnow.arrow import to_ipc, to_sf
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.rowtype import describe_as_rowtype
from starlette.responses import JSONResponse

from bot.demo.snowflake.executions import Execution
from bot.demo.snowflake.refusals import Refusal

RUNNING = "333334"


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


def outcome(one: Execution) -> JSONResponse:
    """Its result, or why there is none; while it runs, that it does."""
    if not one.over.is_set():
        return submitted(one)
    if one.refused:
        return refused(one.refused, one.id)
    return said({**one.answer, "queryId": one.id})


def answer(cursor: FakeSnowflakeCursor) -> dict[str, Any]:
    """The result of what the cursor has run."""
    table, rowtype = cursor._arrow_table, describe_as_rowtype(cursor._describe_last_sql())
    rows = b64encode(to_ipc(to_sf(table, rowtype))).decode() if table is not None else ""
    return {
        "parameters": [{"name": "TIMEZONE", "value": "UTC"}],
        "rowtype": rowtype,
        "rowsetBase64": rows,
        "queryResultFormat": "arrow",
        "total": table.num_rows if table is not None else 0,
        "returned": table.num_rows if table is not None else 0,
        "statementTypeId": 4096,
    }
