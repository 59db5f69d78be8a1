"""What a query's form says of its rows: how many there are for a key, and which tables it reads whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from sensors.sql.slips import STARTS, Slip, slips_of

TIMES = (*STARTS, "window_end")
COMPARING = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.Between, exp.In, exp.Like, exp.ILike)
COUNTING = (exp.Count, exp.CountIf, exp.ApproxDistinct)
KEEPING = (exp.Where, exp.Join, exp.Having, exp.Qualify)  # parts of a SELECT that leave rows out


@dataclass(frozen=True)
class Scan:
    """A table that grows, read without a bound on its time. `kept`: other conditions leave rows out."""

    table: str
    line: int
    kept: bool


@dataclass(frozen=True)
class Facts:
    """`one_row_of`: sets of result columns of whose values there is one row each. Empty where not known.
    `gathered`: result columns that sum up several rows. `windowed`: tables that the window bounds; None where
    that is not known."""

    one_row_of: tuple[frozenset[str], ...] = ()
    limit: int | None = None  # rows of the whole result
    limit_line: int = 1
    scans: tuple[Scan, ...] = ()
    gathered: frozenset[str] = frozenset()
    windowed: frozenset[str] | None = None
    filled: frozenset[str] = frozenset()  # result columns that are never NULL
    slips: tuple[Slip, ...] = ()

    def one_row_per(self, key: Sequence[str], by: str | None = None) -> bool:
        """Whether no two rows of the result have the same key (`by`: this column among what tells)."""
        return any(columns <= set(key) and (by is None or by in columns) for columns in self.one_row_of)


UNKNOWN = Facts()


def facts(root: exp.Expr, scopes: Sequence[Scope], times: Mapping[str, str]) -> Facts:
    """`times`: of tables that grow, the column that says when."""
    limit = root.args.get("limit")
    most = limit.expression if isinstance(limit, exp.Limit) else limit and limit.args.get("count")
    number = int(most.this) if isinstance(most, exp.Literal) and str(most.this).isdigit() else None
    line = next((int(n.meta["line"]) for n in limit.walk() if "line" in n.meta), 1) if limit else 1
    unique = tuple(_unique(root)) if isinstance(root, exp.Select) else ()
    given = root.expressions if isinstance(root, exp.Select) else ()
    gathered = frozenset(one.alias_or_name.lower() for one in given if _aggregates(one))
    scans = tuple(_scans(scopes, times)) if times else ()
    filled = frozenset(_filled(root)) if isinstance(root, exp.Select) else frozenset()
    return Facts(unique, number, line, scans, gathered, _windowed(scopes), filled, slips_of(root))


def _unique(select: exp.Select) -> Iterator[frozenset[str]]:
    if any(one.find(exp.Unnest, exp.Explode) for one in select.expressions):
        return  # a list in a row becomes several rows
    grouped = select.args.get("group")
    if isinstance(grouped, exp.Group):
        found = _grouped(select, grouped)
        if found is not None:
            yield found
    elif any(_aggregates(one) for one in select.expressions):
        yield frozenset()  # one row in all
    distinct = select.args.get("distinct")
    if distinct is not None and not distinct.args.get("on"):
        names = [one.alias_or_name.lower() for one in select.expressions]
        if all(names) and not any(one.is_star for one in select.expressions):
            yield frozenset(names)
    qualify = select.args.get("qualify")
    if qualify is not None:
        yield from _first_of_each(select, qualify.this)


def _grouped(select: exp.Select, grouped: exp.Group) -> frozenset[str] | None:
    """The result's names of what it is grouped by; None where something is not in the result."""
    if any(grouped.args.get(kind) for kind in ("grouping_sets", "cube", "rollup", "totals")):
        return None
    if grouped.args.get("all"):
        plain = [one for one in select.expressions if not _aggregates(one)]
        return (
            None if any(one.is_star for one in plain) else frozenset(o.alias_or_name.lower() for o in plain)
        )
    return _named(select, grouped.expressions)


def _named(select: exp.Select, parts: Sequence[exp.Expr]) -> frozenset[str] | None:
    names = [_name(select, part) for part in parts]
    return frozenset(name for name in names if name) if parts and all(names) else None


def _name(select: exp.Select, part: exp.Expr) -> str | None:
    """What the result calls an expression: by its alias, its place, or the column that it is."""
    if isinstance(part, exp.Literal) and str(part.this).isdigit():
        at = int(part.this) - 1
        return select.expressions[at].alias_or_name.lower() if 0 <= at < len(select.expressions) else None
    for one in select.expressions:
        if one.unalias() == part or _same_column(one.unalias(), part):
            return str(one.alias_or_name.lower())
    if isinstance(part, exp.Column) and not part.table:
        return next(
            (n for one in select.expressions if (n := one.alias_or_name.lower()) == part.name.lower()), None
        )
    return None


