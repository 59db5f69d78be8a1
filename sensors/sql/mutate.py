"""Small changes to a policy's SQL, one at a time, by a fixed set of operators. Runs none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sensors.warehouse.dialect_spelling import spell
from sensors.warehouse.spelled import Untranslatable

ENGINE = {"window_start", "window_end", "baseline_start"}  # comparisons with these are not the author's
COMPARISONS: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}
SUMS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren)


@dataclass(frozen=True)
class Change:
    """One changed query. `was` and `now` are what differs, as the author's dialect writes it."""

    operator: str  # comparison | bound | and/or | dropped | join | distinct
    was: str
    now: str
    sql: str  # in the author's dialect
    runs: bool  # False: it cannot be said in the warehouse's dialect
    line: int  # of the SQL that was changed
    snippet: str  # its text there


@dataclass(frozen=True)
class _Edit:
    """A node of the tree to be replaced; `shown` is what of it, or around it, people should see."""

    operator: str
    node: exp.Expr
    new: exp.Expr
    shown: exp.Expr


def changes(sql: str, dialect: str, carry_to: str = "duckdb") -> list[Change]:
    """Every change, in the order of the SQL's text. Nothing where it cannot be parsed."""
    try:
        root = sqlglot.parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError, ValueError):
        return []
    nodes = {id(node): number for number, node in enumerate(root.walk())}
    made = [
        _changed(root, nodes[id(edit.node)], edit, sql, dialect, carry_to)
        for operator in OPERATORS
        for node in root.walk()
        for edit in operator(node)
    ]
    return sorted(made, key=lambda one: (one.line, sql.find(one.snippet)))


def _changed(root: exp.Expr, number: int, edit: _Edit, sql: str, dialect: str, carry_to: str) -> Change:
    """The whole query with one node replaced, carried over while its tree is there."""
    copy = root.copy()
    target = next(node for i, node in enumerate(copy.walk()) if i == number)
    if target is copy:
        copy = edit.new.copy()
    else:
        target.replace(edit.new.copy())
    text = copy.sql(dialect=dialect)
    runs = True
    try:
        spell(text, dialect, carry_to, copy)
    except Untranslatable:
        runs = False
    line, snippet = _place(edit.shown, sql)
    was, now = _told(edit, dialect)
    return Change(edit.operator, was, now, text, runs, line, snippet)


def _told(edit: _Edit, dialect: str) -> tuple[str, str]:
    """What was there and what is there now, around the place of the change."""
    shown = _said(edit.shown, dialect)
    if edit.operator == "dropped":
        return shown, "(dropped)"
    if edit.operator == "and/or":
        words = ("AND", "OR") if isinstance(edit.node, exp.And) else ("OR", "AND")
        return f"{words[0]} {shown}", f"{words[1]} {shown}"
    if edit.operator == "join":
        words = ("LEFT JOIN", "JOIN") if edit.node.args.get("side") else ("JOIN", "LEFT JOIN")
        return f"{words[0]} {shown}", f"{words[1]} {shown}"
    if edit.shown is edit.node:
        return _said(edit.node, dialect), _said(edit.new, dialect)
    inner = list(edit.shown.walk())
    number = next(i for i, node in enumerate(inner) if node is edit.node)
    copy = edit.shown.copy()
    next(node for i, node in enumerate(copy.walk()) if i == number).replace(edit.new.copy())
    return shown, _said(copy, dialect)


def _said(node: exp.Expr, dialect: str) -> str:
    """Its SQL as the author writes it: a parameter is `:name` in every dialect."""
    return node.transform(_named).sql(dialect=dialect)


def _named(node: exp.Expr) -> exp.Expr:
    return exp.Var(this=f":{node.name}") if isinstance(node, exp.Placeholder) else node


def _place(node: exp.Expr, sql: str) -> tuple[int, str]:
    """The line on which the node begins, and its text."""
    spots = [n.meta for n in node.walk() if "start" in n.meta]
    if not spots:
        return 1, ""
    first = min(spots, key=lambda meta: int(meta["start"]))
    end = max(int(meta["end"]) for meta in spots)
    return int(first["line"]), sql[int(first["start"]) : end + 1]


# ------------------------------------------------------------------------------ operators


def _comparison(node: exp.Expr) -> Iterator[_Edit]:
    """< and <=, > and >=, = and <> for each other."""
    other = COMPARISONS.get(type(node))
    if other is not None and not _of_the_engine(node):
        yield _Edit("comparison", node, other(this=node.this.copy(), expression=node.expression.copy()), node)


