"""What a database refuses of a policy's query, at its place in the template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Protocol

from sensors.draft import BOUNDS, Draft, place
from sensors.model.catalog import Problem
from sensors.model.policy import Query
from sensors.rules.policy import column_rules, type_rules
from sensors.sources import sql_path
from sensors.sql.safety import Flaw
from sensors.warehouse import Result, WarehouseError, WrongSession
from sensors.warehouse.dialect_origin import origin, refused
from sensors.yaml_marks import line_of

BINDS = dict.fromkeys(sorted(BOUNDS), datetime(2000, 1, 1, tzinfo=UTC))  # a time without data


NEAR = 80  # characters before and after a place that tell it from others
EVERYWHERE = re.compile(
    "GROUP BY|HAVING|QUALIFY|write a |nothing in FROM|in several tables|two columns named"
)  # no other dialect helps, or it is said already

OURS = re.compile(r" (>= :(window|baseline)_start|< :window_(start|end))")


class Reader(Protocol):
    """Reads queries and says what they give. Its errors know where in the native SQL they are."""

    @property
    def dialect(self) -> str: ...

    def read(self, query: Query, binds: Mapping[str, Any]) -> Result: ...

    def native(self, query: Query) -> str: ...


def refusals(one: Draft, query: Query, reader: Reader, *, warning: bool = False) -> Iterator[Problem]:
    """Why it cannot be run; and columns that the YAML names and only the database knows not to be there."""
    named = re.findall(r"(?<!:):(\w+)", query.native.get(reader.dialect, query.sql))
    try:
        given = reader.read(query, {**dict.fromkeys(named), **query.params, **BINDS})
    except WarehouseError as error:
        if not error.transient:
            yield _refusal(one, query, reader, error, warning=warning)
        return
    if one.file is None:
        return
    if one.columns is None:
        yield from column_rules(one, one.file, given.columns)
    if reader.dialect == "duckdb":
        types = dict(zip(given.columns, given.types, strict=False))
        yield from type_rules(one, one.file, types, warning=warning)


def _refusal(one: Draft, query: Query, reader: Reader, error: WarehouseError, *, warning: bool) -> Problem:
    if isinstance(error, WrongSession) and one.file is not None and (own := one.file.session.value().said):
        return replace(one.document.problem(("session", next(iter(own))), error.message), warning=warning)
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
    """A place of the shaped SQL in the template: where the same word stands among the same words."""
    found = None if at is None else re.compile(r"\w+(\.\w+)*|\S").match(shaped, at)
    if at is None or found is None:
        return place(file, text, Flaw(said, "select"))
    line = shaped.count("\n", 0, at) + 1
    starts = [m.start() for m in re.finditer(re.escape(found[0]), text)]
    if OURS.match(shaped, found.end()):  # what in_window and in_baseline wrote
        starts = [s for s in starts if text[s - 1] in "'\""] or starts
    if not starts:
        return place(file, text, Flaw(said, found[0], line))
    best = max(starts, key=lambda start: (_alike(text, start, shaped, at), -abs(_line(text, start) - line)))
    number = _line(text, best)
    return Problem(file, number, best - text.rfind("\n", 0, best), said, source=line_of(text, number))


def _alike(text: str, start: int, shaped: str, at: int) -> int:
    """How much of what stands around the two places is the same."""
    after = zip(text[start : start + NEAR], shaped[at : at + NEAR], strict=False)
    before = zip(text[:start][: -NEAR - 1 : -1], shaped[:at][: -NEAR - 1 : -1], strict=False)
    return sum(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both)) for both in (after, before))


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
