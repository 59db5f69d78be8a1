"""A policy's query in a warehouse's dialect. What nobody has spelled yet is spelled now, which takes sqlglot:
a process that only serves has been given all of it, and never imports that.
"""

from __future__ import annotations

from sensors.model.policy import Query
from sensors.warehouse import WarehouseError, spelled


def native(query: Query, dialect: str) -> str:
    """The query in `dialect`: the hand-written one, or compiled. WarehouseError where it cannot be said."""
    own = query.native.get(dialect)
    sql, read = (query.sql, query.dialect) if own is None else (own, dialect)
    try:
        return spelled.known(sql, read, dialect) or _spelled(sql, read, dialect)
    except spelled.Untranslatable as error:
        where = f"{query.path}: " if query.path else ""
        raise WarehouseError(f"{where}{error}", name=error.name) from None


def _spelled(sql: str, read: str, dialect: str) -> str:
    from sensors.warehouse.dialect_spelling import spell

    return spell(sql, read, dialect)
