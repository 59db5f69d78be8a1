"""Which columns tables have, until when they are loaded: asked for all at once, again of what changed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sensors.model.clock import utc
from sensors.warehouse import WarehouseError
from sensors.warehouse.snowflake_changes import Ask, Changes, Mark

Source = tuple[str, str | None]  # a table, and its column that says how far it is loaded; None: LAST_ALTERED
COLUMNS_S = 3600.0  # so long the columns of a table are believed: to ask wakes a warehouse
SAME_S = 3600.0  # and so long a time whose table has the same mark: a view may hold more as time goes by
MISSING_S = 60.0  # and so long that a table is not there
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
        self._changes = Changes(ask, clock)
        self._columns: dict[str, tuple[float, Mapping[str, str]]] = {}  # until when they are believed
        self._loaded: dict[Source, tuple[Mark | None, float, datetime | None]] = {}  # mark, when it was asked
        self._loaded_at = -LOADED_S
        self._lock = threading.RLock()

    def columns(self, table: str) -> Mapping[str, str]:
        return self._of([table.lower()])[table.lower()]

    def loaded_until(self, sources: Iterable[Source]) -> dict[Source, datetime]:
        """The newest time in each column, or when each table was last altered; those that are not there, or
        hold no time, are left out. What has not changed since it was last asked is not asked again."""
        wanted = list(sources)
        with self._lock:
            fresh = self._clock() - self._loaded_at < LOADED_S
            if not fresh or any(source not in self._loaded for source in wanted):
                there = [one for one, (mark, _, at) in self._loaded.items() if mark is not None or at]
                self._look_again(list(dict.fromkeys([*there, *wanted])), wanted)
                self._loaded_at = self._clock()
            return {source: at for source in wanted if (at := self._loaded[source][2]) is not None}

    def _look_again(self, every: list[Source], wanted: list[Source]) -> None:
        """Marks come first: what changes between them and the times is asked again the next time."""
        marks = self._changes.marks({table for table, _ in every if NAME.fullmatch(table)})
        stale = [one for one in every if one not in self._loaded or self._changed(one, marks.get(one[0]))]
        if stale:
            newest = self._newest(stale, [one for one in stale if one in wanted])
            for one in set(stale) - newest.keys():
                self._loaded.pop(one, None)
            now = self._clock()
            self._loaded |= {one: (marks.get(one[0]), now, at) for one, at in newest.items()}

    def _changed(self, source: Source, mark: Mark | None) -> bool:
        known, asked_at, _ = self._loaded[source]
        return mark is None or known != mark or self._clock() - asked_at >= SAME_S

    def _newest(self, stale: list[Source], wanted: list[Source]) -> dict[Source, datetime | None]:
        try:
            return self._asked(stale)
        except WarehouseError as error:
            if error.transient:
                raise
            self._columns.clear()  # one may be gone, or of another type
            if len(stale) == len(wanted):
                raise
            return self._asked(wanted)  # another policy's table may be what fails

    def _asked(self, sources: list[Source]) -> dict[Source, datetime | None]:
        columns = self._of([table.lower() for table, column in sources if column])
        parts = []
        for n, (table, column) in enumerate(sources):
            if column and (as_time := AS_TIME.get(columns[table.lower()].get(column.lower(), ""))):
                parts.append(f"SELECT {n} AS n, {as_time.format(column)} AS loaded FROM {table}")
        rows = self._ask(" UNION ALL ".join(parts), []) if parts else []
        found: dict[Source, datetime | None] = dict.fromkeys(sources)
        found |= {sources[int(n)]: utc(at) for n, at in rows if isinstance(at, datetime)}
        altered = [table for table, column in sources if column is None]
        return found | {(table, None): at for table, at in self._altered(altered)}

    def _of(self, tables: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """Columns by table, of these; what is asked for one is asked for all that are no longer believed."""
        with self._lock:
            now = self._clock()
            old = [t for t, (until, _) in self._columns.items() if until <= now]
            wanted = list(tables)
            if missing := [t for t in wanted if t not in self._columns or t in old]:
                described = self._described(list(dict.fromkeys([*missing, *old])))
                for table, found in described.items():
                    self._columns[table] = (now + (COLUMNS_S if found else MISSING_S), found)
            return {table: self._columns[table][1] for table in wanted}

    def _described(self, tables: list[str]) -> dict[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = {table: {} for table in tables}
        columns = ("LOWER(column_name) AS c", "LOWER(data_type) AS k")
        for table, column, kind in self._listed(tables, "COLUMNS", columns, "ordinal_position"):
            found[table][column] = kind
        return dict(found)

    def _altered(self, tables: list[str]) -> Iterator[tuple[str, datetime]]:
        """Of tables that hold rows: a view's is when its text was changed."""
        kinds = ("LAST_ALTERED AS a", "table_type AS k")
        for table, at, kind in self._listed(tables, "TABLES", kinds, "table_name"):
            if isinstance(at, datetime) and "VIEW" not in str(kind).upper():
                yield table, utc(at)

    def _listed(
        self, tables: Iterable[str], view: str, columns: Iterable[str], order: str
    ) -> Iterator[tuple[Any, ...]]:
        """What a view of INFORMATION_SCHEMA says of tables, one query for each database: table, columns."""
        by_database: dict[str, list[str]] = {}
        for table in tables:
            if NAME.fullmatch(table):
                by_database.setdefault(table.split(".")[0] if table.count(".") == 2 else "", []).append(table)
        for database, here in by_database.items():
            whose: dict[tuple[str, str], list[str]] = {}
            for table in here:
                parts = table.lower().split(".")
                place = parts[-2] if len(parts) > 1 else self._schema or "public"
                whose.setdefault((place, parts[-1]), []).append(table)
            where = f"{database}.INFORMATION_SCHEMA" if database else "INFORMATION_SCHEMA"
            pairs = " OR ".join("(table_schema = ? AND table_name = ?)" for _ in whose)
            sql = (
                f"SELECT LOWER(table_schema) AS s, LOWER(table_name) AS t, {', '.join(columns)}"
                f" FROM {where}.{view} WHERE {pairs} ORDER BY {order}"
            )
            for schema, name, *rest in self._ask(sql, [part.upper() for pair in whose for part in pair]):
                for table in whose.get((schema, name), ()):
                    yield (table, *rest)
