"""Rows as a CSV file that opens in a spreadsheet and does nothing there."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

# A spreadsheet takes a cell that begins so for a formula; full-width forms count for some of them.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # that is what they are


def sheet(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """UTF-8 with the mark by which Excel knows it; numbers stay numbers, text can never be a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return out.getvalue().encode("utf-8-sig", errors="replace")


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping() | list() | tuple():
            return _safe(json.dumps(value, ensure_ascii=False, default=str))
        case _:
            return _safe(str(value))


def _safe(text: str) -> str:
    text = text.replace("\x00", "")
    return f"'{text}" if text.lstrip(" \u00a0\u200b\ufeff").startswith(FORMULA) else text
