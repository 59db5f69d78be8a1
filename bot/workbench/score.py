"""How often a policy would have been right on rows that people have labelled. It never sees the label."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from bot.core.alert import Lane
from bot.core.change import Refused
from bot.core.reconcile import masked
from bot.core.score import Judged, judge
from bot.workbench.replay import Replay, Replayed, plan
from sensors.model.asset import Asset
from sensors.model.catalog import Catalog
from sensors.model.clock import utc
from sensors.model.policy import Incremental, Now, Policy, Query
from sensors.model.run import Looked
from sensors.model.violation import FoundRow, Values, canonical
from sensors.model.window import EARLIEST, LATEST
from sensors.sql.labels import why_it_may_read
from sensors.warehouse import Warehouse
from sensors.warehouse.able import within

MOST_LABELS = 500_000
PLENTY = 10**9  # keys at once that are no flood: each key is judged by itself
NAME = re.compile(r"[A-Za-z_][\w$]*")
BOOLEAN = ("boolean", "bool")
EVER = {"window_start": EARLIEST, "window_end": LATEST}


@dataclass(frozen=True)
class Labels:
    """Where the truth stands: a boolean column, the columns by which its rows are matched with those found,
    the columns that are shown of a row that was missed, and the column that says when a row was."""

    table: str
    column: str
    on: tuple[str, ...]
    shown: tuple[str, ...]
    time: str | None


@dataclass(frozen=True)
class Score:
    """By row, and by key where the labelled table has the key's columns. Examples are masked as on a card."""

    rows: Judged
    keys: Judged | None
    done: Replayed
    false_positives: tuple[Mapping[str, Any], ...] = ()
    false_negatives: tuple[Mapping[str, Any], ...] = ()
    without: int = 0  # rows of the labelled table whose label is null
    timeless: int = 0  # rows that are labelled and have no time that a window ever holds


@dataclass(frozen=True)
class _Read:
    """The labelled rows of a time: what is true of each, and how it looks."""

    labels: Mapping[Hashable, bool]
    rows: Mapping[Hashable, Values]
    without: int


def labels_of(policy: Policy, catalog: Catalog, named: str, on: tuple[str, ...] = ()) -> Labels | Refused:
    """What `table.column` names, or why the policy cannot be scored by it."""
    table, _, column = named.lower().rpartition(".")
    asset = catalog.assets.get(table)
    if asset is None:
        near = get_close_matches(table, catalog.assets, n=1)
        hint = f"did you mean {near[0]}.{column}?" if near else "declare it in policies/_assets.yml."
        return Refused(f"{named!r} is no column of a declared table (write table.column); {hint}")
    if why := _unfit(asset, column):
        return Refused(why)
    on = tuple(name.lower() for name in on) or policy.row_key
    if not on:
        return Refused(f"{policy.name} has no row_key: say which column matches rows and labels, --on.")
    if missing := [name for name in on if name not in asset.columns]:
        said = f"{table} has no column {' and no '.join(missing)}, by which rows and labels are matched"
        return Refused(f"{said}: say --on COLUMN (it has {', '.join(asset.columns)}).")
    if why := _reads(policy, table, column):
        return Refused(f"{policy.name} may read its own label: {why}. A score would mean nothing.")
    return _labels(policy, asset, column, on)


def _labels(policy: Policy, asset: Asset, column: str, on: tuple[str, ...]) -> Labels:
    time = None if isinstance(policy.window, Now) else policy.window.column
    wanted = dict.fromkeys((*on, *policy.key, *policy.alert.fields))
    shown = tuple(name for name in wanted if name in asset.columns and NAME.fullmatch(name))
    return Labels(asset.name, column, on, shown, time if time in asset.columns else None)


def _unfit(asset: Asset, column: str) -> str:
    kind = asset.columns.get(column)
    if kind is None:
        near = get_close_matches(column, asset.columns, n=1)
        hint = (
            f"did you mean {near[0]}?" if near else f"it has {', '.join(asset.columns) or 'none declared'}."
        )
        return f"{asset.name} declares no column {column}; {hint}"
    if kind.lower() not in BOOLEAN:
        return f"{asset.name}.{column} is {kind}; a label is a boolean: true of what is looked for."
    return "" if NAME.fullmatch(column) else f"{column!r} is no name of a column."


def _reads(policy: Policy, table: str, column: str) -> str:
    texts = [(policy.query.sql, policy.query.dialect)]
    texts += [(sql, dialect) for dialect, sql in policy.query.native.items()]
    return next((why for sql, dialect in texts if (why := why_it_may_read(sql, dialect, table, column))), "")


