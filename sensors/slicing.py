"""The rows of the warehouse that one key of a policy rests on, table by table, by generated bound SELECTs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sensors.lineage_joins import Joins, Link, Place, joins
from sensors.model.asset import Asset
from sensors.model.policy import NOTHING, Policy, Query
from sensors.model.violation import Values, canonical
from sensors.model.window import Window
from sensors.warehouse import Warehouse

Tables = Mapping[str, tuple[Values, ...]]  # rows by table, as the warehouse gave them
MOST_VALUES = 500  # that one SELECT asks for
TIMEOUT = timedelta(minutes=1)


@dataclass(frozen=True)
class Slice:
    """Rows of every table that the query reads, and what could not be had of them."""

    tables: Tables = NOTHING
    cut: tuple[str, ...] = ()  # tables of which there were more rows than were read
    whole: tuple[str, ...] = ()  # tables that nothing ties to the key: read by time alone, or not even so
    joins: Joins = field(default_factory=Joins)


def slice_of(
    policy: Policy,
    assets: Mapping[str, Asset],
    warehouse: Warehouse,
    key: Values,
    window: Window,
    most: int = 500,
) -> Slice:
    """Rows of the key within the window (and its baseline), and what is joined to them, however far.

    At most `most` rows of each place in the query, the newest first. Raises WarehouseError.
    """
    columns = {table: _columns(table, assets, warehouse) for table in policy.query.tables}
    shape = joins(policy.query.sql, policy.query.dialect, columns)
    return _Slicing(policy, warehouse, shape, columns, window, most).of(key)


def _columns(table: str, assets: Mapping[str, Asset], warehouse: Warehouse) -> Mapping[str, str]:
    asset = assets.get(table)
    return asset.columns if asset and asset.columns else warehouse.columns(table)


@dataclass
class _Slicing:
    """One slice in the making. `found` has the rows of each source of the query, by its number."""

    policy: Policy
    warehouse: Warehouse
    joins: Joins
    columns: Mapping[str, Mapping[str, str]]
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
        return Slice(self._merged(unread), tuple(sorted(self.cut)), tuple(dict.fromkeys(whole)), self.joins)

    def _anchors(self, key: Values) -> dict[int, dict[str, list[Any]]]:
        """Sources that a column of the key is taken from, with the values that they must have."""
        anchors: dict[int, dict[str, list[Any]]] = {}
        for name, value in key.items():
            for number, column in self.joins.gives.get(name, ()):
                anchors.setdefault(number, {})[column] = [value]
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
            parts.append(f"{column} IN ({listed})" if named else "1 = 0")
        parts += [f"{column} {sign} :{bind}" for column, sign, bind in bounds]
        used = self.joins.used.get(table)
        listed = ", ".join(sorted(used & self.columns[table].keys())) if used else ""
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        newest = f" ORDER BY {bounds[0][0]} DESC" if bounds else ""
        sql = f"SELECT {listed or '*'} FROM {table}{where}{newest}"
        query = Query(sql, self.policy.query.dialect, self.policy.query.path, (table,))
        tag = f"case of {self.policy.name}"
        result = self.warehouse.query(
            self.warehouse.native(query), binds, limit=self.most, timeout=TIMEOUT, tag=tag
        )
        if result.truncated:
            self.cut.add(table)
        return tuple(dict(zip(result.columns, row, strict=True)) for row in reversed(result.rows))

    def _merged(self, unread: Sequence[str]) -> dict[str, tuple[Values, ...]]:
        """Rows by table. A table that is read in two places has each row once, but twins stay twins."""
        by_table: dict[str, dict[str, tuple[int, Values]]] = {t: {} for t in self.policy.query.tables}
        for number, rows in self.found.items():
            table = self.joins.tables[number] if number >= 0 else unread[-1 - number]
            held = by_table.setdefault(table, {})
            counts = Counter(canonical(row) for row in rows)
            for row in rows:
                name = canonical(row)
                held[name] = (max(counts[name], held.get(name, (0, row))[0]), row)
        return {
            table: tuple(row for count, row in held.values() for _ in range(count))
            for table, held in by_table.items()
        }