def _bound(node: exp.Expr) -> Iterator[_Edit]:
    """A number that something is compared with: one more and one less; a tenth, if it is no whole one."""
    if not (isinstance(node, exp.Literal) and not node.is_string):
        return
    above = node.parent
    while isinstance(above, SUMS):
        above = above.parent
    if above is None or not isinstance(above, (*COMPARISONS, exp.Between)) or _of_the_engine(above):
        return
    for value in beside(node.name):
        yield _Edit("bound", node, exp.Literal.number(value), above)


def beside(number: str) -> tuple[str, str]:
    """The numbers just under and over one: 7 → 6, 8; 0.5 → 0.45, 0.55."""
    exact = Decimal(number)
    step = Decimal(1) if exact == exact.to_integral_value() else abs(exact) / 10
    return f"{exact - step:f}", f"{exact + step:f}"


def _connector(node: exp.Expr) -> Iterator[_Edit]:
    """AND and OR for each other."""
    if isinstance(node, exp.And | exp.Or) and not _of_the_engine(node):
        other = exp.Or if isinstance(node, exp.And) else exp.And
        sides = {side: _in_brackets(node.args[side], exp.Connector) for side in ("this", "expression")}
        new = other(**sides)
        bare = exp.Paren(this=new) if isinstance(node.parent, exp.Connector | exp.Not) else new
        yield _Edit("and/or", node, bare, node.expression)


def _in_brackets(side: exp.Expr, kind: type[exp.Expr]) -> exp.Expr:
    return exp.Paren(this=side.copy()) if isinstance(side, kind) else side.copy()


def _dropped(node: exp.Expr) -> Iterator[_Edit]:
    """A part of an AND, or the only condition of WHERE, HAVING or QUALIFY, left out."""
    if isinstance(node, exp.Where | exp.Having | exp.Qualify):
        if not isinstance(node.this, exp.And) and not _of_the_engine(node.this):
            yield _Edit("dropped", node.this, exp.true(), node.this)
    elif isinstance(node, exp.And):
        left, right = node.this, node.expression
        if not _of_the_engine(right):
            yield _Edit("dropped", node, left, right)
        if not isinstance(left, exp.And) and not _of_the_engine(left):
            yield _Edit("dropped", node, right, left)


def _join(node: exp.Expr) -> Iterator[_Edit]:
    """LEFT JOIN and JOIN for each other."""
    if not isinstance(node, exp.Join) or not (node.args.get("on") or node.args.get("using")):
        return
    new = node.copy()
    if node.side == "LEFT" and node.kind in ("", "OUTER"):
        new.set("side", None)
        new.set("kind", None)
    elif not node.side and node.kind in ("", "INNER"):
        new.set("side", "LEFT")
        new.set("kind", None)
    else:
        return
    yield _Edit("join", node, new, node.this)


def _distinct(node: exp.Expr) -> Iterator[_Edit]:
    """COUNT(DISTINCT x) and COUNT(x) for each other; SELECT DISTINCT without it."""
    if (
        isinstance(node, exp.Count)
        and isinstance(node.this, exp.Distinct)
        and len(node.this.expressions) == 1
    ):
        yield _Edit("distinct", node, exp.Count(this=node.this.expressions[0].copy()), node)
    elif isinstance(node, exp.Count) and isinstance(node.this, exp.Column):
        yield _Edit("distinct", node, exp.Count(this=exp.Distinct(expressions=[node.this.copy()])), node)
    elif isinstance(node, exp.Select) and isinstance(node.args.get("distinct"), exp.Distinct):
        new = node.copy()
        new.set("distinct", None)
        yield _Edit("distinct", node, new, node)


def _of_the_engine(node: exp.Expr) -> bool:
    """Whether it does nothing but keep to the window."""
    if isinstance(node, exp.Paren):
        return _of_the_engine(node.this)
    if isinstance(node, exp.And):
        return _of_the_engine(node.this) and _of_the_engine(node.expression)
    return isinstance(node, tuple(COMPARISONS)) and any(
        p.name in ENGINE for p in node.find_all(exp.Placeholder)
    )


OPERATORS: tuple[Callable[[exp.Expr], Iterator[_Edit]], ...] = (
    _comparison,
    _bound,
    _connector,
    _dropped,
    _join,
    _distinct,
)
