"""Carries SQL from one dialect into another, once per text. Does not judge the SQL: lineage does."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from sensors.warehouse import spelled
from sensors.warehouse.dialect_carrying import carried
from sensors.warehouse.spelled import Untranslatable

OWN_BINDS = ("duckdb", "snowflake")  # whose adapters take them as sqlglot writes them


def spell(sql: str, read: str, write: str, tree: exp.Expr | None = None) -> str:
    """`sql` written in `write`, with binds as that warehouse takes them. `tree`: parsed already; used up."""
    held = spelled.known(sql, read, write)
    return spelled.keep(sql, read, write, _spell(sql, read, write, tree)) if held is None else held


def _spell(sql: str, read: str, write: str, tree: exp.Expr | None) -> str:
    try:
        tree = sqlglot.parse_one(sql, read=read) if tree is None else tree
        tree = carried(tree, read, write)
        if write not in OWN_BINDS:
            _plain_binds(tree)
        return tree.sql(dialect=write, unsupported_level=ErrorLevel.RAISE, copy=False)
    except UnsupportedError as error:
        said, name = _refused(str(error).strip().splitlines()[0].rstrip("."))
        raise Untranslatable(
            f"this cannot be carried from {read} to {write}: {said}; write a .{write}.sql beside it", name
        ) from None
    except SqlglotError:
        raise Untranslatable(f"this is not {read} SQL that can be read; run `patrol check`") from None


def _plain_binds(tree: exp.Expr) -> None:
    """`:name`, which the adapter gives to the driver as it likes them; sqlglot's spelling is one driver's."""
    for bind in list(tree.find_all(exp.Placeholder)):
        if bind.this:
            bind.replace(exp.Var(this=f":{bind.name}"))


def _refused(said: str) -> tuple[str, str]:
    """sqlglot's reason, with a function called as people write it; and its name."""
    if found := re.match(r"Argument '(\w+)' is not supported for expression '(\w+)'", said):
        written = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[2]).upper()
        return f"{written} with its {found[1]} is not supported there", found[2]
    name = re.match(r"[A-Z_0-9]+(?= is not supported)", said)
    return said, name[0] if name else ""
