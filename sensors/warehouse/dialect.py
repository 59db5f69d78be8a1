"""Carries a policy's SQL into a warehouse's dialect, once per text. Does not judge the SQL: lineage does."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from sensors.model.policy import Query

MOST = 20_000  # texts that are remembered: more than one for each policy


class Untranslatable(ValueError):
    """The SQL cannot be said in the warehouse's dialect: write a `.duckdb.sql` beside it.

    `name`: the function or part of a query that has no equal there, as sqlglot calls it.
    """

    def __init__(self, said: str, name: str = "") -> None:
        super().__init__(said)
        self.name = name


_spelled: dict[
    tuple[str, str, str], str
] = {}  # by text, dialect that it is in, dialect that it is carried into


def spelled() -> dict[tuple[str, str, str], str]:
    """All that this process has carried over, for the shelf."""
    return _spelled


def native(query: Query, dialect: str) -> str:
    """The query in `dialect`; raises Untranslatable with one sentence."""
    if dialect in query.native:
        return spell(query.native[dialect], dialect, dialect)
    return spell(query.sql, query.dialect, dialect)


def spell(sql: str, read: str, write: str, tree: exp.Expr | None = None) -> str:
    """`sql` written in `write`, with binds as that warehouse takes them. `tree`: parsed already; used up."""
    held = _spelled.get((sql, read, write))
    if held is None:
        held = _spell(sql, read, write, tree)
        while len(_spelled) >= MOST:
            _spelled.pop(next(iter(_spelled)), None)
        _spelled[(sql, read, write)] = held
    return held


def _spell(sql: str, read: str, write: str, tree: exp.Expr | None) -> str:
    try:
        tree = sqlglot.parse_one(sql, read=read) if tree is None else tree
        if read != write:
            unquoted(tree)
        return tree.sql(dialect=write, unsupported_level=ErrorLevel.RAISE, copy=False)
    except UnsupportedError as error:
        said, name = _refused(str(error).strip().splitlines()[0].rstrip("."))
        raise Untranslatable(
            f"this cannot be carried from {read} to {write}: {said}; write a .{write}.sql beside it", name
        ) from None
    except SqlglotError:
        raise Untranslatable(f"this is not {read} SQL that can be read; run `patrol check`") from None


def _refused(said: str) -> tuple[str, str]:
    """sqlglot's reason, with a function called as people write it; and its name."""
    if found := re.match(r"Argument '(\w+)' is not supported for expression '(\w+)'", said):
        written = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[2]).upper()
        return f"{written} with its {found[1]} is not supported there", found[2]
    name = re.match(r"[A-Z_0-9]+(?= is not supported)", said)
    return said, name[0] if name else ""


def unquoted(tree: exp.Expr) -> exp.Expr:
    """`v:path::string` is the bare text in Snowflake; elsewhere a cast of JSON would keep its quotes."""
    for cast in tree.find_all(exp.Cast):
        found = cast.this
        if isinstance(found, exp.JSONExtract) and cast.to.is_type(*exp.DataType.TEXT_TYPES):
            cast.set("this", exp.JSONExtractScalar(this=found.this, expression=found.expression))
    return tree
