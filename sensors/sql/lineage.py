"""Proves by parsing that SQL is one read-only SELECT; lists its tables, columns and binds.

This is lint: the guard is the warehouse's read-only role."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from sensors.model.policy import NOTHING
from sensors.sql.columns import Unknown, scopes_of, unknown_columns
from sensors.sql.facts import UNKNOWN, Facts, facts
from sensors.sql.safety import Flaw, flaws_of, line_of, verb
from sensors.warehouse.dialect_spelling import spell
from sensors.warehouse.spelled import Untranslatable

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot parse is refused here, with a reason
Columns = tuple[str, ...]
Schema = Mapping[str, Mapping[str, str]]  # table -> column -> type


@dataclass(frozen=True)
class Proof:
    """What parsing says of a query. It may run only where there are no problems."""

    tables: tuple[str, ...] = ()  # lower case, in order of appearance
    columns: Columns | None = None  # of the result, lower case; None where they cannot be derived
    problems: tuple[Flaw, ...] = ()
    binds: frozenset[str] = frozenset()
    unknown: tuple[Unknown, ...] = ()  # columns that the declared tables do not have
    facts: Facts = UNKNOWN
    read: bool = True  # False: it is no SELECT that could be parsed, so nothing else is known of it


def prove(
    sql: str,
    dialect: str,
    schema: Schema = NOTHING,
    carry_to: str | None = None,
    times: Mapping[str, str] = NOTHING,
    functions: Collection[str] = (),
) -> Proof:
    """Reads the SQL; `schema` is what is known of tables, so that a star can be unfolded.

    `times`: of tables that grow, the column that says when.
    `functions`: those that policies may call besides the ones that are known to only compute.
    `carry_to`: the dialect that it will run in; compiled while the SQL is parsed, so that no run has to.
    """
    root = _one_select(sql, dialect)
    if isinstance(root, Flaw):
        return Proof(problems=(root,), read=False)
    flaws = tuple(dict.fromkeys(flaws_of(root, dialect, functions)))
    tables = tuple(dict.fromkeys(_table_name(t) for t in _real_tables(root)))
    binds = frozenset(p.name for p in root.find_all(exp.Placeholder) if p.this)
    columns = output(root, schema)
    scopes = () if flaws else scopes_of(root)
    unknown = tuple(unknown_columns(scopes, schema))
    known = UNKNOWN if flaws else facts(root, scopes, times)
    if carry_to is not None and not flaws:
        with suppress(Untranslatable):  # said by whoever asks for it
            spell(sql, dialect, carry_to, root)
    return Proof(tables, columns, flaws, binds, unknown, known)


def _one_select(sql: str, dialect: str) -> exp.Expr | Flaw:
    try:
        statements = [s for s in sqlglot.parse(sql, read=dialect) if s is not None]
    except ParseError as error:
        return _unreadable(sql, error, dialect)
    except (SqlglotError, RecursionError, ValueError):
        return Flaw(f"this cannot be read as {dialect} SQL")
    match statements:
        case []:
            return Flaw("a policy is one SELECT; here is none")
        case [exp.Select() | exp.SetOperation() | exp.Subquery() as root]:
            return root
        case [other]:
            return Flaw(f"a policy may only SELECT; {verb(other)} is refused", verb(other))
    second = statements[1].sql().split()[0]
    return Flaw("a policy is one SELECT; here are more", second, line_of(statements[-1]))


def _real_tables(root: exp.Expr) -> Iterator[exp.Table]:
    """Tables by name that are not names of a WITH in sight."""
    for table in root.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not _is_cte(table):
            yield table


def _is_cte(table: exp.Table) -> bool:
    if table.args.get("db"):
        return False
    name, inside, node = table.name.lower(), None, table.parent
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        with_ = node.args.get("with_")
        if isinstance(with_, exp.With) and name in _visible(with_, inside):
            return True
        node = node.parent
    return False


def _visible(with_: exp.With, inside: exp.CTE | None) -> Iterator[str]:
    """Names of a WITH in sight of one of its parts: those before it, and itself if recursive."""
    for cte in with_.expressions:
        if cte is inside and not with_.recursive:
            return
        yield cte.alias.lower()


def _table_name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()


def output(
    query: exp.Expr | None, schema: Schema, outer: Mapping[str, Columns | None] | None = None
) -> Columns | None:
    """Names of a query's columns; a star is unfolded where its source is known (a WITH, or in `schema`)."""
    if query is None:
        return None
    ctes: dict[str, Columns | None] = dict(outer or {})
    with_ = query.args.get("with_")
    for cte in with_.expressions if isinstance(with_, exp.With) else ():
        columns = output(cte.this, schema, ctes)
        named = tuple(c.name.lower() for c in cte.args["alias"].columns) if cte.args.get("alias") else ()
        ctes[cte.alias.lower()] = named or columns
    if isinstance(query, exp.SetOperation):
        return output(query.left, schema, ctes)
    if isinstance(query, exp.Subquery):
        return output(query.this, schema, ctes)
    if not isinstance(query, exp.Select):
        return None
    names: list[str] = []
    for projection in query.expressions:
        found = _projected(projection, query, schema, ctes)
        if found is None:
            return None
        names += found
    return tuple(dict.fromkeys(names))


def _projected(
    projection: exp.Expr, query: exp.Select, schema: Schema, ctes: Mapping[str, Columns | None]
) -> Columns | None:
    star = projection.this if isinstance(projection, exp.Column) else projection
    if not isinstance(star, exp.Star):
        name = projection.alias_or_name.lower()
        return (name,) if name and not isinstance(projection, exp.Columns) else ()
    if any(star.args.values()):  # EXCLUDE, REPLACE, RENAME
        return None
    of = projection.args.get("table") if isinstance(projection, exp.Column) else None
    names: list[str] = []
    if query.args.get("match"):
        return None  # MATCH_RECOGNIZE gives columns of its own
    for source in _sources(query):
        if of is None or source.alias_or_name.lower() == of.name.lower():
            columns = _columns_of(source, schema, ctes)
            if columns is None:
                return None
            names += columns
    return tuple(names) or None


def _sources(query: exp.Select) -> Iterator[exp.Expr]:
    start = query.args.get("from_")
    if start is not None:
        yield start.this
    for join in query.args.get("joins") or ():
        yield join.this
    yield from query.args.get("laterals") or ()


def _columns_of(source: exp.Expr, schema: Schema, ctes: Mapping[str, Columns | None]) -> Columns | None:
    alias = source.args.get("alias")
    if source.args.get("pivots") or (isinstance(alias, exp.TableAlias) and alias.columns):
        return None
    if isinstance(source, exp.Subquery):
        return output(source.this, schema, ctes)
    if not isinstance(source, exp.Table):
        return None
    if not source.args.get("db") and source.name.lower() in ctes:
        return ctes[source.name.lower()]
    return tuple(schema.get(_table_name(source), ())) or None


def _unreadable(sql: str, error: ParseError, dialect: str) -> Flaw:
    """Where the parser stopped, in our words."""
    opening = re.match(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(\w+)", sql, re.DOTALL)
    if opening and opening[1].lower() not in ("select", "with"):
        return Flaw(f"a policy begins with SELECT or WITH, not {opening[1]}", opening[1])
    first = error.errors[0] if error.errors else {}
    word = str(first.get("highlight") or "").strip()
    said = f"this cannot be read as {dialect} SQL" + (f' near "{word[:40]}"' if word else "")
    return Flaw(said, word, int(first.get("line") or 1))
