"""Snowflake as the warehouse: each query submitted, polled and stopped by its id, in sessions in UTC."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sensors.model.asset import Asset
from sensors.model.policy import Query
from sensors.model.session import USUAL, Session
from sensors.warehouse import Result, Warehouse, WarehouseError
from sensors.warehouse.dialect import native
from sensors.warehouse.errand import Errand
from sensors.warehouse.snowflake_address import Address, address
from sensors.warehouse.snowflake_binds import positional
from sensors.warehouse.snowflake_errors import plainly
from sensors.warehouse.snowflake_sessions import Connection, Sessions
from sensors.warehouse.snowflake_statement import Statement, ask
from sensors.warehouse.snowflake_tables import Source, Tables

OWN = timedelta(minutes=1)  # for what Patrol itself asks
DRIVER = 5  # the first version that gives one statement its tag and timeout
PING = timedelta(seconds=10)
NO_ERRAND = Errand()


class Snowflake:
    """A `Warehouse`. Safe to use from many threads; nothing is opened before the first query."""

    dialect = "snowflake"

    def __init__(self, where: Address) -> None:
        usual = str(where.arguments.get("warehouse") or "")
        self._sessions = Sessions(lambda session: _opened(where, session), where.sessions, usual)
        self._schema = where.schema
        self._closing = threading.Event()
        self._tables: dict[Session, Tables] = {}
        self._lock = threading.Lock()

    @staticmethod
    def at(url: str) -> Snowflake:
        """`snowflake://account/database/schema?warehouse=…`, or `snowflake://name` of connections.toml."""
        return Snowflake(address(url, os.environ))

    def on(self, errand: Errand) -> Warehouse:
        """The same, its queries asked for a run: see `Errand`."""
        return Part(self, USUAL, errand)

    def within(self, session: Session) -> Warehouse:
        """The same, asked as that role, with that warehouse, in that schema."""
        return Part(self, session)

    def query(
        self, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str = ""
    ) -> Result:
        return Part(self).query(sql, binds, limit=limit, timeout=timeout, tag=tag)

    def asked(self, what: Statement, session: Session, errand: Errand) -> Result:
        """The statement's rows, asked in a session of that kind. Any statement: who calls answers for it."""
        with self._sessions.borrow(session, what.timeout.total_seconds()) as lent:
            return ask(lent, what, errand, self._closing)

    def tables(self, session: Session) -> Tables:
        """What is known of tables as that session sees them."""

        def own(sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
            return self.asked(Statement(sql, values, 100_000, OWN, "tables"), session, NO_ERRAND).rows

        with self._lock:
            if session not in self._tables:
                self._tables[session] = Tables(own, session.schema.lower() or self._schema)
            return self._tables[session]

    def native(self, query: Query) -> str:
        return native(query, self.dialect)

    def loaded_until(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        return Part(self).loaded_until(assets)

    def altered(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        return Part(self).altered(assets)

    def columns(self, table: str) -> dict[str, str]:
        return Part(self).columns(table)

    def grants(self, role: str) -> Sequence[Mapping[str, Any]]:
        return Part(self).grants(role)

    def ping(self) -> None:
        Part(self).ping()

    def close(self) -> None:
        """What still runs is aborted by its id."""
        self._closing.set()
        self._sessions.close()


class Part:
    """A `Warehouse`: Snowflake as one session sees it, asked for one run or for none."""

    dialect = Snowflake.dialect

    def __init__(self, whole: Snowflake, session: Session = USUAL, errand: Errand = NO_ERRAND) -> None:
        self._whole, self._session, self._errand = whole, session, errand
        self.native = whole.native

    def on(self, errand: Errand) -> Warehouse:
        return Part(self._whole, self._session, errand)

    def within(self, session: Session) -> Warehouse:
        return Part(self._whole, session.over(self._session), self._errand)

    def query(
        self, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str = ""
    ) -> Result:
        text, values = positional(sql, binds)
        what = Statement(text, values, limit, timeout, tag)
        return self._whole.asked(what, self._session, self._errand)

    def loaded_until(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        sources = [(asset.name, asset.loaded_until) for asset in assets if asset.loaded_until]
        return self._newest(sources)

    def altered(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        return self._newest([(asset.name, None) for asset in assets])

    def _newest(self, sources: Sequence[Source]) -> dict[str, datetime]:
        found = self._whole.tables(self._session).loaded_until(sources)
        return {table: at for (table, _), at in found.items()}

    def columns(self, table: str) -> dict[str, str]:
        return dict(self._whole.tables(self._session).columns(table))

    def grants(self, role: str) -> Sequence[Mapping[str, Any]]:
        """What a role may do, as SHOW GRANTS TO ROLE tells it, by lower-case column."""
        what = Statement(f"SHOW GRANTS TO ROLE {quoted(role)}", [], 100_000, OWN, "doctor")
        found = self._whole.asked(what, self._session, NO_ERRAND)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    def ping(self) -> None:
        self.query("SELECT 1 AS one", {}, limit=1, timeout=PING, tag="ping")

    def close(self) -> None:
        """The whole one is closed by who opened it."""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _opened(where: Address, session: Session) -> Connection:
    """A new session, as the address says where nothing else is said. The driver is imported here: it takes as
    long as all the rest of Patrol."""
    os.environ.setdefault(
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true"
    )  # else it asks the cloud where it is
    try:
        from snowflake import connector
    except ImportError:
        said = "the driver for Snowflake is not installed: pip install 'patrol[snowflake]'"
        raise WarehouseError(said) from None
    if int(connector.__version__.partition(".")[0]) < DRIVER:
        said = (
            f"the driver for Snowflake is too old ({connector.__version__}): pip install 'patrol[snowflake]'"
        )
        raise WarehouseError(said)
    try:
        return connector.connect(**{**where.arguments, **session.said})
    except connector.Error as error:
        raise plainly(error) from None
