"""How a query holds its tables together: equal columns, bounds in time, and where a result comes from.

A table that is read twice counts as two. Silent where it cannot know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from sensors.model.policy import NOTHING

Schema = Mapping[str, Mapping[str, str]]  # table -> column -> type
Place = tuple[int, str]  # which of the query's sources, and its column in lower case
BOUNDS = ("baseline_start", "window_start", "window_end")  # in the order of time
DEEPEST = 30  # WITH upon WITH
PASSING = (exp.Cast, exp.TryCast, exp.Paren, exp.Max, exp.Min, exp.AnyValue)  # they give the value itself


@dataclass(frozen=True)
class Link:
    """Two places whose values the query holds equal; `loose` where that is one way of several (OR, CASE)."""

    one: Place
    other: Place
    loose: bool = False


@dataclass(frozen=True)
class Joins:
    """What is known of a query's sources."""

    tables: tuple[str, ...] = ()  # of each source
    links: tuple[Link, ...] = ()
    since: Mapping[Place, str] = field(
        default_factory=dict
    )  # the earliest bind that the column is compared with from below
    until: Mapping[Place, str] = field(default_factory=dict)  # the latest one from above
    gives: Mapping[str, tuple[Place, ...]] = NOTHING  # a result's column -> what its value is taken from
    made_of: Mapping[str, tuple[Place, ...]] = NOTHING  # the same, through functions too
    used: Mapping[str, frozenset[str]] = NOTHING  # table -> columns that the query reads; absent: all
    words: frozenset[str] = frozenset()  # texts that stand in the query itself

    def places_of(self, table: str, column: str) -> Iterator[Place]:
        return ((n, column) for n, name in enumerate(self.tables) if name == table)


def joins(sql: str, dialect: str, schema: Schema) -> Joins:
    """Reads the query; empty where it cannot be read."""
    try:
        root = sqlglot.parse_one(sql, read=dialect)
        scopes = traverse_scope(root)
    except (SqlglotError, RecursionError, ValueError):
        return Joins()
    return _Walk(scopes, schema).joins(root) if scopes else Joins()


