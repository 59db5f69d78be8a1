"""A DuckDB file as the warehouse: read-only, sealed off, in UTC. Which file is open is duck_file's matter."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import duckdb

from sensors.model.asset import Asset
from sensors.model.clock import utc
from sensors.model.policy import Query
from sensors.warehouse import QueryTimeout, Result, WarehouseError
from sensors.warehouse.binds import naive, valued
from sensors.warehouse.capped import named_once, size_of
from sensors.warehouse.dialect import native
from sensors.warehouse.duck_errors import plainly
from sensors.warehouse.duck_file import Files
from sensors.warehouse.watchdog import Watchdog


class Opened(Protocol):
    """An open database."""

    loaded: dict[tuple[str, str], datetime | None]

    def cursor(self) -> duckdb.DuckDBPyConnection: ...
    def columns(self, table: str) -> Mapping[str, str]: ...


class Lender(Protocol):
    """Lends out the database that is to be asked now: a file, or what is held in memory."""

    def borrow(self) -> AbstractContextManager[Opened]: ...
    def mark(self) -> str: ...
    def close(self) -> None: ...


class Duck:
    """A `Warehouse`. Each thread has a cursor of its own; a query past its timeout is interrupted."""

    dialect = "duckdb"

    def __init__(self, files: Lender) -> None:
        self._files = files
        self._watchdog = Watchdog()
        self._local = threading.local()
        self._close = weakref.finalize(self, _close, self._files, self._watchdog)
        self._named: dict[str, frozenset[str]] = {}  # binds by SQL text: as many as there are policies

    @staticmethod
    def at(url: str) -> Duck:
        """`duckdb:///relative.duckdb`, `duckdb:////absolute.duckdb`, or a folder with a CURRENT file."""
        text = unquote(url.partition("://")[2].partition("?")[0])
        if not text.strip("/") or text.startswith(":memory:"):
            raise WarehouseError(f"{url!r} names no file: write duckdb:///path/to/file.duckdb")
        return Duck(Files(Path(text.removeprefix("/"))))

    def query(
        self,
        sql: str,
        binds: Mapping[str, Any],
        *,
        limit: int,
        timeout: timedelta,
        tag: str = "",  # noqa: ARG002 - DuckDB keeps no tags
    ) -> Result:
        started = time.monotonic()
        with self._files.borrow() as file:
            cursor = self._cursor(file)
            with self._stopped_after(timeout, cursor, sql):
                columns, types, rows = _fetch(cursor, sql, self._binds(cursor, sql, binds), limit)
        elapsed = time.monotonic() - started
        given = tuple(rows[:limit])
        return Result(columns, given, len(rows) > limit, None, elapsed, size_of(given), types)

    def native(self, query: Query) -> str:
        return native(query, self.dialect)

    def loaded_until(self, assets: Iterable[Asset]) -> dict[str, datetime]:
        with self._files.borrow() as file:
            wanted = [(a.name, a.loaded_until) for a in assets if a.loaded_until in file.columns(a.name)]
            sources = [(table, str(column)) for table, column in wanted]
            missing = [source for source in sources if source not in file.loaded]
            if missing:
                file.loaded |= self._newest(missing)
            found = {table: file.loaded[table, column] for table, column in sources}
        return {table: at for table, at in found.items() if at is not None}

    def _newest(self, sources: list[tuple[str, str]]) -> dict[tuple[str, str], datetime | None]:
        """The newest time in each column, by one query."""
        sql = " UNION ALL ".join(
            f"SELECT {n}, TRY_CAST(max({quoted(column)}) AS TIMESTAMP) FROM {quoted(table)}"
            for n, (table, column) in enumerate(sources)
        )
        found = self.query(sql, {}, limit=len(sources), timeout=timedelta(minutes=1))
        return {sources[n]: utc(at) if isinstance(at, datetime) else None for n, at in found.rows}

    def columns(self, table: str) -> dict[str, str]:
        with self._files.borrow() as file:
            return dict(file.columns(table.lower()))

    def ping(self) -> None:
        self.query("SELECT 1", {}, limit=1, timeout=timedelta(seconds=10))

    def mark(self) -> str:
        """Of the file that the next query would be asked of; found without opening it."""
        return self._files.mark()

    def close(self) -> None:
        """Also done at the end of the process, before DuckDB's own parts are taken down."""
        self._close()

    def _cursor(self, file: Opened) -> duckdb.DuckDBPyConnection:
        """This thread's cursor on the open file; a cursor on an earlier one is let go."""
        held: tuple[Opened, duckdb.DuckDBPyConnection] | None = getattr(self._local, "held", None)
        if held is None or held[0] is not file:
            held = (file, file.cursor())
            self._local.held = held
        return held[1]

    def _binds(self, cursor: duckdb.DuckDBPyConnection, sql: str, binds: Mapping[str, Any]) -> dict[str, Any]:
        """Values for the binds that the SQL names, which is read once per text."""
        names = self._named.get(sql)
        if names is None:
            names = self._named[sql] = _named(cursor, sql)
        valued(names, binds)
        return {name: naive(binds[name]) for name in names}

    @contextmanager
    def _stopped_after(
        self, timeout: timedelta, cursor: duckdb.DuckDBPyConnection, sql: str
    ) -> Iterator[None]:
        with self._watchdog.watch(timeout.total_seconds(), cursor.interrupt) as guard:
            try:
                yield
            except duckdb.InterruptException:
                if not guard.fired:
                    raise WarehouseError("the query was interrupted from outside", transient=True) from None
                seconds = f"{timeout.total_seconds():g} s"
                raise QueryTimeout(f"the query took longer than {seconds} and was stopped") from None
            except duckdb.Error as error:
                raise plainly(error, sql) from None


def _close(files: Lender, watchdog: Watchdog) -> None:
    watchdog.close()
    files.close()


def _fetch(
    cursor: duckdb.DuckDBPyConnection, sql: str, binds: dict[str, Any], limit: int
) -> tuple[tuple[str, ...], tuple[str, ...], list[tuple[Any, ...]]]:
    """Names and types of the columns, and up to `limit` + 1 rows."""
    cursor.execute(sql, binds or None)
    described = cursor.description or ()
    columns = named_once(str(column[0]) for column in described)
    return columns, tuple(str(column[1]) for column in described), cursor.fetchmany(limit + 1)


def _named(cursor: duckdb.DuckDBPyConnection, sql: str) -> frozenset[str]:
    """The binds that the SQL names. A second guard besides: one statement, and that a SELECT."""
    statements = cursor.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise WarehouseError("only one SELECT may be run")
    return frozenset(statements[0].named_parameters)


def quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