def _same_column(one: exp.Expr, other: exp.Expr) -> bool:
    if not (isinstance(one, exp.Column) and isinstance(other, exp.Column)):
        return False
    tables = {one.table.lower(), other.table.lower()} - {""}
    return one.name.lower() == other.name.lower() and len(tables) < 2


def _aggregates(part: exp.Expr) -> bool:
    """Whether it sums up rows; within OVER (…) each row keeps its own."""
    return any(not isinstance(f.parent, exp.Window) and _own(f, part) for f in part.find_all(exp.AggFunc))


def _own(function: exp.Expr, part: exp.Expr) -> bool:
    node: exp.Expr | None = function
    while node is not None and node is not part:
        if isinstance(node, exp.Select | exp.Window):
            return False
        node = node.parent
    return True


def _first_of_each(select: exp.Select, condition: exp.Expr) -> Iterator[frozenset[str]]:
    """`QUALIFY ROW_NUMBER() OVER (PARTITION BY a) = 1`: one row of each a."""
    for part in condition.flatten() if isinstance(condition, exp.And) else (condition,):
        if not (isinstance(part, exp.EQ) and isinstance(part.expression, exp.Literal)):
            continue
        window = part.this
        if part.expression.this != "1" or not isinstance(window, exp.Window):
            continue
        found = _named(select, window.args.get("partition_by") or [])
        if found is not None and isinstance(window.this, exp.RowNumber):
            yield found


def _windowed(scopes: Sequence[Scope]) -> frozenset[str] | None:
    named: set[str] = set()
    for scope in scopes:
        for bound in scope.find_all(exp.Placeholder):
            if str(bound.this).lower() not in STARTS:
                continue
            column = bound.parent.this if isinstance(bound.parent, exp.GTE) else None
            sources = [source for _, source in scope.selected_sources.values()]
            of = sources[0] if len(sources) == 1 else None
            if isinstance(column, exp.Column) and column.table:
                of = scope.sources.get(column.table)
            if not isinstance(column, exp.Column) or not isinstance(of, exp.Table):
                return None
            named.add(_table_name(of))
    return frozenset(named)


def _plain(select: exp.Select) -> bool:
    """Whether a condition outside may as well stand inside: it names columns of single rows."""
    gathers = any(select.args.get(part) for part in ("group", "distinct", "qualify", "limit", "match"))
    return not gathers and not any(_aggregates(one) or one.find(exp.Window) for one in select.expressions)


def _filled(select: exp.Select) -> Iterator[str]:
    """What is counted, or compared by a condition that each row of the result has met."""
    compared = [side for one in _met(select) if isinstance(one, COMPARING) for side in _sides(one)]
    for one in select.expressions:
        name, said = one.alias_or_name.lower(), one.unalias()
        if isinstance(said, COUNTING) or any(_is(side, said, name) for side in compared):
            yield name


def _met(select: exp.Select) -> Iterator[exp.Expr]:
    for kept in filter(None, (select.args.get(part) for part in ("where", "having", "qualify"))):
        yield from kept.this.flatten() if isinstance(kept.this, exp.And) else (kept.this,)


def _sides(one: exp.Expr) -> Iterator[exp.Expr]:
    return (side for side in (one.this, one.args.get("expression")) if isinstance(side, exp.Expr))


def _is(side: exp.Expr, said: exp.Expr, name: str) -> bool:
    """Whether that is what the result calls so."""
    by_name = isinstance(side, exp.Column) and not side.table and side.name.lower() == name
    return by_name or side == said or _same_column(side, said)


def _scans(scopes: Sequence[Scope], times: Mapping[str, str]) -> Iterator[Scan]:
    for scope in scopes:
        if not isinstance(scope.expression, exp.Select):
            continue
        sources = [source for _, source in scope.selected_sources.values()]
        tables = [s for s in sources if isinstance(s, exp.Table)]
        growing = {t: name for t in tables if (name := _table_name(t)) in times}
        asked = any(column.table for column in scope.external_columns)
        if not growing or len(tables) < len(sources) or asked or scope.subquery_scopes:
            continue  # what it is joined with, or asked by, may bound it
        if not scope.is_root and _plain(scope.expression):
            continue  # who reads from it bounds it, and warehouses ask the table so
        if any(str(one.this).lower() in TIMES for one in scope.find_all(exp.Placeholder)):
            continue  # bounded by another time of it: that of its arrival, its partition's day
        bounds = {times[name] for name in growing.values()}
        kept = [c for c in scope.columns if isinstance(c.find_ancestor(*KEEPING, exp.Select), KEEPING)]
        if not any(column.name.lower() in bounds for column in kept):
            for table, name in growing.items():
                line = int(table.this.meta.get("line", 1))
                yield Scan(name, line, bool(scope.expression.args.get("where")))


def _table_name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()
