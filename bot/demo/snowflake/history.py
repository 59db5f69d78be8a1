"""INFORMATION_SCHEMA.QUERY_HISTORY_BY_USER, asked in SQL like any table."""

from __future__ import annotations

import re

import duckdb

from bot.demo.snowflake.executions import Executions

CALL = re.compile(
    r"TABLE\(\s*(?:\w+\.)?INFORMATION_SCHEMA\.QUERY_HISTORY_BY_USER\(\s*(?:RESULT_LIMIT\s*=>\s*\d+)?\s*\)\s*\)",
    re.IGNORECASE,
)
NAMES = ("query_id", "query_text", "query_tag", "user_name", "role_name", "schema_name", "warehouse_name")
TEXTS = (*NAMES, "execution_status", "error_code", "error_message")
TIMES = ("start_time", "end_time")
TABLE = "_fs_global.main.QUERY_HISTORY"


def with_history(connection: duckdb.DuckDBPyConnection, sql: str, executions: Executions) -> str:
    """The SQL with the history as a table, written anew as it is now; without it, the SQL as it is."""
    if not CALL.search(sql):
        return sql
    columns = [f"{name.upper()} VARCHAR" for name in TEXTS] + [f"{n.upper()} TIMESTAMPTZ" for n in TIMES]
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({', '.join(columns)})")
    connection.execute(f"DELETE FROM {TABLE}")
    rows = [[one[name] for name in (*TEXTS, *TIMES)] for one in executions.history()]
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {TABLE} VALUES ({marks})", rows)
    return CALL.sub(TABLE, sql)
