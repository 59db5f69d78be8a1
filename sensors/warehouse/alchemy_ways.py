"""What differs between the databases that SQLAlchemy reaches: names, packages, and how a query is bounded.

Holds no driver and imports none. Tried in tests against a real one: Postgres and SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

TAG_CHARACTERS = 40  # of a policy's name in Postgres's application_name, which is cut at 63 bytes


@dataclass(frozen=True)
class Way:
    """`before`: said ahead of each query, in its transaction; {ms}, {s} and {tag} are filled in.
    `around`: the query as it is sent, where its bounds must stand in it: {sql}, {s} and {rows}."""

    dialect: str  # sqlglot's name of the SQL it speaks
    package: str  # what to install for it
    driver: str = ""  # SQLAlchemy's name of it with its driver, where the address names none
    before: tuple[str, ...] = ()
    around: str = "{sql}"
    backslashes: bool = False  # whether a backslash in a text keeps the quote after it from ending it

    @property
    def bounds_time(self) -> bool:
        """Whether the server itself stops a query that takes too long."""
        return any("{ms}" in said or "{s}" in said for said in (*self.before, self.around))

    def sent(self, sql: str, timeout: timedelta, rows: int) -> str:
        return self.around.format(sql=sql, s=f"{timeout.total_seconds():.3f}", rows=rows)


PSYCOPG = (
    "SELECT set_config('statement_timeout', '{ms}', true), set_config('application_name', '{tag}', true),"
    " set_config('TimeZone', 'UTC', true), set_config('cursor_tuple_fraction', '1', true)"  # we take all rows
)
# Its driver waits for the whole of a result, and cannot be stopped.
CLICKHOUSE = "SELECT * FROM (\n{sql}\n) LIMIT {rows} SETTINGS max_execution_time = {s}"
IN_UTC = "SET time_zone = '+00:00'"
WAYS = {
    "postgresql": Way("postgres", "psycopg[binary]", "postgresql+psycopg", (PSYCOPG,)),
    "cockroachdb": Way(
        "postgres",
        "sqlalchemy-cockroachdb psycopg[binary]",
        "cockroachdb+psycopg",
        ("SET LOCAL statement_timeout = {ms}",),
    ),
    "redshift": Way(
        "redshift",
        "sqlalchemy-redshift redshift_connector",
        "redshift+redshift_connector",
        ("SET statement_timeout TO {ms}",),
        backslashes=True,
    ),
    "mysql": Way(
        "mysql",
        "pymysql",
        "mysql+pymysql",
        ("SET SESSION max_execution_time = {ms}", IN_UTC, "START TRANSACTION READ ONLY"),
        backslashes=True,
    ),
    "mariadb": Way(
        "mysql",
        "pymysql",
        "mariadb+pymysql",
        ("SET SESSION max_statement_time = {s}", IN_UTC, "START TRANSACTION READ ONLY"),
        backslashes=True,
    ),
    "oracle": Way(
        "oracle",
        "oracledb",
        "oracle+oracledb",
        ("SET TRANSACTION READ ONLY", "ALTER SESSION SET TIME_ZONE = 'UTC'"),
    ),
    "mssql": Way("tsql", "pyodbc", "mssql+pyodbc"),
    "sqlite": Way("sqlite", "", "sqlite", ("PRAGMA query_only = ON",)),
    "clickhouse": Way(
        "clickhouse", "clickhouse-connect", "clickhousedb", around=CLICKHOUSE, backslashes=True
    ),
    "bigquery": Way("bigquery", "sqlalchemy-bigquery", "bigquery", backslashes=True),
    "trino": Way("trino", "trino[sqlalchemy]", "trino"),
    "databricks": Way("databricks", "databricks-sqlalchemy", "databricks", backslashes=True),
}
SAME = {"postgres": "postgresql", "clickhousedb": "clickhouse"}  # what people write


def backend(scheme: str) -> str:
    """`postgres+psycopg` → `postgresql`: the name without its driver."""
    name = scheme.lower().partition("+")[0]
    return SAME.get(name, name)
