"""SQL with `:name` for SQLAlchemy: what stands in texts, names and comments is no bind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import NullType

from sensors.warehouse import WarehouseError

TEXTS = {False: r"'[^']*'", True: r"'(?:[^'\\]|\\.)*'"}  # a doubled quote is two texts side by side
REST = r"""
    | "[^"]*" | `[^`]*` | /\*.*?\*/ | --[^\n]* | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | (?<![:\w]):(?P<name>[A-Za-z_]\w*) | (?P<more>;\s*(?=\S)) | :
"""
PARTS = {
    slashes: re.compile(f"(?:{texts}){REST}", re.VERBOSE | re.DOTALL) for slashes, texts in TEXTS.items()
}
OPENING = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)
READS = ("select", "with", "from", "values", "table")


@lru_cache(maxsize=20_000)
def split(sql: str, backslashes: bool) -> tuple[str, frozenset[str]]:
    """The SQL as `text()` takes it, and the binds that it names.

    A second guard besides: one statement, and that a SELECT.
    """
    opening = OPENING.match(sql)
    names: set[str] = set()

    def part(found: re.Match[str]) -> str:
        if found["more"]:
            raise WarehouseError("only one SELECT may be run")
        if found["name"]:
            names.add(found["name"])
            return found[0]
        return found[0].replace(":", r"\:")

    if opening is None or opening[1].lower() not in READS:
        raise WarehouseError("only one SELECT may be run")
    return PARTS[backslashes].sub(part, sql), frozenset(names)


def bound(sql: str, binds: Mapping[str, Any], *, backslashes: bool, comment: str = "") -> TextClause:
    """The statement with its values bound; those that it does not name are left out."""
    written, names = split(sql, backslashes)
    if missing := names - binds.keys():
        raise WarehouseError(f"the query names :{min(missing)}, which has no value")
    return text(comment + written).bindparams(*(_bind(name, binds[name]) for name in sorted(names)))


def _bind(name: str, value: Any) -> Any:
    """A time goes in as naive UTC, which is right against columns with and without a zone in a session in

    UTC; the rest goes as the driver sends it, so that a text may be compared with a date or a uuid."""
    if isinstance(value, datetime):
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return bindparam(name, naive, DateTime())
    return bindparam(name, value, NullType())
