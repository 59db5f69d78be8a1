"""The marketplace's newest version as the database MARKET: views over its file, moved as its pointer is."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from fakesnow.instance import FakeSnow

from bot.demo.publish import current
from bot.demo.snowflake.altered import note

LOOK_S = 0.5
KEPT = 3  # versions that stay attached: a statement may be at an earlier one
DATABASE = "MARKET"


class Following:
    """Follows a folder from a thread of its own, once `begin` has found its first version."""

    def __init__(self, fake: FakeSnow, folder: Path) -> None:
        self._folder = folder.resolve()
        self._connection = fake.duck_conn.cursor()
        self._attached: deque[str] = deque()
        self._version: Path | None = None
        fake.create_database_on_connect = True
        fake.connect(DATABASE).close()
        fake.create_database_on_connect = False

    def begin(self) -> None:
        self.look()
        threading.Thread(target=self._follow, name="following", daemon=True).start()

    def look(self) -> bool:
        """Moves the views to the newest version; whether there was a new one."""
        newest = current(self._folder)
        if newest is None or newest == self._version:
            return False
        try:
            self._move(newest)
        except duckdb.IOException:  # it was removed meanwhile: there is a newer one
            return False
        self._version = newest
        return True

    def _follow(self) -> None:
        while True:
            self.look()
            threading.Event().wait(LOOK_S)

    def _move(self, file: Path) -> None:
        name = file.stem.replace("-", "_")
        run = self._connection.execute
        run(f"ATTACH IF NOT EXISTS '{file}' AS {name} (READ_ONLY)")
        found = run(f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '{name}'")
        tables = found.fetchall()
        at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        run("BEGIN")
        for schema in sorted({schema for schema, _ in tables}):
            run(f"CREATE SCHEMA IF NOT EXISTS {DATABASE}.{schema.upper()}")
        for schema, table in tables:
            view = f"{DATABASE}.{schema.upper()}.{table.upper()}"
            run(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {name}.{schema}.{table}")
        run("COMMIT")
        for schema, table in tables:  # not within the transaction, which may write to one database
            note(self._connection, (DATABASE, schema.upper(), table.upper()), at, stands=True)
        self._attached.append(name)
        if len(self._attached) > KEPT:
            run(f"DETACH {self._attached.popleft()}")
