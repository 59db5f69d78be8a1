"""Where SQL asks the clock without calling what is known for that: a text that names it, a count from now."""

from __future__ import annotations

from sqlglot import exp

NOW = frozenset({"now", "today", "tomorrow", "yesterday", "allballs"})
TIMES = {exp.DType.DATE, exp.DType.TIME, exp.DType.DATETIME, *exp.DataType.TEMPORAL_TYPES}
COMPARED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Sub)  # nobody orders texts by 'now'
READING = (exp.Date, exp.Time, exp.TsOrDsToTimestamp)  # that make a time of a text
TAKING = (*COMPARED, *READING)
OF_SQLITE = {"DATE", "TIME", "DATETIME", "TIMEDIFF"}  # without a time these give the present one


def clock_in(node: exp.Expr, dialect: str) -> str:
    """What in this node alone depends on the clock, as it is written; empty where nothing does."""
    if isinstance(node, exp.Cast):
        return _named(node.this) if node.to.this in TIMES else ""
    if isinstance(node, TAKING) and (said := _first_named(node)):
        return said
    if isinstance(node, exp.HistoricalData):
        return "OFFSET" if str(node.args.get("kind")).upper() == "OFFSET" else ""
    return _called(node, dialect) if isinstance(node, exp.Func) else ""


def _called(node: exp.Func, dialect: str) -> str:
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_names()[0]
    given = list(node.iter_expressions())
    if dialect in ("postgres", "duckdb") and name.lower() == "age" and len(given) == 1:
        return "age of one time"
    if dialect == "sqlite" and name.upper() in OF_SQLITE:
        return _first_named(node) if given else f"{name.lower()}()"
    return ""


def _first_named(node: exp.Expr) -> str:
    return next(filter(None, map(_named, node.iter_expressions())), "")


def _named(node: exp.Expr) -> str:
    """The text, if it is one that a database takes for a time that is not the same tomorrow."""
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    said = node.name.strip().lower() if isinstance(node, exp.Literal) and node.is_string else ""
    return f"'{said}'" if NOW & set(said.split()) else ""
