"""The marketplace's tables, and rows on their way into them. Knows nothing of what the rows mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

TABLES: Mapping[str, Mapping[str, str]] = {
    "core.sellers": {
        "seller_id": "varchar",
        "display_name": "varchar",
        "country": "varchar",
        "category": "varchar",
        "joined_at": "timestamp",
        "verification": "varchar",  # verified | expired
        "payout_account": "varchar",  # verified | changed
        "payout_state": "varchar",  # none | scheduled | held
        "payout_due": "decimal(12,2)",
    },
    "core.buyers": {
        "buyer_id": "varchar",
        "display_name": "varchar",
        "country": "varchar",
        "joined_at": "timestamp",
    },
    "core.shows": {
        "show_id": "varchar",
        "seller_id": "varchar",
        "title": "varchar",
        "category": "varchar",
        "status": "varchar",  # live | ended
        "started_at": "timestamp",
        "ends_at": "timestamp",  # planned
    },
    "core.listings": {
        "listing_id": "varchar",
        "seller_id": "varchar",
        "category": "varchar",
        "title": "varchar",
        "description": "varchar",
        "price": "decimal(12,2)",
        "image_hash": "varchar",
        "status": "varchar",  # active | removed
        "listed_at": "timestamp",
    },
    "core.orders": {
        "order_id": "varchar",
        "seller_id": "varchar",
        "buyer_id": "varchar",
        "listing_id": "varchar",
        "show_id": "varchar",
        "amount": "decimal(12,2)",
        "status": "varchar",  # paid | shipped | delivered | declined
        "created_at": "timestamp",
    },
    "core.refunds": {
        "refund_id": "varchar",
        "order_id": "varchar",
        "seller_id": "varchar",
        "buyer_id": "varchar",
        "amount": "decimal(12,2)",
        "reason": "varchar",
        "refunded_at": "timestamp",
    },
    "core.chat_messages": {
        "message_id": "varchar",
        "show_id": "varchar",
        "author_id": "varchar",
        "seller_id": "varchar",
        "body": "varchar",
        "sent_at": "timestamp",
    },
    "core.signups": {
        "signup_id": "varchar",
        "account_id": "varchar",
        "email": "varchar",
        "device_id": "varchar",
        "ip": "varchar",
        "signed_up_at": "timestamp",
    },
    "market.planted": {  # the market's own memory; no policy may read it
        "planted_at": "timestamp",
        "policy": "varchar",
        "key": "varchar",  # JSON
        "row_ids": "varchar",  # JSON
        "ends_at": "timestamp",  # when the trouble is put right; null: nothing to put right
    },
}

# How many of the newest rows stay, by the column that says which those are. Days of running stay small.
KEEP: Mapping[str, tuple[str, int]] = {
    "core.sellers": ("joined_at", 500),
    "core.buyers": ("joined_at", 4_000),
    "core.shows": ("started_at", 1_500),
    "core.listings": ("listed_at", 5_000),
    "core.orders": ("created_at", 10_000),
    "core.refunds": ("refunded_at", 2_000),
    "core.chat_messages": ("sent_at", 16_000),
    "core.signups": ("signed_up_at", 4_000),
    "market.planted": ("planted_at", 2_000),
}


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
