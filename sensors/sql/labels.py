"""Proof by lineage that a query does not read a column: the label by which its policy is to be scored.

It says yes only where it is sure; what could bring the column along by another name is refused."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


def why_it_may_read(sql: str, dialect: str, table: str, column: str) -> str:
    """In words why the query may read `column` of `table`; empty where it certainly does not."""
    try:
        root = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return f"its SQL cannot be read as {dialect}"
    return next(_ways(root, table, column.lower()), "")


def _ways(root: exp.Expr, table: str, label: str) -> Iterator[str]:
    if any(one.name.lower() == label for one in root.find_all(exp.Identifier)):
        yield f"its SQL names {label}"
    for star in root.find_all(exp.Star, exp.Columns):
        if not isinstance(star.parent, exp.Count):
            yield f"a star stands for every column, and so for {label}: name the columns instead"
    for join in root.find_all(exp.Join):
        if str(join.args.get("method") or "").upper() == "NATURAL":
            yield f"a NATURAL JOIN compares every column of a name, and so may read {label}"
    yield from _whole_rows(root, table, label)


def _whole_rows(root: exp.Expr, table: str, label: str) -> Iterator[str]:
    """Ways to have all columns of the table without a star."""
    here = [one for one in root.find_all(exp.Table) if _is(one, table)]
    names = {one.alias_or_name.lower() for one in here} | {table.rpartition(".")[2]}
    for one in here:
        alias = one.args.get("alias")
        if alias is not None and alias.columns:
            yield f"{one.alias} gives the columns of {table} other names: name them as they are"
    for column in root.find_all(exp.Column):
        if not column.table and column.name.lower() in names:
            yield f"{column.name} stands for a whole row of {table}, and so for {label}"


def _is(node: exp.Table, table: str) -> bool:
    """Whether it is that table, however much of its name is written."""
    written = ".".join(part.name for part in node.parts).lower()
    return written == table or table.endswith(f".{written}") or written.endswith(f".{table}")
