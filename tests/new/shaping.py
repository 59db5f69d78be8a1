"""A wish for each shape over the marketplace's tables, and projects of other tables to make policies in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.new.pair import pair
from bot.new.proof import Proof, prove
from bot.new.shape import SHAPES
from bot.new.wish import Wish, idea
from sensors.catalog import load

ROOT = Path(__file__).parents[2]
MARKET: Mapping[str, tuple[dict[str, Any], ...]] = {
    "event": (
        {"table": "core.chat_messages", "match": "body LIKE '%pay_al%'", "key": ("author_id",)},
        {"table": "core.sellers", "match": "verification = 'expired' and payout_due >= 100", "time": "none"},
    ),
    "threshold": (
        {"table": "core.refunds", "match": "reason = 'not received'", "key": ("buyer_id",)},
        {"table": "core.orders", "threshold": 2, "severity": "critical", "key": ("seller_id", "buyer_id")},
    ),
    "rate": (
        {"table": "core.orders", "match": "status IN ('declined', 'lost') AND amount < 2.5"},
        {"table": "core.refunds", "of": "core.orders", "threshold": 10, "window": "7d"},
    ),
    "burst": (
        {"table": "core.signups"},
        {"table": "core.signups", "key": ("ip",), "match": "email like '%@mail.%'", "threshold": 2},
    ),
    "watchlist": (
        {"table": "core.orders", "watchlist": "core.sellers", "match": "amount > 50"},
        {"table": "core.shows", "watchlist": "core.sellers", "time": "none"},
    ),
    "ring": (
        {"table": "core.listings", "key": ("image_hash",), "match": "status <> 'removed'"},
        {"table": "core.sellers", "key": ("payout_account",), "time": "none"},
    ),
    "anomaly": (
        {"table": "core.orders"},
        {"table": "core.chat_messages", "key": ("author_id",), "match": "body like '%!%'", "threshold": 2},
    ),
    "stale": (
        {"table": "core.orders", "match": "status <> 'declined'"},
        {"table": "core.chat_messages", "key": ("show_id",), "threshold": 2, "window": "6h"},
    ),
}
assert MARKET.keys() == SHAPES.keys()


def wished(shape: str, said: Mapping[str, Any], name: str = "payments.tried") -> Wish:
    from sensors.model.clock import parse_duration

    window = parse_duration(said["window"]) if "window" in said else None
    return Wish(**{**said, "name": name, "like": shape, "window": window})


def made(project: Path, wish: Wish, dialect: str = "snowflake") -> tuple[dict[str, str], Proof]:
    """The pair, and what check and its cases say of it."""
    found = idea(wish, load(project, dialect=dialect), dialect)
    files = pair(found)
    return files, prove(project, found.name, files, dialect)


def project(
    folder: Path, columns: Mapping[str, str], *, table: str = "core.things", time: str = "at"
) -> Path:
    """A project whose one table has these columns, and a watch list that has them too."""
    (folder / "policies").mkdir(parents=True)
    (folder / "sql").mkdir()
    teams = "payments: {channel: C0PAYMENTS, members: {ana: {slack: U0ANA}}}\n"
    (folder / "policies/_teams.yml").write_text(teams)
    listed = "".join(f'    "{name}": {kind}\n' for name, kind in columns.items())
    names = "".join(f'    "{name}": {kind}\n' for name, kind in columns.items() if name != time)
    names += "" if "reason" in columns else "    reason: varchar\n"
    until = f"  loaded_until: {time}\n" if time in columns else ""
    assets = f'"{table}":\n  owner: payments\n{until}  columns:\n{listed}'
    assets += f"core.list:\n  owner: payments\n  columns:\n{names}"
    (folder / "policies/_assets.yml").write_text(assets)
    return folder
