"""The rows of the warehouse that one key of a policy rests on, table by table, by generated bound SELECTs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sensors.cases.values import from_json
from sensors.model.asset import Asset
from sensors.model.clock import parse_time
from sensors.model.policy import NOTHING, Policy, Query
from sensors.model.violation import Values, canonical
from sensors.model.window import Window
from sensors.sql.joins import Joins, Link, Place, joins
from sensors.warehouse import Warehouse
from sensors.warehouse.able import within
from sensors.warehouse.column_type import column_type

Tables = Mapping[str, tuple[Values, ...]]  # rows by table, as the warehouse gave them
MOST_VALUES = 500  # that one SELECT asks for
TIMEOUT = timedelta(minutes=1)


@dataclass(frozen=True)
class Looks:
    """A version of a policy, and what it looks at."""

    policy: Policy
    window: Window


@dataclass(frozen=True)
class Slice:
    """Rows of every table that the query reads, and what could not be had of them."""

    tables: Tables = NOTHING
    cut: tuple[str, ...] = ()  # tables of which there were more rows than were read
    whole: tuple[str, ...] = ()  # tables that nothing ties to the key: read by time alone, or not even so
    joins: Joins = field(default_factory=Joins)


def slice_of(
    wanted: Sequence[Looks],
    assets: Mapping[str, Asset],
    warehouse: Warehouse,
    key: Values,
    most: int = 500,
) -> Slice:
    """Rows of the key within the window (and its baseline), and what is joined to them, however far.

    `wanted` are versions of one policy: their rows together are enough for each. At most `most` rows of each
    place in a query, the newest first. Raises WarehouseError.
    """
    warehouse = within(warehouse, wanted[0].policy.session) if wanted else warehouse
    tables = dict.fromkeys(table for one in wanted for table in one.policy.query.tables)
    columns = {table: _columns(table, assets, warehouse) for table in tables}
    shapes = [joins(one.policy.query.sql, one.policy.query.dialect, columns) for one in wanted]
    read = {table: _read(table, columns[table], wanted, shapes) for table in tables}
    slices = [
        _Slicing(one.policy, warehouse, shape, columns, read, one.window, most).of(key)
        for one, shape in zip(wanted, shapes, strict=True)
    ]
    return Slice(
        {table: _together([one.tables.get(table, ()) for one in slices]) for table in tables},
        tuple(dict.fromkeys(table for one in slices for table in one.cut)),
        tuple(dict.fromkeys(table for one in slices for table in one.whole)),
        slices[0].joins,
    )


def _read(
    table: str, columns: Mapping[str, str], wanted: Sequence[Looks], shapes: Sequence[Joins]
) -> tuple[str, ...]:
    """The columns that any of the queries reads; all where one of them does not say."""
    used: set[str] = set()
    for one, shape in zip(wanted, shapes, strict=True):
        if table in one.policy.query.tables:
            used |= shape.used.get(table, frozenset(columns))
    return tuple(name for name in columns if name in used)


def _together(parts: Sequence[tuple[Values, ...]]) -> tuple[Values, ...]:
    """Rows that were read more than once, each once; but twins stay twins."""
    held: dict[str, tuple[int, Values]] = {}
    for rows in parts:
        counts = Counter(canonical(row) for row in rows)
        for row in rows:
            name = canonical(row)
            held[name] = (max(counts[name], held.get(name, (0, row))[0]), row)
    return tuple(row for count, row in held.values() for _ in range(count))


def _columns(table: str, assets: Mapping[str, Asset], warehouse: Warehouse) -> Mapping[str, str]:
    asset = assets.get(table)
    return asset.columns if asset and asset.columns else warehouse.columns(table)


@dataclass
class _Slicing:
    """One slice in the making. `found` has the rows of each source of the query, by its number."""

    policy: Policy
    warehouse: Warehouse
    joins: Joins
    columns: Mapping[str, Mapping[str, str]]  # of each table, with their types
    read: Mapping[str, tuple[str, ...]]  # of each table, those that are read
    window: Window
    most: int
    found: dict[int, tuple[Values, ...]] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)

    def of(self, key: Values) -> Slice:
        for anchor, values in self._anchors(key).items():
            self._read(anchor, values)
        whole = []
        while (source := self._next()) is not None:
            wanted = self._tied(source)
            if not wanted:
                whole.append(self.joins.tables[source])
            self._read(source, wanted)
        unread = [table for table in self.policy.query.tables if table not in self.joins.tables]
        for table in unread:  # the query could not be walked: all that is known is that it reads the table
            whole.append(table)
            self.found[-1 - unread.index(table)] = self._select(table, {}, [])
        parts: dict[str, list[tuple[Values, ...]]] = {}
        for number, rows in self.found.items():
            table = self.joins.tables[number] if number >= 0 else unread[-1 - number]
            parts.setdefault(table, []).append(rows)
        merged = {table: _together(some) for table, some in parts.items()}
        return Slice(merged, tuple(sorted(self.cut)), tuple(dict.fromkeys(whole)), self.joins)

    def _anchors(self, key: Values) -> dict[int, dict[str, list[Any]]]:
        """Sources that a column of the key is taken from, with the values that they must have."""
        anchors: dict[int, dict[str, list[Any]]] = {}
        for name, value in key.items():
            for number, column in self.joins.gives.get(name, ()):
                kind = self.columns[self.joins.tables[number]].get(column, "")
                anchors.setdefault(number, {})[column] = [_typed(value, kind)]
        return anchors

    def _next(self) -> int | None:
        """A source that is tied to one that was read; where there is none, any that is left."""
        left = [n for n in range(len(self.joins.tables)) if n not in self.found]
        tied = [n for n in left if any(self._links(n))]
        return next(iter(tied or left), None)

    def _links(self, source: int) -> Iterator[tuple[Link, str, Place]]:
        """Links to sources that were read: the column here, and the place there."""
        for link in self.joins.links:
            for (here, column), there in ((link.one, link.other), (link.other, link.one)):
                if here == source and there[0] in self.found:
                    yield link, column, there

    def _tied(self, source: int) -> dict[str, list[Any]]:
        """Values by column. A link that is one way of several counts only where there is no firm one."""
        links = list(self._links(source))
        firm = [one for one in links if not one[0].loose]
        first = (firm or links)[0][2][0] if links else None
        wanted: dict[str, list[Any]] = {}
        for _, column, (number, other) in firm or links:
            if number != first and firm:
                continue
            values = [row[other] for row in self.found[number] if row.get(other) is not None]
            wanted[column] = list(dict.fromkeys([*wanted.get(column, []), *values]))
        return wanted

    def _read(self, source: int, wanted: Mapping[str, Sequence[Any]]) -> None:
        table = self.joins.tables[source]
        bounds = [
            (column, sign, bind)
            for held, sign in ((self.joins.since, ">="), (self.joins.until, "<"))
            for (number, column), bind in held.items()
            if number == source and bind in self.window.binds()
        ]
        self.found[source] = self._select(table, wanted, bounds)

    def _select(
        self, table: str, wanted: Mapping[str, Sequence[Any]], bounds: Sequence[tuple[str, str, str]]
    ) -> tuple[Values, ...]:
        """The newest rows of a table: those with one of the values in each column, within the bounds."""
        binds: dict[str, Any] = dict(self.window.binds())
        parts = []
        for number, (column, values) in enumerate(wanted.items()):
            if len(values) > MOST_VALUES:
                self.cut.add(table)
            named = {f"v{number}_{n}": value for n, value in enumerate(values[:MOST_VALUES])}
            binds |= named
            listed = ", ".join(f":{name}" for name in named)
            parts.append(f"{self._quoted(column)} IN ({listed})" if named else "1 = 0")
        parts += [f"{self._quoted(column)} {sign} :{bind}" for column, sign, bind in bounds]
        listed = ", ".join(self._quoted(column) for column in self.read[table])
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        newest = f" ORDER BY {self._quoted(bounds[0][0])} DESC" if bounds else ""
        sql = f"SELECT {listed or '*'} FROM {self._quoted(table)}{where}{newest}"
        query = Query(sql, self.warehouse.dialect, self.policy.query.path, (table,))
        tag = f"case of {self.policy.name}"
        result = self.warehouse.query(
            self.warehouse.native(query), binds, limit=self.most, timeout=TIMEOUT, tag=tag
        )
        if result.truncated:
            self.cut.add(table)
        kinds = {c: column_type(t, self.policy.query.dialect) for c, t in self.columns[table].items()}
        nested = {c for c, kind in kinds.items() if kind and kind.kind == "json"}
        rows = (dict(zip(result.columns, row, strict=True)) for row in reversed(result.rows))
        return tuple({c: _opened(v) if c in nested else v for c, v in row.items()} for row in rows)

    def _quoted(self, name: str) -> str:
        """A name that may be a word of SQL. Snowflake would take quoted ones for other names."""
        if self.warehouse.dialect == "snowflake":
            return name
        return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _opened(value: Any) -> Any:
    """What semi-structured text holds, so that what is personal in it is found."""
    try:
        return from_json(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _typed(value: Any, kind: str) -> Any:
    """A key's value as its column holds it, where it came as text from a command line or a card."""
    if not isinstance(value, str):
        return value
    if re.match(r"(?:(?:big|small|tiny|huge)?int|number|decimal|numeric|integer)", kind.lower()):
        return Decimal(value) if re.fullmatch(r"-?\d+(?:\.\d+)?", value) else value
    if kind.lower().startswith(("timestamp", "datetime", "date")):
        return parse_time(value) or value
    return value
