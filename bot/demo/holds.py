"""The operations database, ops.db: payout holds that a job writes and the market obeys, and risk runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

OPS = "ops.db"
TABLES = """
CREATE TABLE IF NOT EXISTS payout_holds (
    seller_id TEXT PRIMARY KEY, reason TEXT, held_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS risk_runs (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, seller_id TEXT NOT NULL, started_at REAL NOT NULL,
    before REAL NOT NULL, after REAL NOT NULL, failure TEXT);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, seller_id TEXT NOT NULL, body TEXT NOT NULL,
    sent_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
"""
EMPTY = "DELETE FROM payout_holds; DELETE FROM risk_runs; DELETE FROM notices;"


def prepare(folder: Path, *, fresh: bool) -> None:
    with closing(_open(folder)) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(TABLES + (EMPTY if fresh else ""))


def held(folder: Path) -> set[str]:
    """The sellers whose payouts wait."""
    return {row[0] for row in ask(folder, "SELECT DISTINCT seller_id FROM payout_holds")}


def ask(folder: Path, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    with closing(_open(folder)) as db, db:
        return db.execute(sql, tuple(values)).fetchall()


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / OPS, timeout=10)
