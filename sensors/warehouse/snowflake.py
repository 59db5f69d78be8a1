"""Snowflake as the warehouse: each query submitted, polled and stopped by its id, in sessions in UTC."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sensors.model.asset import Asset
from sensors.model.policy import Query
from sensors.warehouse import Result, Warehouse, WarehouseError, dialect
from sensors.warehouse.errand import Errand
from sensors.warehouse.snowflake_address import Address, address
from sensors.warehouse.snowflake_binds import positional
from sensors.warehouse.snowflake_errors import plainly
from sensors.warehouse.snowflake_sessions import Connection, Sessions
from sensors.warehouse.snowflake_statement import Statement, ask
from sensors.warehouse.snowflake_tables import Tables
from sensors.warehouse.spelled import Untranslatable

OWN = timedelta(minutes=1)  # for what Patrol itself asks
PING = timedelta(seconds=10)
NO_ERRAND = Errand()


class Snowflake:
    """A `Warehouse`. Safe to use from many threads; nothing is opened before the first query."""

    dialect = "snowflake"

    def __init__(self, where: Address) -> None:
        self._sessions = Sessions(lambda: _opened(where), where.sessions)
        self._closing = threading.Event()
        self._tables = Tables(self._own, where.schema)

    @staticmethod
    def at(url: str) -> Snowflake:
        """`snowflake://account/database/schema?warehouse=…`, or `snowflake://name` of connections.toml."""
        return Snowflake(address(url, os.environ))

    def on(self, errand: Errand) -> Warehouse:
        """The same, its queries asked for a run: see `Errand`."""
        return ForRun(self, errand)

    def query(
        self, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str = ""
    ) -> Result:
        return self.query_for(NO_ERRAND, sql, binds, limit=limit, timeout=timeout, tag=tag)

    def query_for(
        self, errand: Errand, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str
    ) -> Result:
        text, values = positional(sql, binds)
        return self._asked(Statement(text, values, limit, timeout, tag), errand)

    def _asked(self, what: Statement, errand: Errand) -> Result:
        with self._sessions.borrow(what.timeout.total_seconds()) as session:
            return ask(session, what, errand, self._closing)

    def _own(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        return self._asked(Statement(sql, values, 100_000, OWN, "tables"), NO_ERRAND).rows

    def native(self, query: Query) -> str:
        try:
            return dialect.native(query, self.dialect)
        except Untranslatable as error:
            raise WarehouseError(f"{query.path}: {error}", name=error.name) from None

    def loaded_until(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        sources = [(asset.name, asset.loaded_until) for asset in assets if asset.loaded_until]
        return {table: at for (table, _), at in self._tables.loaded_until(sources).items()}

    def columns(self, table: str) -> dict[str, str]:
        return dict(self._tables.columns(table))

    def ping(self) -> None:
        self.query("SELECT 1 AS one", {}, limit=1, timeout=PING, tag="ping")

    def close(self) -> None:
        """What still runs is aborted by its id."""
        self._closing.set()
        self._sessions.close()


class ForRun:
    """A `Warehouse` whose queries belong to one run."""

    dialect = Snowflake.dialect

    def __init__(self, whole: Snowflake, errand: Errand) -> None:
        self._whole = whole
        self._errand = errand
        self.native, self.columns = whole.native, whole.columns
        self.loaded_until, self.ping = whole.loaded_until, whole.ping

    def query(
        self, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str = ""
    ) -> Result:
        return self._whole.query_for(self._errand, sql, binds, limit=limit, timeout=timeout, tag=tag)

    def close(self) -> None:
        """The whole one is closed by who opened it."""


def _opened(where: Address) -> Connection:
    """A new session. The driver is imported here: it takes as long as all the rest of Patrol."""
    os.environ.setdefault(
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true"
    )  # else it asks the cloud where it is
    try:
        from snowflake import connector
    except ImportError:
        said = "the driver for Snowflake is not installed: pip install 'patrol[snowflake]'"
        raise WarehouseError(said) from None
    try:
        return connector.connect(**where.arguments)
    except connector.Error as error:
        raise plainly(error) from None
