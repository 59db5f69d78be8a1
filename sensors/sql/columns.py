"""Columns that a query asks of declared tables which do not have them. Silent wherever it cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from sensors.near import near

Known = Mapping[str, str] | None  # lower-case column -> the table that has it; None: anything may be there
SPECIAL = re.compile(r"\$|^(value|index|key|path|seq|this|rowid|row_number|level)$")  # a warehouse's own
QUOTES = re.compile("[‘’‚“”„]")  # as a word processor writes them
UNITS = re.compile(r"^(year|quarter|month|week|day|hour|minute|second|(milli|micro|nano)second)s?$")


@dataclass(frozen=True)
class Unknown:
    """A column that is not there: a sentence, what stands in the SQL, its bare name and its line."""

    what: str
    word: str
    name: str
    line: int


def scopes_of(root: exp.Expr) -> list[Scope]:
    """Every SELECT of a query with what it reads from."""
    try:
        return traverse_scope(root)
    except (SqlglotError, RecursionError):
        return []  # what cannot be walked is left to the warehouse


def unknown_columns(scopes: Sequence[Scope], schema: Mapping[str, Mapping[str, str]]) -> Iterator[Unknown]:
    """Walks every SELECT of a query; `schema` is what the declared tables have."""
    if not schema:
        return
    tables = _Tables(schema)
    seen: set[tuple[str, int]] = set()
    for scope in scopes:
        if not isinstance(scope.expression, exp.Select):
            continue
        for column in scope.columns:
            if column.parent_select is not scope.expression:
                continue  # a subquery's own; it is looked at there
            found = tables.unknown(column, scope)
            if found and (found.word, found.line) not in seen:
                seen.add((found.word, found.line))
                yield found


class _Tables:
    """What is known of each source of a query."""

    def __init__(self, schema: Mapping[str, Mapping[str, str]]) -> None:
        self.schema = schema
        self.held: dict[int, Known] = {}

    def unknown(self, column: exp.Column, scope: Scope) -> Unknown | None:
        name, table = column.name.lower(), column.table.lower()
        if isinstance(column.this, exp.Star) or SPECIAL.search(name) or column.args.get("db"):
            return None
        if table:
            return self._qualified(column, name, table, scope)
        if name in _aliases(scope) or UNITS.match(name):
            return None
        every: dict[str, str] = {}
        for of in _around(scope):
            for source in of.sources.values() if of is not scope else _selected(of):
                known = self.of(source)
                if known is None:
                    return None
                every |= known
        if name in every or not every:
            return None
        said = f"no table that is read here has a column {name}{_hint(name, every)}"
        if column.this.args.get("quoted") or QUOTES.search(name):
            said = f"a text stands between ' and ': write '{QUOTES.sub('', column.name)}'; {said}"
        return _said(column, said)

    def _qualified(self, column: exp.Column, name: str, table: str, scope: Scope) -> Unknown | None:
        for of in _around(scope):
            for alias, source in of.sources.items():
                if alias.lower() != table:
                    continue
                known = self.of(source)
                if known is None or name in known:
                    return None
                what = _table_name(source) if isinstance(source, exp.Table) else alias
                return _said(column, f"{what} has no column {name}{_hint(name, known)}")
        return None

    def of(self, source: object) -> Known:
        """The columns of a table, a WITH or a subquery."""
        if id(source) not in self.held:
            self.held[id(source)] = None  # what names itself is not known
            self.held[id(source)] = self._of(source)
        return self.held[id(source)]

    def _of(self, source: object) -> Known:
        if isinstance(source, exp.Table):
            if source.args.get("pivots") or (source.args.get("alias") and source.args["alias"].columns):
                return None
            name = _table_name(source)
            return dict.fromkeys(self.schema[name], name) if name in self.schema else None
        if not isinstance(source, Scope) or _renamed(source.expression):
            return None
        if source.set_operation_scopes:
            return self.of(source.set_operation_scopes[0])
        return self._given(source) if isinstance(source.expression, exp.Select) else None

    def _given(self, scope: Scope) -> Known:
        """What a SELECT gives; a star is unfolded."""
        given: dict[str, str] = {}
        for one in scope.expression.expressions:
            star = one.this if isinstance(one, exp.Column) else one
            if not isinstance(star, exp.Star):
                if not one.alias_or_name or isinstance(one, exp.Aliases | exp.Columns):
                    return None
                given[one.alias_or_name.lower()] = ""
                continue
            if any(star.args.values()):  # EXCLUDE, REPLACE, RENAME
                return None
            of = one.table.lower() if isinstance(one, exp.Column) else ""
            for alias, source in scope.sources.items():
                if of and alias.lower() != of:
                    continue
                known = self.of(source)
                if known is None:
                    return None
                given |= known
        return given


def _around(scope: Scope) -> Iterator[Scope]:
    """The SELECT and those it stands in, whose columns it may use if it is a subquery."""
    of: Scope | None = scope
    while of is not None:
        yield of
        of = None if of.is_cte else of.parent


def _selected(scope: Scope) -> Iterator[object]:
    """Sources in FROM and JOIN; a WITH that nobody selects from gives no columns."""
    for _, source in scope.selected_sources.values():
        yield source
    for name in scope.sources.keys() - scope.selected_sources.keys():
        source = scope.sources[name]
        if not (isinstance(source, Scope) and source.is_cte):
            yield source


def _renamed(select: exp.Expr) -> bool:
    """`WITH x(a, b) AS …`, `(SELECT …) AS x(a, b)` and a PIVOT of either give other columns."""
    above = select.parent
    while isinstance(above, exp.SetOperation):  # the first part of a recursive WITH is what the others read
        above = above.parent
    within = above.args if above is not None else {}
    alias = within.get("alias")
    return bool(within.get("pivots")) or (isinstance(alias, exp.TableAlias) and bool(alias.columns))


def _aliases(scope: Scope) -> set[str]:
    return {one.alias.lower() for one in scope.expression.expressions if one.alias}


def _table_name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()


def _hint(name: str, known: Mapping[str, str]) -> str:
    return near(name, known).replace('"', "")


def _said(column: exp.Column, what: str) -> Unknown:
    line = int(column.this.meta.get("line", 1))
    word = f"{column.table}.{column.name}" if column.table else column.name
    return Unknown(what, word, column.name.lower(), line)
