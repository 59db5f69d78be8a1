"""SQL with `:name` for SQLAlchemy, which takes any other colon for a bind unless it is kept from that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import NullType

from sensors.warehouse import binds as shared

REST = (r'"[^"]*"', r"`[^`]*`", r"--[^\n]*", r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$")
LEXIS = {slashes: shared.lexis(*REST, backslashes=slashes) for slashes in (False, True)}


@lru_cache(maxsize=20_000)
def split(sql: str, backslashes: bool) -> tuple[str, frozenset[str]]:
    """The SQL as `text()` takes it, and the binds that it names."""
    written, names = shared.split(sql, LEXIS[backslashes], lambda name: f":{name}", _escaped)
    return written, frozenset(names)


def _escaped(part: str) -> str:
    return part.replace(":", r"\:")


def bound(sql: str, binds: Mapping[str, Any], *, backslashes: bool, comment: str = "") -> TextClause:
    """The statement with its values bound; those that it does not name are left out."""
    written, names = split(sql, backslashes)
    shared.valued(names, binds)
    return text(comment + written).bindparams(*(_bind(name, binds[name]) for name in sorted(names)))


def _bind(name: str, value: Any) -> Any:
    """What is no time goes as the driver sends it, so that a text may be compared with a date or a uuid."""
    kind = DateTime() if isinstance(value, datetime) else NullType()
    return bindparam(name, shared.naive(value), kind)
