"""Named binds as Snowflake takes them: marks in the SQL, values beside it, never pasted into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sensors.warehouse import WarehouseError

# What may look like a bind and is none stands before it: text, names, comments, casts.
TOKEN = re.compile(
    r"""  '(?:[^'\\]|''|\\.)*' | "(?:[^"]|"")*" | \$\$.*?\$\$ | /\*.*?\*/ | (?:--|//)[^\n]* | :: |
          :(?P<bind>[A-Za-z_]\w*) | (?P<more>;\s*(?=\S)) """,
    re.VERBOSE | re.DOTALL,
)
READS = re.compile(r"(?:\s|\(|/\*.*?\*/|--[^\n]*\n)*(?:SELECT|WITH)\b", re.IGNORECASE | re.DOTALL)


def positional(sql: str, binds: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SQL with `?` for each `:name`, and the values in their order. The SQL is sqlglot's: there a path
    into a variant is a GET_PATH, and a colon before a name a bind.

    Raises WarehouseError where a bind has no value, or the statement does not begin as one that reads.
    """
    if not READS.match(sql):
        raise WarehouseError("only one SELECT may be run")
    values: list[Any] = []

    def mark(found: re.Match[str]) -> str:
        if found["more"]:
            raise WarehouseError("only one SELECT may be run")
        name = found["bind"]
        if name is None:
            return found[0]
        if name not in binds:
            raise WarehouseError(f"the query names :{name}, which has no value")
        values.append(typed(binds[name]))
        return "?"

    return TOKEN.sub(mark, sql), values


def typed(value: Any) -> Any:
    """A value with its Snowflake type, where that is not plain from Python's.

    A time goes in as UTC without a zone: in a UTC session that is right against columns with and without one.
    """
    if isinstance(value, datetime):
        return ("TIMESTAMP_NTZ", value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
    return value
