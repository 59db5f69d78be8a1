"""DuckDB's errors as plain sentences, and whether trying again may help."""

from __future__ import annotations

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
)


def plainly(error: duckdb.Error) -> WarehouseError:
    """What a failed query is to be called."""
    text = str(error)
    for pattern, sentence in SAID:
        if found := re.search(pattern, text):
            return WarehouseError(sentence.format(*found.groups()))
    if isinstance(error, duckdb.PermissionException):
        return WarehouseError("the query reaches outside the warehouse's tables, which is not allowed")
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseError("the query needs more memory than there is", transient=True)
    transient = isinstance(error, duckdb.IOException | duckdb.ConnectionException)
    return WarehouseError(f"the query failed: {_first_sentence(text)}", transient)


def cannot_open(path: str, error: Exception) -> WarehouseError:
    """Why a file could not be opened. A missing or locked file may be there soon."""
    text = str(error)
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
