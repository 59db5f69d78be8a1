"""What Patrol asks of a warehouse, and how to reach one. Drivers are imported when a URL names them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sensors.model.asset import Asset
from sensors.model.policy import Query


class WarehouseError(Exception):
    """The warehouse refused or failed: one plain sentence, and whether trying again may help.

    `at`: where in the SQL that it was given, as an offset, if it said so; `name`: what it does not know.
    """

    def __init__(self, message: str, transient: bool = False, at: int | None = None, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.transient = transient
        self.at = at


class WrongSession(WarehouseError):
    """Who logs in is known, but may not have this role, warehouse, database or schema."""


class QueryTimeout(WarehouseError):
    """The query was stopped because it took longer than its policy allows: narrow it, or raise `timeout`."""


@dataclass(frozen=True)
class Result:
    """Rows of one query, at most `limit` of them; column names in lower case, each once."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False  # there were more rows than the limit
    query_id: str | None = None
    elapsed_s: float = 0.0
    bytes: int | None = None  # that its rows hold, about: texts by their length, all else 16; None: not known
    types: tuple[str, ...] = ()  # of the columns, as the warehouse calls them; empty: it does not say


class Warehouse(Protocol):
    """Read-only access to tables. Safe to use from many threads at once."""

    dialect: str  # sqlglot's name of the SQL it speaks

    def query(
        self, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str = ""
    ) -> Result:
        """Runs native SQL (see `native`). Binds that the SQL does not name are left out.

        Raises WarehouseError, or QueryTimeout once the query has been stopped.
        """
        ...

    def native(self, query: Query) -> str:
        """The query in this warehouse's SQL: the hand-written one, or compiled; compiled once per text."""
        ...

    def loaded_until(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        """The newest time in each asset's `loaded_until` column, asked in one query.

        Assets without such a column, without rows, or that the warehouse does not have are left out.
        """
        ...

    def columns(self, table: str) -> dict[str, str]:
        """Lower-case column names and their types; empty where there is no such table."""
        ...

    def ping(self) -> None: ...

    def close(self) -> None: ...


def connect(url: str) -> Warehouse:
    """The warehouse behind `url`: duckdb:///file.duckdb, duckdb:///folder, duckdb:////absolute/file,
    snowflake://account/database/schema, snowflake://name of connections.toml, or a database that SQLAlchemy
    reaches, such as postgresql://user@host/name."""
    scheme = _scheme(url)
    if scheme == "duckdb":
        from sensors.warehouse.duck import Duck

        return Duck.at(url)
    if scheme == "snowflake":
        from sensors.warehouse.snowflake import Snowflake

        return Snowflake.at(url)
    if not scheme:
        raise WarehouseError(f"{url!r} is not a warehouse URL: write duckdb:///path/to/file.duckdb")
    from sensors.warehouse.alchemy import Alchemy

    return Alchemy.at(url)


def speaks(url: str | None) -> str:
    """sqlglot's name of the SQL that the warehouse behind `url` takes; duckdb where there is none."""
    from sensors.warehouse.alchemy_ways import WAYS, backend

    name = backend(_scheme(url or ""))
    return WAYS[name].dialect if name in WAYS else name if name == "snowflake" else "duckdb"


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""
