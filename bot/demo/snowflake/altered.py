"""When tables were last altered: noted of each statement that does, and shown as LAST_ALTERED."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import duckdb
from fakesnow.conn import FakeSnowflakeConnection

from bot.demo.snowflake.refusals import OBJECT, Refusal

ASKED = re.compile(r"INFORMATION_SCHEMA\s*\.\s*\"?(TABLES|_FS_TABLES)\b", re.IGNORECASE)
MARK = re.compile(r"SYSTEM\$LAST_CHANGE_COMMIT_TIME\(\s*'([^']*)'\s*\)", re.IGNORECASE)
ALTERING = frozenset({"Insert", "Update", "Delete", "Merge", "Create", "Alter", "TruncateTable", "Drop"})
IS_VIEW = "SELECT 1 FROM duckdb_views() WHERE (database_name, schema_name, view_name) = (?, ?, ?)"
NOTED = "_fs_global.main.ALTERED"
COLUMNS = (  # of Snowflake's INFORMATION_SCHEMA.TABLES those that are true here
    "t.catalog AS TABLE_CATALOG, t.place AS TABLE_SCHEMA, t.name AS TABLE_NAME,"
    " IF(n.stands, 'BASE TABLE', t.kind) AS TABLE_TYPE, t.size AS ROW_COUNT, n.altered AS LAST_ALTERED"
)
SHOWN = f"""
    CREATE OR REPLACE VIEW {{0}}._fs_information_schema._fs_tables AS
    WITH t AS (
        SELECT database_name AS catalog, schema_name AS place, table_name AS name, 'BASE TABLE' AS kind,
            estimated_size AS size FROM duckdb_tables()
        UNION ALL
        SELECT database_name, schema_name, view_name,
            'VIEW', NULL
        FROM duckdb_views() WHERE NOT internal
    )
    SELECT {COLUMNS} FROM t LEFT JOIN {NOTED} n USING (catalog, place, name)
    WHERE t.catalog = '{{0}}' AND t.place NOT IN ('_fs_information_schema', 'main', 'information_schema')
"""


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    key = "catalog VARCHAR, place VARCHAR, name VARCHAR, PRIMARY KEY (catalog, place, name)"
    connection.execute(f"CREATE TABLE {NOTED} ({key}, altered TIMESTAMPTZ, stands BOOLEAN)")


def note(
    connection: duckdb.DuckDBPyConnection, table: tuple[str, str, str], at: datetime, stands: bool = False
) -> None:
    """`table`: its database, schema and name. `stands`: a view that stands for a table, altered as one."""
    connection.execute(f"INSERT OR REPLACE INTO {NOTED} VALUES (?, ?, ?, ?, ?)", [*table, at, stands])


def note_of(connection: FakeSnowflakeConnection, statement: Any) -> None:
    """What a statement that has run altered: the first table that it names."""
    if type(statement).__name__ not in ALTERING:
        return
    table = next((node for node in statement.walk() if type(node).__name__ == "Table"), None)
    if table is not None and table.name:
        catalog, place = table.catalog or connection.database or "", table.db or connection.schema or ""
        at = datetime.now(UTC)
        note(connection._duck_conn, (catalog.upper(), place.upper(), table.name.upper()), at)


def marked(connection: duckdb.DuckDBPyConnection, sql: str, database: str, schema: str) -> str:
    """The SQL with a number for each mark that it asks for, greater after each change of the table. Raises
    Refusal for what is no table."""

    def mark(found: re.Match[str]) -> str:
        parts = found[1].upper().split(".")
        name = (*([database, schema, ""][: 3 - len(parts)]), *parts)[:3]
        asked = f"SELECT EPOCH_NS(altered), stands FROM {NOTED} WHERE (catalog, place, name) = (?, ?, ?)"
        row = connection.execute(asked, list(name)).fetchone()
        if row and not row[1] and connection.execute(IS_VIEW, list(name)).fetchone():
            raise Refusal(2, "Unsupported feature 'the mark of a view'.", "0A000")
        if row is None:
            raise Refusal(2003, f"SQL compilation error:\n{OBJECT.format('.'.join(name))}", "42S02")
        return str(row[0])

    return MARK.sub(mark, sql)


def show(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Puts the view of each database right, where the SQL asks for it."""
    if ASKED.search(sql):
        found = connection.execute("SELECT DISTINCT catalog FROM " + NOTED).fetchall()
        known = connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        for (name,) in sorted(set(found) & set(known)):
            connection.execute(SHOWN.format(name))
