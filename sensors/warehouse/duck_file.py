"""Which DuckDB file is open now: follows a folder's CURRENT pointer, and a file replaced under its name."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from sensors.warehouse import WarehouseError
from sensors.warehouse.duck_errors import cannot_open

POINTER = "CURRENT"  # in a folder: the name of the present file
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "threads": 1,
    "errors_as_json": "true",  # which say exactly where: the caret under a long line may point elsewhere
}
Identity = tuple[str, int, int]  # path, device, inode: what stays the same while a file is the same file
SETTLED_NS = 1_000_000_000  # a pointer so old is not written again under the same time
Mark = tuple[int, int, int, int]  # of a pointer: what differs when it has been written or replaced


class OpenFile:
    """One open file, and who uses it."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.identity = identity
        self.users = 0
        self.retired = False
        self.loaded: dict[tuple[str, str], datetime | None] = {}  # by table and column
        self._connection = _open(path)
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self._columns: Mapping[str, Mapping[str, str]] | None = None
        self._lock = threading.Lock()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            cursor = self._connection.cursor()
            self._cursors.append(cursor)
            return cursor

    def columns(self, table: str) -> Mapping[str, str]:
        """Columns of a table by its lower-case name; read once, since the file does not change."""
        with self._lock:
            if self._columns is None:
                self._columns = _columns(self._connection)
            return self._columns.get(table, {})

    def close(self) -> None:
        """Every cursor too: DuckDB goes on serving this file to all until the last one is closed."""
        with self._lock:
            for cursor in self._cursors:
                cursor.close()
            self._cursors.clear()
            self._connection.close()


class Files:
    """Lends out the present file. An earlier one is closed when its last user has given it back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pointer = str(path / POINTER)
        self._pointed: tuple[Mark, Path] | None = None  # what the pointer named when it was last read
        self._present: OpenFile | None = None
        self._changed = threading.Condition()

    @contextmanager
    def borrow(self) -> Iterator[OpenFile]:
        """The file as it is now. Raises WarehouseError where there is none."""
        file = self._take()
        try:
            yield file
        finally:
            self._give_back(file)

    def mark(self) -> str:
        """Of the file that would be lent out now: another for each that is served, also where one takes the
        place of another. Raises WarehouseError where there is none."""
        with self._changed:
            stat = _stat(self._target())
        return f"{stat.st_dev} {stat.st_ino} {stat.st_mtime_ns} {stat.st_size}"

    def close(self) -> None:
        with self._changed:
            if self._present is not None:
                self._retire(self._present)

    def _take(self) -> OpenFile:
        with self._changed:
            while (file := self._now()) is None:
                self._changed.wait()
            file.users += 1
            return file

    def _now(self) -> OpenFile | None:
        """The present file, opened if need be; None while users of its forerunner must be waited for."""
        path = self._target()
        identity = _identity(path)
        held = self._present
        if held is not None and held.identity == identity:
            return held
        if held is not None:
            self._retire(held)
            # A new file under the same name can be opened only once nobody holds the old one.
            if held.users and held.identity[0] == identity[0]:
                return None
        self._present = OpenFile(path, identity)
        return self._present

    def _give_back(self, file: OpenFile) -> None:
        with self._changed:
            file.users -= 1
            if file.retired:
                self._retire(file)
            self._changed.notify_all()

    def _retire(self, file: OpenFile) -> None:
        """Closes the file, at once or when its last user has given it back."""
        file.retired = True
        if not file.users:
            file.close()
            if self._present is file:
                self._present = None

    def _target(self) -> Path:
        """The present file: the one that the folder's pointer names, or the path itself."""
        try:
            stat = os.stat(self._pointer)
            mark = (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if self._pointed is not None and self._pointed[0] == mark:
                return self._pointed[1]
            with open(self._pointer, encoding="utf-8", errors="replace") as pointer:
                name = pointer.read().strip()
        except NotADirectoryError:
            return self._path
        except OSError as error:
            if self._path.is_dir():
                said = f"the folder {self._path} has no readable {POINTER} file yet"
                raise WarehouseError(said, transient=True) from error
            return self._path
        if not name.isprintable() or not name or "/" in name or name.startswith("."):
            said = f"{self._path / POINTER} must hold the name of a file beside it, not {name[:80]!r}"
            raise WarehouseError(said, transient=True)
        file = self._path / name
        settled = time.time_ns() - stat.st_mtime_ns > SETTLED_NS
        self._pointed = (mark, file) if settled else None
        return file


def _identity(path: Path) -> Identity:
    stat = _stat(path)
    return (str(path), stat.st_dev, stat.st_ino)


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise cannot_open(str(path), error) from None


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), read_only=True, config=SETTINGS)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise cannot_open(str(path), error) from None
    return connection


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Tables as `schema.table`, `database.schema.table` and, in the main schema, `table`."""
    rows = connection.execute(
        "SELECT lower(database_name), lower(schema_name), lower(table_name), lower(column_name), data_type"
        " FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for database, schema, table, column, kind in rows:
        names = [f"{schema}.{table}", f"{database}.{schema}.{table}"] + ([table] if schema == "main" else [])
        for name in names:
            tables.setdefault(name, {})[column] = str(kind).lower()
    return tables
