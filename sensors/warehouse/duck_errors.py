"""DuckDB's errors as plain sentences, and whether trying again may help."""

from __future__ import annotations

import json
import re

import duckdb

from sensors.warehouse import WarehouseError

SAID = (
    (r'Table with name "?([^"!]+?)"? does not exist', "the warehouse has no table {0}"),
    (r'Referenced column "([^"]+)" not found', "the tables read have no column {0}"),
    (r'Table "([^"]+)" does not have a column named "([^"]+)"', "{0} has no column {1}"),
    (r'Referenced table "([^"]+)" not found', "nothing in FROM is called {0}"),
    (r"Function with name ([^ ]+) does not exist", "the warehouse has no function {0}"),
    (r'syntax error at or near "([^"]*)"', "the warehouse cannot read the SQL near {0!r}"),
    (r'Ambiguous reference to column name "([^"]+)"', "{0} is in several tables: write which one is meant"),
    (r"argument types '~~\*?\((.*?)\)'", "LIKE and ILIKE compare texts, not {0}"),
    (r"argument types '([^\w\s'(]+)\((.*?)\)'", "{0} does not take {1}; cast one of them"),
    (r"argument types '(\w+)\(\)'", "{0} needs something to work on between its brackets"),
    (r"argument types '(\w+)\((.*?)\)'", "{0} does not take ({1})"),
    (r"Cannot compare values of type (\w+).*? and type (\w+)", "{0} and {1} cannot be compared; cast one"),
    (r'column "([^"]+)" must appear in the GROUP BY', "{0} stands neither in GROUP BY nor in an aggregate"),
    (r"WHERE clause cannot contain aggregates", "an aggregate may not stand in WHERE; use HAVING"),
    (r"WHERE clause cannot contain window functions", "a window function needs QUALIFY, not WHERE"),
)  # fmt: skip
LITERAL = re.compile(r"_LITERAL\b")  # DuckDB's own word for a value that is written out


def plainly(error: duckdb.Error, sql: str = "") -> WarehouseError:
    """What a failed query is to be called, and where in `sql` it failed."""
    said, at = _unpacked(error, sql)
    text = LITERAL.sub("", said)
    for pattern, sentence in SAID:
        if found := re.search(pattern, text):
            if at is None:
                at = _named(found.groups(), sql)
            return WarehouseError(sentence.format(*found.groups()), at=at)
    if isinstance(error, duckdb.PermissionException):
        return WarehouseError("the query reaches outside the warehouse's tables, which is not allowed")
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseError("the query needs more memory than there is", transient=True)
    transient = isinstance(error, duckdb.IOException | duckdb.ConnectionException)
    return WarehouseError(f"the query failed: {_first_sentence(text)}", transient, at)


def _unpacked(error: Exception, sql: str = "") -> tuple[str, int | None]:
    """What DuckDB said, and the offset in the SQL where it failed; it counts in bytes."""
    text = str(error)
    found = re.search(r"\{\"exception_type\".*\}", text, re.DOTALL)
    try:
        said = json.loads(found[0]) if found else {}
    except ValueError:
        said = {}
    message, position = str(said.get("exception_message", text)), str(said.get("position", ""))
    if not position.isdigit():
        return message, None
    return message, len(sql.encode()[: int(position)].decode(errors="ignore"))


def _named(names: tuple[str, ...], sql: str) -> int | None:
    """Where the SQL names what the error is about; not every error has a caret."""
    for word in (".".join(names), *reversed(names)):
        if word and (found := re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", sql, re.IGNORECASE)):
            return found.start()
    return None


def cannot_open(path: str, error: Exception) -> WarehouseError:
    """Why a file could not be opened. A missing or locked file may be there soon."""
    text, _ = _unpacked(error)
    if "lock" in text.lower():
        return WarehouseError(f"{path} is being written by another process", transient=True)
    if "does not exist" in text or "No such file" in text:
        return WarehouseError(f"there is no file {path}", transient=True)
    if "not a valid DuckDB" in text:
        return WarehouseError(f"{path} is not a DuckDB file")
    return WarehouseError(f"{path} cannot be opened: {_first_sentence(text)}", transient=True)


def _first_sentence(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else "no reason given"
    line = re.sub(r"^(\w+ )?\w+ Error: ", "", line)
    return line[:1].lower() + line[1:300].rstrip(".!")
