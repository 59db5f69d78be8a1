"""Named binds as Snowflake takes them: marks in the SQL, values beside it, never pasted into it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sensors.warehouse import binds as shared

LEXIS = shared.lexis(r'"(?:[^"]|"")*"', r"\$\$.*?\$\$", r"(?:--|//)[^\n]*", "::", backslashes=True)


def positional(sql: str, binds: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SQL with `?` for each `:name`, and the values in their order. The SQL is sqlglot's: there a path
    into a variant is a GET_PATH, and a colon before a name a bind.

    Raises WarehouseError where a bind has no value, or the statement does not begin as one that reads.
    """
    text, names = shared.split(sql, LEXIS, lambda _: "?")
    shared.valued(names, binds)
    return text, [typed(binds[name]) for name in names]


def typed(value: Any) -> Any:
    """A value with its Snowflake type, where that is not plain from Python's: a time has no zone there."""
    return ("TIMESTAMP_NTZ", shared.naive(value)) if isinstance(value, datetime) else value