@dataclass
class _Walk:
    """One walk over the scopes of a query."""

    scopes: list[Scope]
    schema: Schema
    tables: list[str] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)  # by the node's identity

    def joins(self, root: exp.Expr) -> Joins:
        for scope in self.scopes:
            for source in scope.sources.values():
                if isinstance(source, exp.Table) and id(source) not in self.numbers:
                    self.numbers[id(source)] = len(self.tables)
                    self.tables.append(".".join(part.name for part in source.parts).lower())
        links = tuple(dict.fromkeys(link for scope in self.scopes for link in self._links(scope)))
        since, until = self._bounds()
        outer = self.scopes[-1]
        names = [name for one in _selects(outer) for name in self._names(one)]
        return Joins(
            tables=tuple(self.tables),
            links=links,
            since=since,
            until=until,
            gives={name: self._given(outer, name, strict=True) for name in names},
            made_of={name: self._given(outer, name, strict=False) for name in names},
            used=self._used(),
            words=frozenset(str(one.this) for one in root.find_all(exp.Literal) if one.is_string),
        )

    # ------------------------------------------------------------------ equalities

    def _links(self, scope: Scope) -> Iterator[Link]:
        for equal in scope.find_all(exp.EQ, exp.NullSafeEQ):
            sides = [self._value(side, scope) for side in (equal.this, equal.expression)]
            yield from _pairs(*sides, loose=equal.find_ancestor(exp.Or, exp.Case, exp.Not) is not None)
        for within in scope.find_all(exp.In):
            query = within.args.get("query")
            inner = self._scope_of(query.this if isinstance(query, exp.Subquery) else query)
            for name in self._names(inner)[:1]:
                there = self._given(inner, name, strict=True) if inner else ()
                yield from _pairs(self._value(within.this, scope), there)
        yield from self._using(scope)

    def _using(self, scope: Scope) -> Iterator[Link]:
        """USING (a, b): the joined source with every one before it that has the column."""
        before = [scope.expression.args["from_"].this] if scope.expression.args.get("from_") else []
        for join in scope.expression.args.get("joins") or ():
            for named in join.args.get("using") or ():
                name = named.name.lower()
                here = self._of(scope.sources.get(join.this.alias_or_name), name, strict=True)
                for source in before:
                    there = self._of(scope.sources.get(source.alias_or_name), name, strict=True)
                    yield from _pairs(here, there)
            before.append(join.this)

    def _scope_of(self, query: object) -> Scope | None:
        return next((scope for scope in self.scopes if scope.expression is query), None)

    # ---------------------------------------------------------------------- bounds

    def _bounds(self) -> tuple[dict[Place, str], dict[Place, str]]:
        since: dict[Place, str] = {}
        until: dict[Place, str] = {}
        for scope, column, bind, from_below in self._compared():
            for place in self._value(column, scope):
                held = since if from_below else until
                order = [BOUNDS.index(name) for name in (held.get(place, bind), bind)]
                held[place] = BOUNDS[min(order) if from_below else max(order)]
        return since, until

    def _compared(self) -> Iterator[tuple[Scope, exp.Expr, str, bool]]:
        """Columns compared with the engine's binds, and whether from below."""
        for scope in self.scopes:
            for node in scope.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between):
                if isinstance(node, exp.Between):
                    yield from _bound(scope, node.this, node.args["low"], from_below=True)
                    yield from _bound(scope, node.this, node.args["high"], from_below=False)
                    continue
                greater = isinstance(node, exp.GT | exp.GTE)
                yield from _bound(scope, node.this, node.expression, from_below=greater)
                yield from _bound(scope, node.expression, node.this, from_below=not greater)

    # --------------------------------------------------------------------- columns

    def _value(self, node: exp.Expr | None, scope: Scope, *, strict: bool = True) -> tuple[Place, ...]:
        """The places that a node's value is taken from; `strict`: it is the value itself."""
        while strict and isinstance(node, PASSING):
            node = node.this
        if isinstance(node, exp.Column):
            return self._column(node, scope, strict=strict)
        if strict or node is None:
            return ()
        found = [self._column(column, scope, strict=False) for column in node.find_all(exp.Column)]
        return tuple(dict.fromkeys(place for places in found for place in places))

    def _column(self, column: exp.Column, scope: Scope, *, strict: bool) -> tuple[Place, ...]:
        name, alias = column.name.lower(), column.table.lower()
        of: Scope | None = scope
        while of is not None:
            found: list[Place] = []
            for source_name, source in of.sources.items():
                selected = source_name in of.selected_sources
                if alias == source_name.lower() or (not alias and selected and self._has(source, name, of)):
                    found += self._of(source, name, strict=strict)
            if found:
                return tuple(dict.fromkeys(found))
            of = None if of.is_cte else of.parent
        return ()

    def _has(self, source: object, name: str, of: Scope) -> bool:
        """Whether a column without a table may be this source's."""
        if len(of.selected_sources) == 1:
            return True
        if isinstance(source, exp.Table):
            return name in self.schema.get(self.tables[self.numbers[id(source)]], {})
        return isinstance(source, Scope) and name in self._names(source)

    def _of(self, source: object, name: str, *, strict: bool, depth: int = 0) -> tuple[Place, ...]:
        if isinstance(source, exp.Table):
            return ((self.numbers[id(source)], name),)
        if not isinstance(source, Scope) or depth > DEEPEST:
            return ()
        return self._given(source, name, strict=strict, depth=depth + 1)

    def _given(self, scope: Scope, name: str, *, strict: bool, depth: int = 0) -> tuple[Place, ...]:
        """Where a column that a SELECT gives comes from; of a UNION, in each of its parts."""
        found: list[Place] = []
        position = self._names(scope).index(name) if name in self._names(scope) else None
        for one in _selects(scope):
            names = self._names(one)
            called = name if name in names else names[position] if position is not None else name
            for projection in one.expression.expressions:
                star = projection.this if isinstance(projection, exp.Column) else projection
                if isinstance(star, exp.Star):
                    of = projection.table.lower() if isinstance(projection, exp.Column) else ""
                    for alias, (_, source) in one.selected_sources.items():
                        if (not of or of == alias.lower()) and self._gives(source, called):
                            found += self._of(source, called, strict=strict, depth=depth)
                elif projection.alias_or_name.lower() == called and depth <= DEEPEST:
                    found += self._value(projection.unalias(), one, strict=strict)
        return tuple(dict.fromkeys(found))

    def _gives(self, source: object, name: str) -> bool:
        if isinstance(source, exp.Table):
            return name in self.schema.get(self.tables[self.numbers[id(source)]], {name: ""})
        return isinstance(source, Scope) and name in self._names(source)

    def _names(self, scope: Scope | None) -> list[str]:
        """The columns that a scope gives, as far as they are known."""
        one = next(_selects(scope), None) if scope else None
        names: list[str] = []
        for projection in one.expression.expressions if one else ():
            star = projection.this if isinstance(projection, exp.Column) else projection
            if not isinstance(star, exp.Star):
                names.append(projection.alias_or_name.lower())
                continue
            of = projection.table.lower() if isinstance(projection, exp.Column) else ""
            for alias, (_, source) in one.selected_sources.items() if one else ():
                if of and of != alias.lower():
                    continue
                if isinstance(source, exp.Table):
                    names += self.schema.get(self.tables[self.numbers[id(source)]], {})
                elif source is not scope:
                    names += self._names(source)
        return names

    def _used(self) -> dict[str, frozenset[str]]:
        """Columns that are read of each table; tables that a star unfolds are left out."""
        used: dict[str, set[str]] = {table: set() for table in self.tables}
        whole: set[str] = set()
        for scope in self.scopes:
            for column in scope.find_all(exp.Column):
                for number, name in self._column(column, scope, strict=False):
                    used[self.tables[number]].add(name)
            for join in scope.expression.args.get("joins") or ():
                for named in join.args.get("using") or ():
                    name = named.name.lower()
                    for source in scope.sources.values():
                        if self._gives(source, name):
                            for number, own in self._of(source, name, strict=False):
                                used[self.tables[number]].add(own)
            whole |= set(self._starred(scope))
        return {
            table: frozenset(columns) for table, columns in used.items() if table not in whole and columns
        }

    def _starred(self, scope: Scope) -> Iterator[str]:
        for projection in getattr(scope.expression, "expressions", ()):
            star = projection.this if isinstance(projection, exp.Column) else projection
            if isinstance(star, exp.Star):
                of = projection.table.lower() if isinstance(projection, exp.Column) else ""
                for alias, (_, source) in scope.selected_sources.items():
                    if isinstance(source, exp.Table) and (not of or of == alias.lower()):
                        yield self.tables[self.numbers[id(source)]]


def _selects(scope: Scope) -> Iterator[Scope]:
    """The SELECTs behind a scope: itself, or the parts of a UNION."""
    if isinstance(scope.expression, exp.Select):
        yield scope
    for part in scope.set_operation_scopes or ():
        yield from _selects(part)


def _pairs(one: tuple[Place, ...], other: tuple[Place, ...], *, loose: bool = False) -> Iterator[Link]:
    several = len(one) * len(other) > 1
    for a in one:
        for b in other:
            if a[0] != b[0]:
                yield Link(a, b, loose or several)


def _bound(
    scope: Scope, column: exp.Expr, bind: exp.Expr, *, from_below: bool
) -> Iterator[tuple[Scope, exp.Expr, str, bool]]:
    if isinstance(bind, exp.Placeholder) and bind.name in BOUNDS:
        yield scope, column, bind.name, from_below
