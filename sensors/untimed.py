"""A policy's query over the rows that lie in no window, since they have no time."""

from __future__ import annotations

import re
from dataclasses import replace

from sensors.model.policy import Now, Policy, Query
from sensors.warehouse import spelled

COLUMN = r"(?P<column>[A-Za-z_][\w$.\"]*)"
# As the template writes it, as people write it by hand, and as DuckDB takes it.
COMPARISON = re.compile(
    rf"{COLUMN}\s*>=\s*[:$]window_start\s+AND\s+(?P=column)\s*<\s*[:$]window_end\b"
    rf"|(?P<between>[A-Za-z_][\w$.\"]*)\s+BETWEEN\s+[:$]window_start\s+AND\s+[:$]window_end\b",
    re.IGNORECASE,
)
START = re.compile(r"[:$]window_start\b")


def untimed(policy: Policy, warehouse: str = "") -> Policy | None:
    """The policy as it would look for rows without a time; None where its SQL compares in another way.

    What its SQL is called in the dialect `warehouse` is changed alike, where it is known: so it need not be
    spelled.
    """
    query = policy.query
    sql = _without_time(query.sql)
    native = {dialect: _without_time(text) for dialect, text in query.native.items()}
    if sql is None or None in native.values():
        return None
    changed = Query(
        sql,
        query.dialect,
        query.path,
        query.tables,
        query.params,
        {dialect: text for dialect, text in native.items() if text is not None},
    )
    _spelled_alike(query, changed, warehouse)
    return replace(policy, query=changed, window=Now())  # they are looked at whole, not in parts of a window


def _spelled_alike(query: Query, changed: Query, warehouse: str) -> None:
    read = warehouse if warehouse in query.native else query.dialect
    known = spelled.known(query.native.get(warehouse, query.sql), read, warehouse)
    text = _without_time(known) if known else None
    if text is not None:
        spelled.keep(changed.native.get(warehouse, changed.sql), read, warehouse, text)


def _without_time(sql: str) -> str | None:
    changed, count = COMPARISON.subn(lambda m: f"{m['column'] or m['between']} IS NULL", sql)
    return changed if count and not START.search(changed) else None
