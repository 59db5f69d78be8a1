"""What a warehouse says of tables: until when each is loaded, and how old it is. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sensors.model.asset import LAST_ALTERED, Asset, LateTable
from sensors.model.clock import moment
from sensors.model.policy import Policy, Query
from sensors.warehouse import Warehouse, WarehouseError
from sensors.warehouse.able import altered

AHEAD = timedelta(hours=1)  # what is dated further ahead of the clock was not loaded then
LONGEST = timedelta(minutes=1)


@dataclass(frozen=True)
class Seen:
    """What a warehouse says of tables, by name; those of which it says nothing are left out."""

    loaded: Mapping[str, datetime]  # the newest time in each, which bounds windows
    ages: Mapping[
        str, datetime
    ]  # the newest that is no time to come, or the last change, as `freshness` says

    def with_(self, other: Seen) -> Seen:
        return Seen({**self.loaded, **other.loaded}, {**self.ages, **other.ages})


def seen_of(assets: Iterable[Asset], warehouse: Warehouse, now: datetime) -> Seen:
    """Asked by one query, and one more where a last change counts, which bounds no window: rows may be older
    than the load that brought them; and one more for each table that holds a time to come. Raises
    WarehouseError."""
    tables = {asset.name: asset for asset in assets}
    sources = [asset for asset in tables.values() if asset.loaded_until]
    changed = [asset for asset in tables.values() if asset.aged_by == LAST_ALTERED]
    loaded = warehouse.loaded_until(sources) if sources else {}
    others = {name: at for name, at in loaded.items() if name not in {asset.name for asset in changed}}
    ahead = [name for name, at in others.items() if at > now + AHEAD]
    before = {name: at for name in ahead if (at := _newest_before(tables[name], warehouse, now + AHEAD))}
    ages = {name: at for name, at in others.items() if name not in ahead} | before
    return Seen(loaded, ages | (altered(warehouse, changed) if changed else {}))


def _newest_before(asset: Asset, warehouse: Warehouse, end: datetime) -> datetime | None:
    """The newest time in its `loaded_until` that is not after `end`: one row of a time to come, a mistake or
    malice, would else stand for the table. None where there is none, or the column is no time."""
    column = asset.loaded_until
    sql = f"SELECT MAX({column}) AS newest FROM {asset.name} WHERE {column} <= :not_after"
    native = warehouse.native(Query(sql, warehouse.dialect, "", (asset.name,)))
    try:
        found = warehouse.query(native, {"not_after": end}, limit=1, timeout=LONGEST, tag="loaded until")
    except WarehouseError as error:
        if error.transient:
            raise
        return None
    return moment(found.rows[0][0]) if found.rows else None


def hidden(
    policy: Policy, tables: Iterable[Asset], warehouse: Warehouse, seen: Seen
) -> tuple[LateTable, ...]:
    """Those of the tables that it should not be run without that do not tell how old they are: they may be
    late. Raises WarehouseError."""
    said = [(asset, untold(asset, warehouse, seen)) for asset in tables]
    return tuple(LateTable(asset, None, policy.needs[asset.name], why) for asset, why in said if why)


def untold(asset: Asset, warehouse: Warehouse, seen: Seen) -> str:
    """Why it has no age though the warehouse answered; empty where it has one, or merely holds no rows.
    Raises WarehouseError."""
    if asset.name in seen.ages:
        return ""
    columns, until = warehouse.columns(asset.name), asset.loaded_until
    if not columns:
        return "the warehouse has no such table"
    if asset.aged_by == LAST_ALTERED or until is None:
        return ""
    if until not in columns:
        return f"it has no column {until}"
    if newest := seen.loaded.get(asset.name):
        return f"its newest {until}, {newest:%Y-%m-%d %H:%M} UTC, is to come, and nothing tells which is not"
    return ""