def span_of(policy: Policy, labels: Labels, warehouse: Warehouse) -> tuple[datetime, datetime] | None:
    """The time in which there are labels; None where they have no time. Raises WarehouseError."""
    if labels.time is None:
        return None
    sql = f"""SELECT MIN({labels.time}) AS low, MAX({labels.time}) AS high FROM {labels.table}
        WHERE {labels.column} IS NOT NULL
        AND {labels.time} >= :window_start AND {labels.time} < :window_end"""
    ((low, high),) = _ask(policy, labels, warehouse, sql, EVER)
    if not isinstance(low, datetime) or not isinstance(high, datetime):
        return None
    delay = policy.window.delay if isinstance(policy.window, Incremental) else timedelta()
    day = timedelta(days=1)
    ends = utc(high).replace(hour=0, minute=0, second=0, microsecond=0) + 2 * day + delay
    return utc(low).replace(hour=0, minute=0, second=0, microsecond=0) - day, ends


def _all(looks: Iterator[Looked], _: int) -> Iterator[Looked]:
    return looks


def score(
    policy: Policy,
    catalog: Catalog,
    warehouse: Warehouse,
    labels: Labels,
    start: datetime,
    end: datetime,
    *,
    step: timedelta | None = None,
    watched: Callable[[Iterator[Looked], int], Iterator[Looked]] = _all,
) -> Score | Refused:
    """The policy over that time, held against the labels. `watched` is given the looks and how many there
    will be, and gives those that are to be had. Raises WarehouseError where the labels cannot be read.
    """
    many = replace(policy, max_alerts=PLENTY)
    planned = plan(many, warehouse.dialect, start, end, step=step)
    if isinstance(planned, Refused):
        return planned
    work = Replay(many, catalog, warehouse, start, end, planned, lane=Lane.live)
    found: dict[str, FoundRow] = {}
    for looked in watched(work.steps(), work.total):
        if lacks := [name for name in labels.on if name not in looked.columns]:
            return Refused(
                f"The query does not give {' and '.join(lacks)}, which match rows and labels: --on."
            )
        found |= {_name(row.values, labels.on): row for row in looked.rows if _within(row, start)}
    done = work.result()
    delay = policy.window.delay if isinstance(policy.window, Incremental) else timedelta()
    read = _read(policy, labels, warehouse, start, max(start, done.end - delay))
    if isinstance(read, Refused):
        return read
    rows = judge(found, read.labels)
    return Score(
        rows,
        _by_key(policy, labels, read, done),
        done,
        tuple(masked(policy, found[str(one)].values) for one in rows.false_positives),
        tuple(masked(policy, read.rows[one]) for one in rows.false_negatives),
        read.without,
        _timeless(policy, labels, warehouse),
    )


def _name(values: Values, columns: tuple[str, ...]) -> str:
    return canonical({name: values[name] for name in columns})


def _within(row: FoundRow, start: datetime) -> bool:
    return row.event_time is None or row.event_time >= start


def _by_key(policy: Policy, labels: Labels, read: _Read, done: Replayed) -> Judged | None:
    """A key is what is looked for if one of its rows is; it is found if it alerts."""
    if not policy.key or any(name not in labels.shown for name in policy.key):
        return None
    true: dict[Hashable, bool] = {}
    for one, is_so in read.labels.items():
        key = _name(read.rows[one], policy.key)
        true[key] = true.get(key, False) or is_so
    return judge({o.key for o in done.openings}, true)


def _read(
    policy: Policy, labels: Labels, warehouse: Warehouse, start: datetime, end: datetime
) -> _Read | Refused:
    binds, where = dict[str, Any](), ""
    if labels.time:
        binds = {"window_start": start, "window_end": end}
        where = f" WHERE {labels.time} >= :window_start AND {labels.time} < :window_end"
    columns = ", ".join((*labels.shown, f"{labels.column} AS its_label"))
    rows = _ask(policy, labels, warehouse, f"SELECT {columns} FROM {labels.table}{where}", binds)
    if len(rows) > MOST_LABELS:
        return Refused(
            f"There are more than {MOST_LABELS:,} labelled rows: take a shorter time (--from, --to)."
        )
    true: dict[Hashable, bool] = {}
    shown: dict[Hashable, Values] = {}
    without = 0
    for row in rows:
        values = dict(zip(labels.shown, row, strict=False))
        name = _name(values, labels.on)
        if row[-1] is None:
            without += 1
            continue
        true[name] = true.get(name, False) or bool(row[-1])
        shown[name] = values
    return _Read(true, shown, without)


def _timeless(policy: Policy, labels: Labels, warehouse: Warehouse) -> int:
    if labels.time is None:
        return 0
    sql = f"""SELECT COUNT(*) AS n FROM {labels.table} WHERE {labels.column} IS NOT NULL
        AND ({labels.time} IS NULL OR {labels.time} < :window_start OR {labels.time} >= :window_end)"""
    ((n,),) = _ask(policy, labels, warehouse, sql, EVER)
    return int(n)


def _ask(
    policy: Policy, labels: Labels, warehouse: Warehouse, sql: str, binds: Mapping[str, Any]
) -> tuple[tuple[Any, ...], ...]:
    """A question about labels, in the dialect of the policies."""
    query = Query(sql, policy.query.dialect, "", (labels.table,))
    native = warehouse.native(query)
    found = within(warehouse, policy.session).query(
        native, binds, limit=MOST_LABELS + 1, timeout=policy.timeout, tag=f"{policy.name} labels"
    )
    return found.rows
