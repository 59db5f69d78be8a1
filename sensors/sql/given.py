"""The columns that a query gives, and their types. Nothing wherever it cannot know."""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import nested_set

from sensors.model.asset import Asset
from sensors.model.policy import Query


def columns_given(query: Query, assets: Mapping[str, Asset]) -> dict[str, str]:
    """Its columns in order, lower case, each with its SQL type in capitals ("" where that is not known)."""
    tables: dict[str, object] = {}
    for name in query.tables:
        if name in assets and assets[name].columns:
            nested_set(tables, name.split("."), dict(assets[name].columns))
    try:
        root = sqlglot.parse_one(query.sql, dialect=query.dialect)
        root = qualify(root, schema=tables, dialect=query.dialect, validate_qualify_columns=False)
        root = annotate_types(root, schema=tables, dialect=query.dialect)
        given = root.selects if isinstance(root, exp.Query) else []
    except (SqlglotError, RecursionError, ValueError):
        return {}
    return {one.alias_or_name.lower(): one.type.sql() if one.type else "" for one in given}
