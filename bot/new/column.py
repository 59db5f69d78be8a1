"""Columns as shapes see them: the kind of their values, how SQL spells their names, values for cases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal

from sensors.model.asset import Asset
from sensors.warehouse.column_type import column_type

Value = str | bool | int | Decimal

WORDS_OF_SQL = """
    all alter and any as between by case check column connect constraint create cross current delete distinct
    drop else end except exists false following for from full grant group having in increment inner insert
    intersect into is join lateral left like limit minus natural not null of offset on or order primary
    qualify regexp revoke right rlike row rows sample select set some start table then to trigger true
    union unique update user using values view when whenever where window with
"""
RESERVED = frozenset(WORDS_OF_SQL.split())
BACKTICKS = frozenset({"bigquery", "mysql", "databricks", "spark"})
UPPER = frozenset({"snowflake", "oracle"})  # these keep a name without quotes in capitals
PLAIN = re.compile(r"[A-Za-z][\w./-]*( [\w./-]+)*|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
WORDS = frozenset({"true", "false", "null"})
NUMBERS = ("integer", "decimal", "float")


def kind_of(asset: Asset, column: str, dialect: str) -> str:
    """text | integer | decimal | float | boolean | time | uuid | other."""
    found = column_type(asset.columns[column], dialect)
    if found is None:
        return "other"
    if found.kind == "decimal" and found.precision - found.scale < 6:
        return "other"  # too narrow for numbers that stand for rows
    return "uuid" if found.sql == "UUID" else found.kind if found.kind in KNOWN else "other"


KNOWN = ("text", *NUMBERS, "boolean", "time")
NAMING = ("text", "integer", "decimal", "uuid")  # kinds of values that tell one thing from another


def of_kind(asset: Asset, kinds: Iterable[str], dialect: str) -> list[str]:
    wanted = tuple(kinds)
    return [column for column in asset.columns if kind_of(asset, column, dialect) in wanted]


def step(asset: Asset, column: str, dialect: str) -> Decimal:
    """The least by which two values of a column of numbers differ, or a cent where that is finer."""
    found = column_type(asset.columns[column], dialect)
    fine = found is not None and found.kind == "decimal" and found.scale >= 2
    return Decimal("0.01") if fine else Decimal(1)


def spelled(alias: str, column: str, dialect: str) -> str:
    """`e.seller_id`; a reserved word in the quotes of the dialect, as it keeps names without quotes."""
    if column not in RESERVED:
        return f"{alias}.{column}"
    quote = "`" if dialect in BACKTICKS else '"'
    return f"{alias}.{quote}{column.upper() if dialect in UPPER else column}{quote}"


def named(column: str, kind: str, number: int) -> Value:
    """The nth thing of a column that names things: s_1 of seller_id, 1 of an integer."""
    if kind == "uuid":
        return f"00000000-0000-0000-0000-{number:012d}"
    return f"{column.strip('_$')[:1] or 'x'}_{number}" if kind == "text" else number


def scalar(value: Value) -> str:
    """A value as YAML writes it, in quotes where it would be taken for something else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = PLAIN.fullmatch(value) and value not in WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, int) else f"{value:f}"


def listed(names: Iterable[str]) -> str:
    return f"[{', '.join(scalar(name) for name in names)}]"
