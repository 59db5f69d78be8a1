"""Carries a policy's SQL into a warehouse's dialect, once per text. Does not judge the SQL: lineage does."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from sensors.model.policy import Query


class Untranslatable(ValueError):
    """The SQL cannot be said in the warehouse's dialect: write a `.duckdb.sql` beside it."""


def native(query: Query, dialect: str) -> str:
    """The query in `dialect`; raises Untranslatable with one sentence."""
    if dialect in query.native:
        return spell(query.native[dialect], dialect, dialect)
    return spell(query.sql, query.dialect, dialect)


@lru_cache(maxsize=8192)
def spell(sql: str, read: str, write: str) -> str:
    """`sql` written in `write`; `:name` binds become what that warehouse takes."""
    try:
        tree = sqlglot.parse_one(sql, read=read)
        if read != write:
            _unquote(tree)
        return tree.sql(dialect=write, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        said = str(error).strip().splitlines()[0].rstrip(".")
        raise Untranslatable(
            f"this cannot be carried from {read} to {write}: {said}; write a .{write}.sql beside it"
        ) from None
    except SqlglotError:
        raise Untranslatable(f"this is not {read} SQL that can be read; run `patrol check`") from None


def _unquote(tree: exp.Expr) -> None:
    """`v:path::string` is the bare text in Snowflake; elsewhere a cast of JSON would keep its quotes."""
    for cast in tree.find_all(exp.Cast):
        found = cast.this
        if isinstance(found, exp.JSONExtract) and cast.to.is_type(*exp.DataType.TEXT_TYPES):
            cast.set("this", exp.JSONExtractScalar(this=found.this, expression=found.expression))
