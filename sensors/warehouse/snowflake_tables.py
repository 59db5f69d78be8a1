"""Which columns tables have, until when they are loaded: asked for all of them at once, kept a moment."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sensors.model.clock import utc
from sensors.warehouse import WarehouseError

Rows = Sequence[Sequence[Any]]
Ask = Callable[[str, Sequence[Any]], Rows]  # SQL and its values → rows
Source = tuple[str, str]  # a table and its column that says how far it is loaded
COLUMNS_S = 60.0  # so long the columns of a table are believed
LOADED_S = 2.0  # all policies that are due together are answered by one query
NAME = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*){0,2}")
AS_TIME = {
    "text": "TRY_CAST(MAX({0}) AS TIMESTAMP_NTZ)",
    "timestamp_tz": "CAST(CONVERT_TIMEZONE('UTC', MAX({0})) AS TIMESTAMP_NTZ)",
    "timestamp_ltz": "CAST(CONVERT_TIMEZONE('UTC', MAX({0})) AS TIMESTAMP_NTZ)",
    "timestamp_ntz": "CAST(MAX({0}) AS TIMESTAMP_NTZ)",
    "date": "CAST(MAX({0}) AS TIMESTAMP_NTZ)",
}


class Tables:
    """Thread-safe. `schema` is where a bare name is looked for; empty: the session's."""

    def __init__(self, ask: Ask, schema: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._schema = schema
        self._clock = clock
        self._columns: dict[str, Mapping[str, str]] = {}
        self._columns_at = -COLUMNS_S
        self._loaded: dict[Source, datetime | None] = {}
        self._loaded_at = -LOADED_S
        self._lock = threading.RLock()

    def columns(self, table: str) -> Mapping[str, str]:
        return self._of([table.lower()])[table.lower()]

    def loaded_until(self, sources: Iterable[Source]) -> dict[Source, datetime]:
        """The newest time in each column; those that are not there, or hold no time, are left out."""
        wanted = list(sources)
        with self._lock:
            fresh = self._clock() - self._loaded_at < LOADED_S
            if not fresh or any(source not in self._loaded for source in wanted):
                self._loaded = self._newest(list(dict.fromkeys([*self._loaded, *wanted])), wanted)
                self._loaded_at = self._clock()
            return {source: at for source in wanted if (at := self._loaded[source]) is not None}

    def _newest(self, every: list[Source], wanted: list[Source]) -> dict[Source, datetime | None]:
        try:
            return self._asked(every)
        except WarehouseError as error:
            if error.transient or len(every) == len(wanted):
                raise
            return self._asked(wanted)  # another policy's table may be what fails

    def _asked(self, sources: list[Source]) -> dict[Source, datetime | None]:
        columns = self._of([table for table, _ in sources])
        parts = []
        for n, (table, column) in enumerate(sources):
            if as_time := AS_TIME.get(columns[table.lower()].get(column.lower(), "")):
                parts.append(f"SELECT {n} AS n, {as_time.format(column)} AS loaded FROM {table}")
        rows = self._ask(" UNION ALL ".join(parts), []) if parts else []
        found: dict[Source, datetime | None] = dict.fromkeys(sources)
        return found | {sources[int(n)]: utc(at) for n, at in rows if isinstance(at, datetime)}

    def _of(self, tables: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """Columns by table, of these and all that were ever asked for."""
        with self._lock:
            old = self._clock() - self._columns_at >= COLUMNS_S
            known = dict.fromkeys(self._columns) if old else {}
            missing = {**known, **{t.lower(): None for t in tables if old or t.lower() not in self._columns}}
            if missing:
                self._columns = ({} if old else self._columns) | self._described(list(missing))
                self._columns_at = self._clock() if old else self._columns_at
            return self._columns

    def _described(self, tables: list[str]) -> dict[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = {table: {} for table in tables}
        by_database: dict[str, list[str]] = {}
        for table in tables:
            if NAME.fullmatch(table):
                by_database.setdefault(table.split(".")[0] if table.count(".") == 2 else "", []).append(table)
        for database, here in by_database.items():
            sql, values, whose = _columns_of(database, here, self._schema)
            for schema, name, column, kind in self._ask(sql, values):
                for table in whose.get((schema, name), ()):
                    found[table][column] = kind
        return dict(found)


def _columns_of(
    database: str, tables: list[str], schema: str
) -> tuple[str, list[str], Mapping[tuple[str, str], list[str]]]:
    """The query for the columns of tables of one database, its values, and which table a row is of."""
    whose: dict[tuple[str, str], list[str]] = {}
    for table in tables:
        parts = table.split(".")
        whose.setdefault((parts[-2] if len(parts) > 1 else schema or "public", parts[-1]), []).append(table)
    place = f"{database}.INFORMATION_SCHEMA" if database else "INFORMATION_SCHEMA"
    pairs = " OR ".join("(table_schema = ? AND table_name = ?)" for _ in whose)
    sql = (
        "SELECT LOWER(table_schema) AS s, LOWER(table_name) AS t, LOWER(column_name) AS c,"
        f" LOWER(data_type) AS k FROM {place}.COLUMNS WHERE {pairs} ORDER BY ordinal_position"
    )
    return sql, [part.upper() for pair in whose for part in pair], whose
