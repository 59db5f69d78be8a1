"""The values of a statement, as they come over the wire, for its marks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from fakesnow.converter import from_binding

from bot.demo.snowflake.refusals import Refusal

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of times without a zone
TOKEN = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$|/\*.*?\*/|(?:--|//)[^\n]*|(?P<mark>\?)", re.DOTALL
)
Bindings = dict[str, dict[str, Any]]


def bound(sql: str, bindings: Bindings | None) -> tuple[str, dict[str, Any] | None]:
    """The SQL with a name for each mark, and the values by name.

    Named, since fakesnow may write a part of a statement twice, which upsets the order of marks. Raises
    Refusal for batches (a list for one mark), and where marks and values are not as many.
    """
    values = [_value(one) for _, one in sorted((bindings or {}).items(), key=lambda item: int(item[0]))]
    count = 0

    def name(found: re.Match[str]) -> str:
        nonlocal count
        if not found["mark"]:
            return found[0]
        count += 1
        return f":bind_{count}"

    named = TOKEN.sub(name, sql)
    if count != len(values):
        raise Refusal(2049, f"{count} bind variables in the statement, {len(values)} set.", "42601")
    return named, {f"bind_{n}": value for n, value in enumerate(values, start=1)} or None


def _value(one: dict[str, Any]) -> Any:
    if isinstance(one["value"], list):
        raise Refusal(2, "Unsupported feature 'array bind'.", "0A000")
    if one["value"] is None:
        return None
    if one["type"] == "REAL":
        return float(one["value"])
    if one["type"] == "TIMESTAMP_NTZ":  # epoch nanoseconds
        return EPOCH + timedelta(microseconds=int(one["value"]) // 1000)
    return from_binding(one)
