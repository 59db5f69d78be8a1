"""Whether each row of a query stands for itself, so that larger windows find the same rows.

Only what is sure is said: one SELECT that filters by the window and puts no rows together."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

TOGETHER = ("group", "having", "distinct", "qualify", "limit", "offset", "windows", "pivots", "match")
BOUNDS = ("window_start", "window_end")


def rows_stand_alone(sql: str, dialect: str, column: str) -> bool:
    """Whether a row of the result depends on nothing of the window but that its own time lies in it, and says
    that time in `column`."""
    try:
        root = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return False
    bounds = [p for p in root.find_all(exp.Placeholder) if str(p.this).lower() in BOUNDS]
    if not isinstance(root, exp.Select) or len(bounds) != 2:
        return False
    if any(root.args.get(part) for part in TOGETHER) or any(_gathers(one) for one in root.expressions):
        return False
    return all(_plainly(bound, root) and _given(bound, root, column) for bound in bounds)


def _gathers(projection: exp.Expr) -> bool:
    """Whether it is computed from many rows of this SELECT."""
    found = projection.find_all(exp.AggFunc, exp.Window, exp.UDTF, exp.AnonymousAggFunc)
    return any(node.find_ancestor(exp.Select) is projection.find_ancestor(exp.Select) for node in found)


def _given(bound: exp.Expr, root: exp.Select, column: str) -> bool:
    """Whether what is held against the bound is the column that the result gives."""
    of = bound.parent.this if bound.parent else None
    if not isinstance(of, exp.Column) or of.name.lower() != column:
        return False
    return any(
        isinstance(given.this, exp.Star) or isinstance(given, exp.Star) or _same(given, of)
        for given in root.expressions
    )


def _same(given: exp.Expr, of: exp.Column) -> bool:
    if not isinstance(given, exp.Column) or given.name.lower() != of.name.lower():
        return False
    return not given.table or not of.table or given.table.lower() == of.table.lower()


def _plainly(bound: exp.Expr, root: exp.Select) -> bool:
    """Whether it stands in one of the conditions of WHERE that must all hold."""
    return any(isinstance(at, exp.Where) and at.parent is root for at in _up(bound))


def _up(node: exp.Expr) -> Iterator[exp.Expr]:
    """Its ancestors through comparisons and AND, and what comes after those."""
    at = node.parent
    while isinstance(at, exp.GTE | exp.GT | exp.LT | exp.LTE | exp.And | exp.Paren):
        at = at.parent
    if at is not None:
        yield at
