"""A DuckDB in memory that holds the tables of one case at a time, sealed off like a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime

import duckdb

from sensors.model.asset import Asset
from sensors.model.case import Filled
from sensors.warehouse import WarehouseError
from sensors.warehouse.column_type import column_type
from sensors.warehouse.duck import Duck, quoted
from sensors.warehouse.duck_errors import plainly
from sensors.warehouse.duck_file import SETTINGS


class OpenMemory:
    """The open database, as `Duck` borrows it: one connection, since what a case fills is not committed."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:", config=SETTINGS)
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self.connection.execute("SET lock_configuration = true")
        self.loaded: dict[tuple[str, str], datetime | None] = {}
        self.tables: dict[str, dict[str, str]] = {}

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self.connection

    def columns(self, table: str) -> Mapping[str, str]:
        return self.tables.get(table, {})

    @contextmanager
    def borrow(self) -> Iterator[OpenMemory]:
        yield self

    def mark(self) -> str:
        return ""  # whoever fills it knows

    def close(self) -> None:
        self.connection.close()


class Memory(Duck):
    """A `Warehouse` whose tables are made from what `_assets.yml` declares. For one thread."""

    def __init__(self) -> None:
        self._open = OpenMemory()
        super().__init__(self._open)
        self._schemas: set[str] = {"main"}
        self._databases: set[str] = set()

    @contextmanager
    def holding(self, assets: Iterable[Asset], dialect: str, filled: Iterable[Filled]) -> Iterator[None]:
        """Within it the assets' tables hold what is filled in, and nothing else; those not filled are empty.

        Raises WarehouseError where a table cannot be made or a value does not fit.
        """
        for asset in assets:
            self.declare(asset, dialect)
        self._open.connection.execute("BEGIN")
        try:
            for table in filled:
                self._fill(table)
            yield
        finally:
            self._undo()

    def _undo(self) -> None:
        """Empties what was filled; a failed query has ended the transaction already."""
        with suppress(duckdb.TransactionException):
            self._open.connection.execute("ROLLBACK")

    def declare(self, asset: Asset, dialect: str) -> None:
        """Makes the table, empty, unless it is there with these columns."""
        types = {name: _sql(asset, name, kind, dialect) for name, kind in asset.columns.items()}
        if self._open.tables.get(asset.name) == types:
            return
        if not types:
            raise WarehouseError(f"{asset.name} declares no columns in _assets.yml; cases need them")
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
        with _saying(f"{asset.name} cannot be made with the types that _assets.yml declares"):
            self._room(asset.name.split(".")[:-1])
            self._open.connection.execute(f"CREATE OR REPLACE TABLE {quoted(asset.name)} ({columns})")
        self._open.tables[asset.name] = types

    def _room(self, parts: list[str]) -> None:
        """The database and schema that a table's name begins with."""
        if len(parts) > 1 and parts[0] not in self._databases:
            self._open.connection.execute(f"ATTACH ':memory:' AS {quoted(parts[0])}")
            self._databases.add(parts[0])
        if parts and (schema := quoted(".".join(parts))) not in self._schemas:
            self._open.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            self._schemas.add(schema)

    def _fill(self, table: Filled) -> None:
        """One statement for all rows, by column: a statement for each row is ten times as slow."""
        if not table.rows:
            return
        types = self._open.tables[table.table]
        columns = table.columns or tuple(types)[:1]  # of rows that give nothing: nulls
        cells = [list(column) for column in zip(*table.rows, strict=True)] or [[None] * len(table.rows)]
        names = ", ".join(quoted(name) for name in columns)
        values = ", ".join(f"unnest(?::{types[name]}[])" for name in columns)
        with _saying(f"the rows given of {table.table} do not fit into it"):
            self._open.connection.execute(
                f"INSERT INTO {quoted(table.table)} ({names}) SELECT {values}", cells
            )


@contextmanager
def _saying(what: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(f"{what}: {plainly(error).message.removeprefix('the query failed: ')}") from None


def _sql(asset: Asset, column: str, declared: str, dialect: str) -> str:
    kind = column_type(declared, dialect)
    if kind is None:
        raise WarehouseError(
            f'{asset.name}.{column} is declared as "{declared}", which is no type that is known'
        )
    return kind.sql
