"""Any database that SQLAlchemy reaches as the warehouse: read-only, in UTC, rows streamed, stoppable."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from sensors.model.asset import Asset
from sensors.model.clock import moment
from sensors.model.policy import Query
from sensors.model.session import Session
from sensors.warehouse import Result, Warehouse
from sensors.warehouse.alchemy_address import reach
from sensors.warehouse.alchemy_binds import bound
from sensors.warehouse.alchemy_sessions import Sessions, cleaned
from sensors.warehouse.alchemy_ways import Way
from sensors.warehouse.capped import capped, named_once
from sensors.warehouse.dialect import native

BATCH = 500  # rows that a cursor brings at once
FRESH_S = {"columns": 60.0, "loaded": 5.0}  # for how long an answer is not asked for again
TIMED = ("date", "time", "datetime", "timestamp")  # how the names of types begin whose newest value is a time


class Alchemy:
    """A `Warehouse`, connected to when it is first asked."""

    def __init__(self, sessions: Sessions, way: Way, schema: str = "") -> None:
        self.dialect = way.dialect
        self._sessions, self._way = sessions, way
        self._schema = schema  # where a bare name is looked for first; "" as the server has it
        self._schemas: dict[str, InSchema] = {}
        self._own = sessions.engine.dialect
        self._fresh: dict[tuple[str, str], tuple[float, Any]] = {}

    @staticmethod
    def at(url: str) -> Alchemy:
        """`postgresql://patrol@host/name`, or another that `alchemy_ways` lists."""
        engine, way, stop = reach(url)
        return Alchemy(Sessions(engine, way, stop), way)

    def within(self, session: Session) -> Warehouse:
        """The same in another schema, where it has such a thing; `check` refuses what else was said."""
        if not session.schema or self.dialect != "postgres":
            return self
        name = session.schema.lower()
        return self._schemas.setdefault(name, InSchema(self._sessions, self._way, name))

    def query(
        self, sql: str, binds: Mapping[str, Any], *, limit: int, timeout: timedelta, tag: str = ""
    ) -> Result:
        started = time.monotonic()
        comment = f"/* patrol {cleaned(tag)} */ " if tag else ""  # the server's own lists tell whose it is
        sent = self._way.sent(sql, timeout, limit + 1)
        statement = bound(sent, binds, backslashes=self._way.backslashes, comment=comment)
        with self._sessions.asking(sql, timeout, tag, self._schema) as connection:
            found = connection.execute(statement)
            columns = named_once(found.keys())
            rows, truncated, held = capped(found.partitions(BATCH), limit)
            found.close()
            process = _process(connection.connection.driver_connection)
        return Result(columns, rows, truncated, process, time.monotonic() - started, held)

    def native(self, query: Query) -> str:
        return native(query, self.dialect)

    def loaded_until(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        wanted = sorted({(a.name, a.loaded_until) for a in assets if a.loaded_until and self._is_time(a)})
        held = {source: self._held("loaded", "\0".join(source)) for source in wanted}
        if missing := [source for source, found in held.items() if found is None]:
            held |= self._newest(missing)
        return {table: at for (table, _), at in held.items() if isinstance(at, datetime)}

    def _is_time(self, asset: Asset) -> bool:
        return self.columns(asset.name).get(asset.loaded_until or "", "").startswith(TIMED)

    def _newest(self, sources: list[tuple[str, str]]) -> dict[tuple[str, str], Any]:
        """The newest time in each column, by one query; False where there is none."""
        sql = " UNION ALL ".join(
            f"SELECT {n} AS source, {self._time(column)} AS newest FROM {self._named(table)}"
            for n, (table, column) in enumerate(sources)
        )
        found = self.query(sql, {}, limit=len(sources), timeout=timedelta(minutes=1), tag="loaded until")
        newest = {sources[int(n)]: moment(at) or False for n, at in found.rows}
        for source, at in newest.items():
            self._keep("loaded", "\0".join(source), at)
        return newest

    def _time(self, column: str) -> str:
        """The newest of a column; of one type, whatever the column's, so that they go into one UNION."""
        newest = f"MAX({self._own.identifier_preparer.quote(column)})"
        return f"CAST({newest} AS TIMESTAMP)" if self.dialect == "postgres" else newest

    def columns(self, table: str) -> dict[str, str]:
        name = table.lower()
        if (held := self._held("columns", name)) is None:
            held = self._keep("columns", name, self._columns(name))
        return dict(held)

    def _columns(self, table: str) -> dict[str, str]:
        *schema, name = self._parts(table)
        with self._sessions.connected() as connection:
            try:
                found = inspect(connection).get_columns(name, ".".join(schema) or None)
            except NoSuchTableError:
                return {}
        return {str(column["name"]).lower(): self._type(column["type"]) for column in found}

    def _type(self, kind: Any) -> str:
        try:
            return str(kind.compile(self._own)).lower()
        except SQLAlchemyError:  # one that SQLAlchemy does not know
            return "unknown"

    def _parts(self, table: str) -> list[str]:
        """Postgres reads one database: its name ahead of the schema is left out where it is that one."""
        parts = [*([self._schema] if self._schema and "." not in table else []), *table.split(".")]
        ours = (self._sessions.engine.url.database or "").lower()
        return parts[1:] if len(parts) == 3 and parts[0] == ours and self.dialect == "postgres" else parts

    def _named(self, table: str) -> str:
        return ".".join(map(self._own.identifier_preparer.quote, self._parts(table)))

    def ping(self) -> None:
        self.query("SELECT 1 AS one", {}, limit=1, timeout=timedelta(seconds=10), tag="ping")

    def close(self) -> None:
        self._sessions.close()

    def _held(self, what: str, name: str) -> Any:
        until, value = self._fresh.get((what, name), (0.0, None))
        return value if time.monotonic() < until else None

    def _keep(self, what: str, name: str, value: Any) -> Any:
        self._fresh[what, name] = (time.monotonic() + FRESH_S[what], value)
        return value


class InSchema(Alchemy):
    """Of a whole one, which is closed by who opened it."""

    def close(self) -> None:
        pass


def _process(driver: Any) -> str | None:
    """Which process of Postgres ran it, as its own log calls it."""
    pid = getattr(getattr(driver, "info", None), "backend_pid", None)
    return f"pid {pid}" if pid else None
