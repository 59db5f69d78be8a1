"""When tables were last altered: noted of each statement that does, and shown as LAST_ALTERED."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import duckdb
from fakesnow.conn import FakeSnowflakeConnection

ASKED = re.compile(r"INFORMATION_SCHEMA\s*\.\s*\"?(TABLES|_FS_TABLES)\b", re.IGNORECASE)
ALTERING = frozenset({"Insert", "Update", "Delete", "Merge", "Create", "Alter", "TruncateTable", "Drop"})
NOTED = "_fs_global.main.ALTERED"
COLUMNS = (  # of Snowflake's INFORMATION_SCHEMA.TABLES those that are true here
    "t.catalog AS TABLE_CATALOG, t.place AS TABLE_SCHEMA, t.name AS TABLE_NAME, t.kind AS TABLE_TYPE,"
    " t.size AS ROW_COUNT, n.altered AS LAST_ALTERED"
)
SHOWN = f"""
    CREATE OR REPLACE VIEW {{0}}._fs_information_schema._fs_tables AS
    WITH t AS (
        SELECT database_name AS catalog, schema_name AS place, table_name AS name, 'BASE TABLE' AS kind,
            estimated_size AS size FROM duckdb_tables()
        UNION ALL
        SELECT database_name, schema_name, view_name, 'VIEW', NULL FROM duckdb_views() WHERE NOT internal
    )
    SELECT {COLUMNS} FROM t LEFT JOIN {NOTED} n USING (catalog, place, name)
    WHERE t.catalog = '{{0}}' AND t.place NOT IN ('_fs_information_schema', 'main', 'information_schema')
"""


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    key = "catalog VARCHAR, place VARCHAR, name VARCHAR"
    connection.execute(
        f"CREATE TABLE {NOTED} ({key}, altered TIMESTAMPTZ, PRIMARY KEY (catalog, place, name))"
    )


def note(connection: duckdb.DuckDBPyConnection, catalog: str, place: str, name: str, at: datetime) -> None:
    connection.execute(f"INSERT OR REPLACE INTO {NOTED} VALUES (?, ?, ?, ?)", [catalog, place, name, at])


def note_of(connection: FakeSnowflakeConnection, statement: Any) -> None:
    """What a statement that has run altered: the first table that it names."""
    if type(statement).__name__ not in ALTERING:
        return
    table = next((node for node in statement.walk() if type(node).__name__ == "Table"), None)
    if table is not None and table.name:
        catalog, place = table.catalog or connection.database or "", table.db or connection.schema or ""
        at = datetime.now(UTC)
        note(connection._duck_conn, catalog.upper(), place.upper(), table.name.upper(), at)


def show(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Puts the view of each database right, where the SQL asks for it."""
    if ASKED.search(sql):
        found = connection.execute("SELECT DISTINCT catalog FROM " + NOTED).fetchall()
        known = connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        for (name,) in sorted(set(found) & set(known)):
            connection.execute(SHOWN.format(name))
