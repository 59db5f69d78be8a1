"""Rows that a query found, grouped by key; and the canonical form of keys and rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sensors.model.clock import utc

Values = Mapping[str, Any]
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def plain(value: Any) -> Any:
    """A warehouse's value as JSON, its type kept: 1, 1.0 and Decimal('1.00') are the same, "1" is not."""
    match value:
        case None | bool() | str() | int():
            return value
        case float() if value != value or value in (float("inf"), float("-inf")):
            return {"number": str(value)}
        case float() | Decimal():
            return _number(Decimal(str(value)))
        case datetime():
            return {"time": utc(value).isoformat().replace("+00:00", "Z")}
        case date():
            return {"date": value.isoformat()}
        case time() | timedelta():
            return {"time": str(value)}
        case bytes() | bytearray():
            return {"bytes": bytes(value).hex()}
        case Mapping():
            return {"map": {str(k): plain(v) for k, v in sorted(value.items(), key=lambda kv: str(kv[0]))}}
        case list() | tuple():
            return [plain(v) for v in value]
        case _:
            return {"text": str(value)}


def shown(value: Any) -> Any:
    """A warehouse's value as JSON for people: numbers and text as they read, times in UTC to the second."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal() if value.is_finite():
            return f"{value:f}"  # with its scale: a price of 1.50 stays one
        case float() | Decimal():
            exact = plain(value)
            return exact if isinstance(exact, int) else exact["number"]
        case datetime():
            return f"{utc(value):%Y-%m-%d %H:%M:%S}Z"
        case bytes() | bytearray():
            return bytes(value).hex()
        case Mapping():
            return {str(k): shown(v) for k, v in value.items()}
        case list() | tuple():
            return [shown(v) for v in value]
        case _:
            return str(value)


def _number(exact: Decimal) -> Any:
    """Digit for digit: `normalize` would round to 28 digits, and a warehouse has 38."""
    if not exact.is_finite():
        return {"number": str(exact)}
    return int(exact) if exact == exact.to_integral_value() else {"number": f"{exact:f}".rstrip("0")}


def canonical(values: Values) -> str:
    """One spelling of a key or row: sorted lower-case names, typed values, JSON. `{}`: the whole platform."""
    lowered = {name.lower(): plain(value) for name, value in values.items()}
    return _encode(lowered)


def row_hash(values: Values, row_key: tuple[str, ...]) -> str:
    """What makes a row the same row: its `row_key` columns, or all of them. 32 hex characters."""
    chosen = {name: values[name] for name in row_key} if row_key else values
    return hashlib.sha256(canonical(chosen).encode(errors="surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class FoundRow:
    """One row of a result: lower-case column names, its hash, and when it happened (None: no time)."""

    hash: str
    values: Values
    event_time: datetime | None = None


@dataclass(frozen=True)
class Violation:
    """The rows of one run that share a key, oldest first. What they amount to is counted in `core`."""

    key: str  # canonical
    key_values: Values
    rows: tuple[FoundRow, ...]

    @property
    def newest(self) -> Values:
        return self.rows[-1].values


def violations_of(rows: Iterable[FoundRow], key: tuple[str, ...]) -> tuple[Violation, ...]:
    """Rows by key in order of first appearance; each row once, oldest first (those without a time before)."""
    groups: dict[str, tuple[dict[str, Any], dict[str, FoundRow]]] = {}
    for row in rows:
        values = {name: row.values[name] for name in key}
        groups.setdefault(canonical(values), (values, {}))[1].setdefault(row.hash, row)
    return tuple(
        Violation(name, values, tuple(sorted(found.values(), key=age)))
        for name, (values, found) in groups.items()
    )


def age(row: FoundRow) -> tuple[bool, float]:
    """What rows are sorted by, oldest first: those without a time before all others."""
    return (row.event_time is not None, row.event_time.timestamp() if row.event_time else 0.0)
