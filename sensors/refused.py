"""What a database refuses of a policy's query, at its place in the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from sensors.draft import BOUNDS, Draft, place
from sensors.lineage import Flaw
from sensors.model.catalog import Problem
from sensors.model.policy import Query
from sensors.rules import column_rules
from sensors.sources import sql_path
from sensors.warehouse import Result, WarehouseError
from sensors.warehouse.dialect_origin import origin, refused

BINDS = dict.fromkeys(sorted(BOUNDS), datetime(2000, 1, 1, tzinfo=UTC))  # a time without data


EVERYWHERE = re.compile("GROUP BY|HAVING|QUALIFY|write a ")  # no other dialect helps, or it is said already


class Reader(Protocol):
    """Reads queries and says what they give. Its errors know where in the native SQL they are."""

    @property
    def dialect(self) -> str: ...

    def read(self, query: Query, binds: Mapping[str, Any]) -> Result: ...

    def native(self, query: Query) -> str: ...


def refusals(one: Draft, query: Query, reader: Reader, *, warning: bool = False) -> Iterator[Problem]:
    """Why it cannot be run; and columns that the YAML names and only the database knows not to be there."""
    try:
        given = reader.read(query, {**query.params, **BINDS})
    except WarehouseError as error:
        if not error.transient:
            yield _refusal(one, query, reader, error, warning=warning)
        return
    if one.columns is None and one.file is not None:
        yield from column_rules(one, one.file, given.columns)


def _refusal(one: Draft, query: Query, reader: Reader, error: WarehouseError, *, warning: bool) -> Problem:
    write = reader.dialect
    said = error.message.removeprefix(f"{query.path}: ")
    if write in query.native:
        file, text, shaped, read = sql_path(one.name, write), one.natives[write], query.native[write], write
    else:
        file, text, shaped, read = query.path, one.sql, query.sql, query.dialect
        said += "" if read == write or EVERYWHERE.search(said) else _advice(read, write)
    try:
        at = None if error.at is None else origin(shaped, read, write, reader.native(query), error.at)
    except WarehouseError:
        at = None
    if at is None and error.name:
        at = refused(shaped, read, error.name)
    return replace(_at(file, text, shaped, said, at), warning=warning)


def _advice(read: str, write: str) -> str:
    return f" (carried from {read} to {write}; a .{write}.sql beside it is taken instead)"


def _at(file: str, text: str, shaped: str, said: str, at: int | None) -> Problem:
    """A place of the shaped SQL in the template: the same, or where the same word next stands."""
    if at is None:
        return place(file, text, Flaw(said, "select"))
    before = shaped[:at]
    line, column = before.count("\n") + 1, at - before.rfind("\n")
    found = re.compile(r"\w+(\.\w+)*|\S").match(shaped, at)
    word = found[0] if found else ""
    lines = text.splitlines()
    if line <= len(lines) and lines[line - 1][column - 1 : column - 1 + len(word)] == word:
        return Problem(file, line, column, said, source=lines[line - 1].rstrip())
    return place(file, text, Flaw(said, word, line))
