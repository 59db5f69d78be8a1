"""A policy's query over the rows that lie in no window, since they have no time."""

from __future__ import annotations

import re
from dataclasses import replace

from sensors.model.policy import Now, Policy, Query

COLUMN = r"(?P<column>[A-Za-z_][\w$.\"]*)"
# As the template writes it, and as people write it by hand.
COMPARISON = re.compile(
    rf"{COLUMN}\s*>=\s*:window_start\s+AND\s+(?P=column)\s*<\s*:window_end\b"
    rf"|(?P<between>[A-Za-z_][\w$.\"]*)\s+BETWEEN\s+:window_start\s+AND\s+:window_end\b",
    re.IGNORECASE,
)


def untimed(policy: Policy) -> Policy | None:
    """The policy as it would look for rows without a time; None where its SQL compares in another way."""
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
    return replace(policy, query=changed, window=Now())  # they are looked at whole, not in parts of a window


def _without_time(sql: str) -> str | None:
    changed, count = COMPARISON.subn(lambda m: f"{m['column'] or m['between']} IS NULL", sql)
    return changed if count and ":window_start" not in changed else None
