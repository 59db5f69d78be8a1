"""What databases behind SQLAlchemy say of a failed query, in plain words, and whether it may pass."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sensors.warehouse import WarehouseError

# ruff: noqa: E501 - a table reads by its rows
# By SQLSTATE: a pattern of what Postgres says in English, and the sentence that is made of it.
SAID = (
    ("42P01", r'missing FROM-clause entry for table "([^"]+)"', "nothing in FROM is called {0}"),
    ("42P01", r'relation "([^"]+)" does not exist', "the warehouse has no table {0}"),
    ("42703", r'column "?([^" ]+)"? does not exist', "the tables read have no column {0}"),
    (
        "42883",
        r"function ([^( ]+)\((.*?)\) does not exist",
        "the warehouse has no function {0} that takes ({1}); cast what it is given",
    ),
    ("42883", r"operator does not exist: (.+)", "the warehouse cannot do {0}; cast one of them"),
    ("42601", r'syntax error at or near "([^"]*)"', "the warehouse cannot read the SQL near {0!r}"),
    ("42601", r"syntax error at end of input", "the SQL ends before it is whole"),
    (
        "42702",
        r'column reference "([^"]+)" is ambiguous',
        "{0} is in several tables: write which one is meant",
    ),
    ("42803", r'column "([^"]+)" must appear', "{0} stands neither in GROUP BY nor in an aggregate"),
    ("42803", r"not allowed in WHERE", "an aggregate may not stand in WHERE; use HAVING"),
    ("42P20", r"not allowed in WHERE", "a window function may not stand in WHERE; ask around a subquery"),
    ("42P18", "", "the type of a parameter cannot be told: write CAST(:name AS …)"),
    (
        "42501",
        r"for (?:table|view|relation|schema|function|sequence) (\S+)",
        "Patrol's role may not read {0}: grant it that there",
    ),
    ("25006", "", "the query would write, and Patrol only reads"),
    ("3F000", r'schema "([^"]+)"', "the warehouse has no schema {0}"),
    ("3D000", "", "the warehouse has no such database"),
    ("28P01", "", "the warehouse refuses the user or the password"),
    ("22012", "", "the query divides by zero: write NULLIF(…, 0)"),
)
CLICKHOUSE = re.compile(r"^Received ClickHouse exception.*?DB::Exception: | \(for url [^)]*\)$")
SENT_BEFORE = 90  # characters of a cursor's name and of who asks, about
PASSING = {  # by class, the first two characters, or whole
    "08": "the connection to the warehouse broke",
    "53": "the warehouse has no room just now: {message}",
    "57": "the warehouse stopped the query: {message}",
    "58": "the warehouse has trouble of its own: {message}",
    "40": "the warehouse undid the query for another's sake: {message}",
    "55P03": "what the query reads is locked just now",
    "XX000": "the warehouse failed inside: {message}",
}
# By what a message says, where there is no SQLSTATE: as a connection is made, and from other databases.
WORDS = (
    (r"password authentication failed|access denied|authentication", "the warehouse refuses the user or the password", False),
    (r'database "([^"]+)" does not exist|unknown database', "the warehouse has no such database", False),
    (r'role "([^"]+)" (does not exist|is not permitted)', "the warehouse does not let this role in", False),
    (r"no pg_hba.conf entry", "the warehouse lets nobody in from here: its pg_hba.conf must name Patrol's address", False),
    (r"too many (clients|connections)|remaining connection slots", "the warehouse has no connection to spare", True),
    (r"starting up|shutting down|recovery mode", "the warehouse is starting or ending", True),
    (r"could not translate host name|name or service not known|failed to resolve", "there is no host of that name", True),
    (r"no such table: (\S+)", "the warehouse has no table {0}", False),
    (r"no such column: (\S+)", "the tables read have no column {0}", False),
    (r"no such function: (\S+)", "the warehouse has no function {0}", False),
    (r'near "([^"]+)": syntax error', "the warehouse cannot read the SQL near {0!r}", False),
    (r"Unknown (?:expression or function |expression )?identifier [`'](.+?)[`'.]", "the tables read have no column {0}", False),
    (r"Unknown table expression identifier '([^']+)'", "the warehouse has no table {0}", False),
    (r"Function with name [`'](.+?)[`'] does not exist", "the warehouse has no function {0}", False),
    (r"Not enough privileges.*? ON ([\w`*]+(?:\.[\w`*]+)?)", "Patrol's role may not read {0}: grant it that there", False),
    (r"MEMORY_LIMIT_EXCEEDED|TOO_MANY_SIMULTANEOUS_QUERIES", "the warehouse has no room just now", True),
    (r"unable to open database file", "there is no such file", True),
    (r"readonly database|read-only", "the query would write, and Patrol only reads", False),
)  # fmt: skip


def plainly(error: SQLAlchemyError, sql: str = "") -> WarehouseError:
    """What a failed query is to be called, and where in `sql` it failed."""
    if isinstance(error, PoolTimeout):
        return WarehouseError("all connections to the warehouse are in use", transient=True)
    if not isinstance(error, DBAPIError):
        return WarehouseError(f"the query failed: {_first_line(str(error))}")
    cause: Any = error.orig
    state, message = str(getattr(cause, "sqlstate", None) or ""), _first_line(str(cause))
    for of, pattern, sentence in SAID:
        if of == state and (found := re.search(pattern, message)):
            return WarehouseError(sentence.format(*found.groups()), at=_at(found.groups(), sql, cause))
    for passing in (state, state[:2]):
        if passing and passing in PASSING:
            return WarehouseError(PASSING[passing].format(message=message), transient=True)
    if state:
        return WarehouseError(f"the query failed: {message}")
    return _by_words(error, message, sql)


def _by_words(error: DBAPIError, message: str, sql: str) -> WarehouseError:
    for pattern, sentence, transient in WORDS:
        if found := re.search(pattern, message, re.IGNORECASE):
            names = tuple(name for name in found.groups() if name)
            return WarehouseError(sentence.format(*names), transient, _at(names, sql, error.orig))
    if error.connection_invalidated or type(error.orig).__name__ in ("OperationalError", "InterfaceError"):
        return WarehouseError(f"the warehouse does not answer: {message}", transient=True)
    return WarehouseError(f"the query failed: {message}")


def _at(names: tuple[str, ...], sql: str, cause: Any) -> int | None:
    """Where the SQL names what the error is about: the place nearest to where Postgres says that it is.

    A driver puts a cursor's name before the text and other signs for its binds, so that is not exact.
    """
    said = str(getattr(getattr(cause, "diag", None), "statement_position", None) or "")
    near = int(said) - SENT_BEFORE if said.isdigit() else 0
    word = names[0].rpartition(".")[2] if names else ""
    if not word:
        return None
    edges = (r"(?<!\w)" if word[0].isalnum() else "", r"(?!\w)" if word[-1].isalnum() else "")
    found = re.finditer(edges[0] + re.escape(word) + edges[1], sql, re.IGNORECASE)
    return min((m.start() for m in found), key=lambda start: abs(start - near), default=None)


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    line = CLICKHOUSE.sub("", line)
    line = re.sub(r"^(connection failed: )?(.*?: )?(ERROR|FATAL): +|^connection failed: ", "", line)
    shouted = line[1:2].isupper()  # DECLARE
    return line[: not shouted].lower() + line[not shouted : 300].rstrip(".!")
