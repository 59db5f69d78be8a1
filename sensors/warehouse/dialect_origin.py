"""Which place of a policy's SQL a place of the SQL that it was carried into comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sensors.warehouse.dialect_carrying import carried
from sensors.warehouse.spelled import Untranslatable


def origin(sql: str, read: str, write: str, spelled: str, at: int) -> int | None:
    """The offset in `sql` of what stands at offset `at` of `spelled`; None where that cannot be told.

    It is the smallest part of the query whose spelling in `write` stands there.
    """
    if read == write:
        return at if sql == spelled else _same_word(sql, spelled, at)
    try:
        tree = carried(sqlglot.parse_one(sql, read=read), read, write)
    except (SqlglotError, RecursionError, Untranslatable):
        return None
    parts: dict[str, list[exp.Expr]] = {}
    for node in tree.walk(bfs=False):
        if (text := _spelled(node, write)) in spelled:
            parts.setdefault(text, []).append(node)
    guess: int | None = None
    for text in sorted(filter(None, parts), key=len):
        starts = sorted({start for node in parts[text] if (start := _start(node)) is not None})
        places = list(_occurrences(text, spelled))
        here = next((n for n, start in enumerate(places) if start <= at < start + len(text)), None)
        if here is None or not starts:
            continue
        if len(starts) == len(places):  # each stands once in both: none was written twice over
            return starts[here]
        guess = starts[min(here, len(starts) - 1)] if guess is None else guess
    return guess


def refused(sql: str, read: str, name: str) -> int | None:
    """The offset of what the other dialect has no word for; `name` is the class or function it refused."""
    try:
        tree = sqlglot.parse_one(sql, read=read)
    except (SqlglotError, RecursionError):
        return None
    wanted = name.replace("_", "").lower()
    for node in tree.walk(bfs=False):
        if type(node).__name__.lower() == wanted:
            return _start(node)
    return None


def _spelled(node: exp.Expr, write: str) -> str:
    try:
        return node.sql(dialect=write)
    except (SqlglotError, ValueError, AttributeError, RecursionError):
        return ""


def _occurrences(text: str, within: str) -> Iterator[int]:
    edges = (r"(?<!\w)" if text[0].isalnum() else "", r"(?!\w)" if text[-1].isalnum() else "")
    for found in re.finditer(edges[0] + re.escape(text) + edges[1], within, re.IGNORECASE):
        yield found.start()


def _start(node: exp.Expr) -> int | None:
    return min((int(n.meta["start"]) for n in node.walk() if "start" in n.meta), default=None)


def _same_word(sql: str, spelled: str, at: int) -> int | None:
    """The same word as often before it: where only layout and quotes differ."""
    word = re.compile(r"\w+|[^\w\s]").match(spelled, at)
    if word is None:
        return None
    before = sum(1 for start in _occurrences(word[0], spelled) if start < at)
    found = list(_occurrences(word[0], sql))
    return found[min(before, len(found) - 1)] if found else None
