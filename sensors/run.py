"""One look at the warehouse: a policy's query over a window, its rows as violations. Never raises."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sensors.model.asset import Asset, LateTable
from sensors.model.clock import moment
from sensors.model.policy import Incremental, Now, Policy, Query, WhenLate, WindowKind
from sensors.model.run import Looked, RunStatus
from sensors.model.violation import FoundRow, row_hash, violations_of
from sensors.model.window import EARLIEST, LATEST, Window
from sensors.warehouse import QueryTimeout, Result, Warehouse, WarehouseError
from sensors.warehouse.able import within

SMALLEST = timedelta(seconds=1)  # a window is not halved below this
QUOTED = re.compile(r"""(["'`])(.*?)\1""", re.DOTALL)
SENTENCES = 20  # about bad rows; the rest is counted


def look(policy: Policy, warehouse: Warehouse, window: Window, *, limit: int = 10_000) -> Looked:
    """What the policy finds in the window.

    A row's event time is the window column's value, if the result gives that column under its bare name;
    rows of policies without a window, and of queries that do not give the column, have none.
    """
    looked = Looked(policy, window, RunStatus.succeeded)
    if window.empty:
        return looked
    started = time.monotonic()
    try:
        result, window = _fitting(policy, within(warehouse, policy.session), window, limit)
        looked = _read(policy, replace(looked, window=window), result)
    except QueryTimeout as error:
        looked = replace(looked, status=RunStatus.timed_out, error=error.message, transient=True)
    except WarehouseError as error:
        looked = replace(looked, status=RunStatus.failed, error=error.message, transient=error.transient)
    except Exception as error:
        said = (
            f"the look failed inside Patrol ({type(error).__name__}); please report it with the policy's name"
        )
        looked = replace(looked, status=RunStatus.failed, error=said)
    if looked.error and (policy.sensitive or set(policy.alert.columns.values()) - {"show"}):
        looked = replace(looked, error=_unquoted(looked.error, policy.query))
    return replace(looked, elapsed_s=time.monotonic() - started)


def _unquoted(error: str, query: Query) -> str:
    """A warehouse's error without what it quotes, but for names that stand in the SQL: it may be of a row."""
    return QUOTED.sub(lambda found: found[0] if found[2] in query.sql else f"{found[1]}•••{found[1]}", error)


def data_until(policy: Policy, assets: Mapping[str, Asset], warehouse: Warehouse) -> datetime | None:
    """Until when the policy's data is loaded: the newest row of the table that is furthest behind.

    Of the tables it reads those count that have the window's column and say until when they are loaded.
    None where there is no such table, or none of them has rows. Raises WarehouseError.
    """
    asked = within(warehouse, policy.session)
    sources = sources_of(policy, assets, asked)
    return until_of(sources, asked.loaded_until(sources)) if sources else None


def until_of(sources: Iterable[Asset], loaded: Mapping[str, datetime]) -> datetime | None:
    """The same, where it is known until when tables are loaded."""
    found = min((loaded[asset.name] for asset in sources if asset.name in loaded), default=None)
    return _within_reason(found) if found else None


def data_from(policy: Policy, assets: Mapping[str, Asset], warehouse: Warehouse) -> datetime | None:
    """Since when the policy's data are there: the oldest row of the table that begins last, of those with the
    window's column. None where that cannot be said. Raises WarehouseError."""
    if isinstance(policy.window, Now):
        return None
    column = policy.window.column
    warehouse = within(warehouse, policy.session)
    begins = []
    for asset in sources_of(policy, assets, warehouse):
        sql = f"SELECT MIN({column}) AS begins FROM {asset.name}"
        native = warehouse.native(Query(sql, policy.query.dialect, "", (asset.name,)))
        found = warehouse.query(native, {}, limit=1, timeout=policy.timeout, tag=f"{policy.name} begins")
        begins += [_within_reason(at) for row in found.rows if (at := moment(row[0]))]
    return max(begins, default=None)


def dated(policy: Policy, assets: Mapping[str, Asset]) -> list[Asset]:
    """The tables that the policy should not be run without and that say how old they are and may be."""
    return [asset for asset in needed(policy, assets) if asset.ages]


def needed(policy: Policy, assets: Mapping[str, Asset]) -> list[Asset]:
    """The assets that the policy should not be run without and that say how old they may be."""
    wanted = [n for n, when in policy.needs.items() if when is not WhenLate.run and n in assets]
    return [a for n in wanted if (a := assets[n]).late_after and a.is_dated]


def late(
    policy: Policy, assets: Mapping[str, Asset], ages: Mapping[str, datetime], now: datetime
) -> tuple[LateTable, ...]:
    """Which of them are late: older than their `late_after`. One without an age is not."""
    found = [(asset, ages[asset.name]) for asset in needed(policy, assets) if asset.name in ages]
    return tuple(LateTable(a, until, policy.needs[a.name]) for a, until in found if a.is_late(until, now))


def sources_of(
    policy: Policy, assets: Mapping[str, Asset], warehouse: Warehouse | None = None
) -> list[Asset]:
    """The assets whose loaded-until bounds the policy's window."""
    if isinstance(policy.window, Now):
        return []
    column = policy.window.column
    read = [assets[table] for table in policy.query.tables if table in assets]
    return [a for a in read if a.loaded_until and column in _columns(a, warehouse)]


def _columns(asset: Asset, warehouse: Warehouse | None) -> Mapping[str, str]:
    if asset.columns or warehouse is None:
        return asset.columns
    return warehouse.columns(asset.name)


def _fitting(policy: Policy, warehouse: Warehouse, window: Window, limit: int) -> tuple[Result, Window]:
    """The result, and the part of the window that it covers: an incremental one is halved until it fits."""
    sql = warehouse.native(policy.query)
    while True:
        binds = {**policy.query.params, **window.binds()}
        result = warehouse.query(sql, binds, limit=limit, timeout=policy.timeout, tag=policy.name)
        if not result.truncated or not _can_halve(policy.window, window):
            return result, window
        window = window.halved()


def _can_halve(kind: WindowKind, window: Window) -> bool:
    """Events of the later half are looked at next time; a condition's rows must be seen together."""
    return isinstance(kind, Incremental) and window.start is not None and window.end - window.start > SMALLEST


def _read(policy: Policy, looked: Looked, result: Result) -> Looked:
    looked = replace(looked, columns=result.columns, truncated=result.truncated, query_id=result.query_id)
    looked = replace(looked, bytes=result.bytes)
    needed = dict.fromkeys((*policy.key, *policy.row_key))
    if missing := [name for name in needed if name not in result.columns]:
        given = ", ".join(result.columns)
        said = f"the query does not give {' and '.join(missing)}, which the policy needs (it gives {given})"
        return replace(looked, status=RunStatus.failed, error=said)
    column = None if isinstance(policy.window, Now) else policy.window.column
    timed = column is not None and column in result.columns
    rows, bad = _rows(policy, result, column if timed else None)
    return replace(
        looked,
        rows=rows,
        violations=violations_of(rows, policy.key),
        bad_rows=_capped(bad),
        untimed=sum(row.event_time is None for row in rows) if timed else 0,
    )


def _rows(policy: Policy, result: Result, time_column: str | None) -> tuple[tuple[FoundRow, ...], list[str]]:
    rows: list[FoundRow] = []
    bad: list[str] = []
    for number, cells in enumerate(result.rows, start=1):
        values = dict(zip(result.columns, cells, strict=True))
        if nulls := [name for name in policy.key if values[name] is None]:
            bad.append(f"row {number} has no {' and no '.join(nulls)}, which the key needs")
            continue
        event_time = moment(values[time_column]) if time_column else None
        rows.append(FoundRow(row_hash(values, policy.row_key), values, event_time))
    return tuple(rows), bad


def _within_reason(at: datetime) -> datetime:
    """A table's oldest and newest time may be another clock's zero, or infinity: no sum of time may fail."""
    return min(max(at, EARLIEST), LATEST)


def _capped(sentences: Iterable[str]) -> tuple[str, ...]:
    said = list(sentences)
    more = len(said) - SENTENCES
    return tuple(said) if more <= 0 else (*said[:SENTENCES], f"and {more} more rows like these")
