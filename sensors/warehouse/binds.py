"""SQL with `:name` as a driver takes it: one SELECT; what stands in texts, names and comments is no bind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sensors.warehouse import WarehouseError

TEXTS = {False: r"'[^']*'", True: r"'(?:[^'\\]|\\.)*'"}  # a doubled quote is two texts side by side
COMMENT = r"/\*.*?\*/"
BIND = r"(?<![:\w]):(?P<name>[A-Za-z_]\w*) | (?P<more>;\s*(?=\S))"
OPENING = re.compile(rf"(?:\s|\(|--[^\n]*\n|{COMMENT})*(\w+)", re.DOTALL)
READS = ("select", "with", "from", "values", "table")
ONE = "only one SELECT may be run"


def lexis(*parts: str, backslashes: bool) -> re.Pattern[str]:
    """What is looked at as a whole: texts, comments, the parts that a dialect has besides, binds, and any
    other colon. `backslashes`: whether one in a text keeps the quote after it from ending it."""
    whole = (TEXTS[backslashes], COMMENT, *parts, BIND, ":")
    return re.compile(" | ".join(whole), re.VERBOSE | re.DOTALL)


def split(
    sql: str, lexis: re.Pattern[str], bind: Callable[[str], str], rest: Callable[[str], str] = str
) -> tuple[str, tuple[str, ...]]:
    """The SQL with its binds as `bind` writes their names, and all else that the lexis knows as `rest` does;
    and the names in their order. WarehouseError where it is not one statement that reads: a second guard."""
    names: list[str] = []

    def part(found: re.Match[str]) -> str:
        if found["more"]:
            raise WarehouseError(ONE)
        if found["name"] is None:
            return rest(found[0])
        names.append(found["name"])
        return bind(found["name"])

    opening = OPENING.match(sql)
    if opening is None or opening[1].lower() not in READS:
        raise WarehouseError(ONE)
    return lexis.sub(part, sql), tuple(names)


def valued(names: Iterable[str], binds: Mapping[str, Any]) -> None:
    """WarehouseError where a bind that the query names has no value."""
    if missing := set(names) - binds.keys():
        raise WarehouseError(f"the query names :{min(missing)}, which has no value")


def naive(value: Any) -> Any:
    """A time as UTC without its zone, all else as it is: in a session in UTC that is right against columns
    with and without a zone, and no column need be cast."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
