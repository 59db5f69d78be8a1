"""A DuckDB that holds the declared tables without a row: it reads every query as a full one would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import duckdb

from sensors.model.asset import Asset
from sensors.model.policy import Query
from sensors.warehouse import Result, WarehouseError, dialect
from sensors.warehouse.duck import bound, fetched, named, quoted
from sensors.warehouse.duck_errors import plainly
from sensors.warehouse.duck_file import SETTINGS


class Empty:
    """Made of assets, their types in `written_in`. `unfit`: types that DuckDB lacks, by table and column.

    A table whose columns are not declared is not there. For one thread.
    """

    dialect = "duckdb"

    def __init__(self, assets: Iterable[Asset], written_in: str) -> None:
        self.unfit: dict[tuple[str, str], str] = {}
        self.loose: set[str] = set()  # tables with a column whose type DuckDB has no equal of
        self._connection = duckdb.connect(":memory:", config=SETTINGS)
        declared = {a.name: a.columns for a in assets if a.columns}
        self.tables = frozenset(declared)
        for statement in self._statements(declared, written_in):
            self._connection.execute(statement)
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET lock_configuration = true")

    def _statements(self, declared: Mapping[str, Mapping[str, str]], read: str) -> Iterator[str]:
        names = [name.split(".") for name in declared]
        for database in sorted({parts[-3] for parts in names if len(parts) > 2}):
            yield f"ATTACH ':memory:' AS {quoted(database)}"
        for schema in sorted({tuple(parts[-3:-1]) for parts in names if len(parts) > 1}):
            yield f"CREATE SCHEMA IF NOT EXISTS {quoted('.'.join(schema))}"
        for name, columns in declared.items():
            listed = ", ".join(f"{quoted(c)} {self._type(name, c, t, read)}" for c, t in columns.items())
            yield f"CREATE TABLE {quoted(name)} ({listed})"

    def _type(self, table: str, column: str, declared: str, read: str) -> str:
        if declared.strip().lower() in dialect.LOOSE:
            self.loose.add(table)
        found = dialect.type_in(declared, read, self.dialect)
        if found is None:
            self.unfit[table, column] = declared
        elif self._has(found):
            return found
        self.loose.add(table)
        return "VARCHAR"

    def _has(self, kind: str) -> bool:
        try:
            self._connection.execute(f"SELECT NULL::{kind}")
        except duckdb.Error:
            return False
        return True

    def read(self, query: Query, binds: Mapping[str, Any]) -> Result:
        """The columns that the query gives; WarehouseError with the place where it cannot be read."""
        sql = self.native(query)
        try:
            given = {name: bound(binds.get(name)) for name in named(self._connection, sql)}
            return Result(fetched(self._connection, sql, given, 0)[0], ())
        except duckdb.Error as error:
            plain = plainly(error, sql)
            raise WarehouseError(plain.message.replace("the warehouse", "DuckDB"), at=plain.at) from None

    def native(self, query: Query) -> str:
        try:
            return dialect.native(query, self.dialect)
        except dialect.Untranslatable as error:
            raise WarehouseError(str(error), name=error.name) from None

    def close(self) -> None:
        self._connection.close()
