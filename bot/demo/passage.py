"""What time does by itself: shows end, parcels move, reports are closed, trouble is put right."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta

import duckdb

from bot.demo.schema import naive
from bot.demo.trouble import RIGHTED

SHIPPED, DELIVERED = timedelta(hours=6), timedelta(hours=30)
SCANNED, ANSWERED = timedelta(minutes=30), timedelta(minutes=12)  # an ordinary parcel, an ordinary report
FORGOTTEN = timedelta(hours=1)  # a report that has waited so long was planted


def moment(db: duckdb.DuckDBPyConnection, now: datetime, held: Collection[str]) -> None:
    """What may happen at every beat. `held`: the sellers whose payouts wait."""
    at = naive(now)
    db.execute("UPDATE core.shows SET status = 'ended' WHERE status = 'live' AND ends_at <= ?", [at])
    _right(db, at)
    _hold_payouts(db, sorted(held))


def hours(db: duckdb.DuckDBPyConnection, now: datetime, *, all_of_it: bool = False) -> None:
    """What happens slowly. `all_of_it`: after a time that nobody saw, nothing of it is left waiting."""
    at = naive(now)
    db.execute(
        "UPDATE core.orders SET status = CASE WHEN created_at < ? THEN 'delivered' ELSE 'shipped' END "
        "WHERE (status = 'paid' AND created_at < ?) OR (status = 'shipped' AND created_at < ?)",
        [at - DELIVERED, at - SHIPPED, at - DELIVERED],
    )
    db.execute(
        "UPDATE core.shipments SET first_scan_at = label_at + INTERVAL 20 MINUTE, "
        "weighed_grams = declared_grams WHERE first_scan_at IS NULL AND label_at < ? AND (ships_by > ? OR ?)",
        [at - SCANNED, at, all_of_it],
    )
    db.execute(
        "UPDATE core.reports SET status = 'closed' "
        "WHERE status = 'open' AND reported_at < ? AND (reported_at > ? OR ?)",
        [at - ANSWERED, at - FORGOTTEN, all_of_it],
    )


def _right(db: duckdb.DuckDBPyConnection, at: datetime) -> None:
    over = db.execute(
        "SELECT policy, key FROM market.planted WHERE ends_at <= ? ORDER BY planted_at", [at]
    ).fetchall()
    for policy, key in over:
        db.execute(RIGHTED[policy], list(json.loads(key).values()))
    if over:
        db.execute("UPDATE market.planted SET ends_at = NULL WHERE ends_at <= ?", [at])


def _hold_payouts(db: duckdb.DuckDBPyConnection, held: list[str]) -> None:
    db.execute(
        "UPDATE core.sellers SET payout_state = if(payout_state = 'held', 'scheduled', 'held') "
        "WHERE (payout_state = 'scheduled' AND list_contains(?::varchar[], seller_id)) "
        "OR (payout_state = 'held' AND NOT list_contains(?::varchar[], seller_id))",
        [held, held],
    )
