"""What sqlglot does not carry over, or would to something that gives other values: mended, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from sensors.warehouse.dialect_postgres import for_postgres
from sensors.warehouse.spelled import Untranslatable

FLATTENED = """
SELECT CASE WHEN JSON_TYPE(TO_JSON(__given)) = 'ARRAY' THEN CAST(key AS BIGINT) END AS index,
  CASE WHEN JSON_TYPE(TO_JSON(__given)) = 'OBJECT' THEN key END AS key, value
FROM JSON_EACH(TO_JSON(__given))
"""
SHOWN = {"YYYY": "%Y", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a", "HH24": "%H", "MI": "%M", "SS": "%S"}
PART = re.compile("|".join(SHOWN))
FORMAT = re.compile(f"(?:{PART.pattern}|[-/:., ])+")


def carried(tree: exp.Expr, read: str, write: str) -> exp.Expr:
    """The tree as `write` is to be spelled from; changed in place. Raises Untranslatable."""
    if read == write:
        return tree
    if read == "snowflake":
        _by_path(tree)
    unquoted(tree)
    if read == "snowflake" and write == "duckdb":
        _for_duckdb(tree)
    if write == "postgres":
        for_postgres(tree)
    return tree


def unquoted(tree: exp.Expr) -> None:
    """`v:path::string` is the bare text in Snowflake; elsewhere a cast of JSON would keep its quotes."""
    for cast in tree.find_all(exp.Cast):
        found = cast.this
        if isinstance(found, exp.JSONExtract) and cast.to.is_type(*exp.DataType.TEXT_TYPES):
            cast.set("this", exp.JSONExtractScalar(this=found.this, expression=found.expression))


def _by_path(tree: exp.Expr) -> None:
    """`v['key']` and `GET(v, 'key')` are paths, `GET(v, 0)` is an element: as `v:key` and `v[0]` are."""
    for node in list(tree.find_all(exp.Bracket, exp.GetExtract)):
        (index,) = node.expressions if isinstance(node, exp.Bracket) else (node.expression,)
        if not isinstance(index, exp.Literal):
            continue
        if index.is_string:
            path = exp.JSONPath(expressions=[exp.JSONPathRoot(), exp.JSONPathKey(this=index.name)])
            node.replace(exp.JSONExtract(this=node.this, expression=path))
        elif isinstance(node, exp.GetExtract):
            node.replace(exp.Bracket(this=node.this, expressions=[index]))


def _for_duckdb(tree: exp.Expr) -> None:
    for node in list(tree.find_all(exp.Typeof)):
        raise _no(node, "TYPEOF", "duckdb")
    for time in list(tree.find_all(exp.ToChar)):
        _shown(time)
    for size in list(tree.find_all(exp.ArraySize)):  # of a list or of JSON, as an ARRAY or a VARIANT is there
        json = exp.Anonymous(this="TO_JSON", expressions=[size.this])
        size.replace(exp.cast(exp.Anonymous(this="JSON_ARRAY_LENGTH", expressions=[json]), exp.DType.BIGINT))
    for null in list(tree.find_all(exp.IsNullValue)):  # is spelled as a comparison
        null.replace(exp.paren(null.copy(), copy=False))
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.upper() == "TO_TIMESTAMP_NTZ" and len(call.expressions) == 1:
            call.replace(exp.cast(call.expressions[0], exp.DType.TIMESTAMP))
    for explode in list(tree.find_all(exp.Explode)):
        if isinstance(explode.parent, exp.Lateral | exp.TableFromRows):
            _flatten(explode, explode.parent)


def _shown(node: exp.ToChar) -> None:
    """A time in a format of plain parts; other formats are left to sqlglot, which refuses them."""
    said = node.args.get("format")
    if not isinstance(said, exp.Literal) or not FORMAT.fullmatch(said.name.upper()):
        return
    parts = PART.sub(lambda part: SHOWN[part[0]], said.name.upper())
    time = exp.cast(node.this.copy(), exp.DType.TIMESTAMP)
    node.replace(exp.Anonymous(this="STRFTIME", expressions=[time, exp.Literal.string(parts)]))


def _flatten(explode: exp.Explode, source: exp.Expr) -> None:
    """FLATTEN as a LATERAL over json_each, with `index`, `key` and `value`, of which the last is JSON."""
    options = {
        str(one.this.name).lower(): one.expression
        for one in (explode.this, *explode.expressions)
        if isinstance(one, exp.Kwarg)
    }
    given = options.pop("input", explode.this)
    outer = options.pop("outer", None)
    join = source.parent
    if options or isinstance(given, exp.Kwarg) or not isinstance(join, exp.Join):
        raise _no(explode, "FLATTEN as it is written here", "duckdb")
    query = sqlglot.parse_one(FLATTENED, read="duckdb")
    for place in list(query.find_all(exp.Column)):
        if place.name == "__given":
            place.replace(given.copy())
    name = source.alias or "flattened"
    select, alias = source.find_ancestor(exp.Select), exp.TableAlias(this=exp.to_identifier(name))
    source.replace(exp.Lateral(this=exp.Subquery(this=query), alias=alias))
    if isinstance(outer, exp.Boolean) and outer.this:
        join.set("side", "LEFT")
        join.set("on", exp.true())
    for column in _values(select, name):
        _as_text(column)


def _values(select: exp.Expr | None, name: str) -> Iterator[exp.Column]:
    for column in list(select.find_all(exp.Column)) if select is not None else ():
        if column.name.lower() == "value" and column.table.lower() in ("", name.lower()):
            yield column


def _as_text(column: exp.Column) -> None:
    """A variant that is compared or given to a function is its bare text; as a column it stays JSON."""
    parent = column.parent
    if isinstance(parent, exp.JSONExtract | exp.Alias | exp.Select | exp.Is | exp.Group | exp.Ordered):
        return
    if isinstance(parent, exp.Cast) and not parent.to.is_type(*exp.DataType.TEXT_TYPES):
        return
    path = exp.JSONPath(expressions=[exp.JSONPathRoot()])
    column.replace(exp.JSONExtractScalar(this=column.copy(), expression=path))


def _no(node: exp.Expr, what: str, write: str) -> Untranslatable:
    said = f"{what} has no equal in {write}; write a .{write}.sql beside it"
    return Untranslatable(said, type(node).__name__)
