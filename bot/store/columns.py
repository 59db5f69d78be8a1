"""Column types that mean the same on SQLite and on Postgres: times, free text, JSON values; and leases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, Text, TypeDecorator, bindparam, or_
from sqlalchemy.types import TypeEngine

ESCAPED = "\\json:"


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime. Postgres: timestamptz; SQLite: ISO text of fixed width, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return moment_text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        at = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


NOW = bindparam("now", type_=Moment)


def free(at: ColumnElement[Any], now: Any = NOW) -> ColumnElement[bool]:
    """Whether nothing is to wait until then: nobody has a lease on it, or it has run out."""
    return or_(at.is_(None), at <= now)


def moment_text(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


class Words(TypeDecorator[str]):
    """Any text: as it is, or as JSON where it has what Postgres or UTF-8 cannot hold (NUL, surrogates)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or (_holdable(value) and not value.startswith(ESCAPED)):
            return value
        return ESCAPED + json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or not value.startswith(ESCAPED):
            return value
        return str(json.loads(value[len(ESCAPED) :]))


def _holdable(value: str) -> bool:
    if "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


Json = JSON(none_as_null=True)  # not JSONB: that one drops the order of keys and refuses NUL


def write_json(value: Any) -> str:
    """JSON as every column keeps it: ASCII only, so that any text survives, and no NaN."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
