"""Rows on their way into the marketplace's tables. Knows nothing of what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from bot.demo.tables import TABLES


def naive(at: datetime) -> datetime:
    """The same moment in UTC without its zone: how the tables hold time."""
    return at.astimezone(UTC).replace(tzinfo=None)


def create(db: duckdb.DuckDBPyConnection) -> None:
    for schema in sorted({table.partition(".")[0] for table in TABLES}):
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table, columns in TABLES.items():
        db.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")


class Batch:
    """New rows by table, written together."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def write(self, db: duckdb.DuckDBPyConnection) -> None:
        for table, rows in self.rows.items():
            _insert(db, table, rows)
        self.rows = {}


def _insert(db: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Column by column, as lists: DuckDB takes thousands of rows so in the time of a few single ones."""
    columns = TABLES[table]
    picked = [_unnest(kind) for kind in columns.values()]
    lists = [[_stored(row.get(name)) for row in rows] for name in columns]
    db.execute(f"INSERT INTO {table} SELECT {', '.join(picked)}", lists)


def _unnest(kind: str) -> str:
    carried = "double" if kind.startswith("decimal") else kind
    return f"unnest(?::{carried}[])::{kind}"


def _stored(value: Any) -> Any:
    return naive(value) if isinstance(value, datetime) else value
