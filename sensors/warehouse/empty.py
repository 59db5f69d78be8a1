"""A DuckDB that holds the declared tables without a row: it reads every query as a full one would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sensors.model.asset import Asset
from sensors.model.policy import Query
from sensors.warehouse import Result, WarehouseError
from sensors.warehouse.column_type import column_type
from sensors.warehouse.dialect import native
from sensors.warehouse.duck_memory import Memory

UNSURE = ("json", "list", "other")  # kinds of types that DuckDB has no exact equal of
TIMEOUT = timedelta(seconds=30)


class Empty:
    """Made of assets, their types in `written_in`. `unfit`: types that there are not, by table and column.

    A table whose columns are not declared is not there. For one thread.
    """

    dialect = "duckdb"

    def __init__(self, assets: Iterable[Asset], written_in: str) -> None:
        self.unfit: dict[tuple[str, str], str] = {}
        self.unsure: set[str] = set()  # tables with a column whose type is only nearly the declared one
        self.tables: set[str] = set()
        self._memory = Memory()
        for asset in assets:
            if asset.columns:
                self._declare(asset, written_in)

    def _declare(self, asset: Asset, written_in: str) -> None:
        kinds = {name: column_type(declared, written_in) for name, declared in asset.columns.items()}
        missing = {name for name, kind in kinds.items() if kind is None}
        self.unfit |= {(asset.name, name): asset.columns[name] for name in missing}
        if missing or any(kind and kind.kind in UNSURE for kind in kinds.values()):
            self.unsure.add(asset.name)
        known = {name: "varchar" if name in missing else said for name, said in asset.columns.items()}
        try:
            self._memory.declare(replace(asset, columns=known), written_in)
        except WarehouseError:
            return  # a name or type that DuckDB cannot have: its queries are not read
        self.tables.add(asset.name)

    def read(self, query: Query, binds: Mapping[str, Any]) -> Result:
        """The columns that the query gives; WarehouseError with the place where it cannot be read."""
        try:
            return self._memory.query(self.native(query), binds, limit=1, timeout=TIMEOUT)
        except WarehouseError as error:
            said = error.message.replace("the warehouse", "DuckDB")
            raise WarehouseError(said, error.transient, error.at, error.name) from None

    def native(self, query: Query) -> str:
        return native(replace(query, path=""), self.dialect)  # who asks says the place

    def close(self) -> None:
        self._memory.close()
