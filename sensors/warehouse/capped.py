"""Rows as they stream in, up to as many and as large as may be held; each column's name once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sensors.warehouse import WarehouseError

MOST_BYTES = 64 * 2**20  # of one result, by its texts; numbers and times count 16
SMALL = 16
ALIKE = frozenset({int, float, bool, type(None), datetime, date, Decimal})  # most cells: no closer look


def named_once(names: Iterable[str]) -> tuple[str, ...]:
    """The columns' names in lower case; WarehouseError where two are the same."""
    columns = tuple(str(name).lower() for name in names)
    if twice := next((c for i, c in enumerate(columns) if c in columns[:i]), None):
        raise WarehouseError(f"the query gives two columns named {twice}; name one of them anew with AS")
    return columns


def capped(
    batches: Iterable[Sequence[Sequence[Any]]], limit: int, most_bytes: int = MOST_BYTES
) -> tuple[tuple[tuple[Any, ...], ...], bool, int]:
    """The first rows, whether there were more (than `limit`, or than fit into `most_bytes`), and their bytes.

    One row is given however large it is, so that a window can be halved down to it.
    """
    rows: list[tuple[Any, ...]] = []
    held = 0
    for batch in batches:
        for row in batch:
            more = sum(map(size, row))
            if len(rows) == limit or (rows and held + more > most_bytes):
                return tuple(rows), True, held
            rows.append(tuple(row))
            held += more
    return tuple(rows), False, held


def size_of(rows: Iterable[Sequence[Any]]) -> int:
    """About how many bytes rows hold."""
    return sum(sum(map(size, row)) for row in rows)


def size(value: Any) -> int:
    """About how many bytes a value holds."""
    if type(value) in ALIKE:
        return SMALL
    match value:
        case str() | bytes() | bytearray():
            return len(value)
        case Mapping():
            return sum(size(k) + size(v) for k, v in value.items())
        case list() | tuple():
            return sum(map(size, value))
    return SMALL
