"""Types of columns as `_assets.yml` declares them → types that DuckDB has, for the tables of cases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError


@dataclass(frozen=True)
class ColumnType:
    """A declared column's type as DuckDB has it, and which kind of values it takes."""

    sql: str
    kind: (
        str  # text | integer | decimal | float | boolean | time | date | clock | json | list | bytes | other
    )
    zoned: bool = False  # of times
    precision: int = 38  # of decimals
    scale: int = 0
    of: ColumnType | None = None  # of lists


Type = exp.DType
SEMI = {Type.VARIANT, Type.OBJECT, Type.JSON, Type.JSONB, Type.GEOGRAPHY, Type.GEOMETRY}
ZONED = {Type.TIMESTAMPTZ, Type.TIMESTAMPLTZ}
WHOLE = {
    Type.TINYINT: "TINYINT",
    Type.SMALLINT: "SMALLINT",
    Type.INT: "INTEGER",
    Type.INT128: "HUGEINT",
}
KINDS: tuple[tuple[str, set[exp.DType]], ...] = (
    ("text", set(exp.DataType.TEXT_TYPES)),
    ("float", {Type.FLOAT, Type.DOUBLE}),
    ("boolean", {Type.BOOLEAN}),
    ("time", {*ZONED, Type.TIMESTAMP, Type.TIMESTAMPNTZ, Type.DATETIME, Type.TIMESTAMP_S, Type.TIMESTAMP_MS}),
    ("date", {Type.DATE}),
    ("clock", {Type.TIME}),
    ("bytes", {Type.BINARY, Type.VARBINARY}),
)


@lru_cache(maxsize=4096)
def column_type(declared: str, dialect: str) -> ColumnType | None:
    """A type of `_assets.yml` for DuckDB; None where it is no type. What is semi-structured becomes JSON."""
    try:
        return _type(exp.DataType.build(declared, dialect=dialect), dialect)
    except (SqlglotError, ValueError, AttributeError):
        return None


def _type(found: exp.DataType, dialect: str) -> ColumnType:
    this = found.this
    if this in SEMI or (this is Type.ARRAY and not found.expressions):
        return ColumnType("JSON", "json")
    if this in (Type.ARRAY, Type.LIST):
        of = _type(found.expressions[0], dialect)
        return ColumnType(f"{of.sql}[]", "list", of=of)
    if this in (Type.DECIMAL, Type.BIGDECIMAL):
        sizes = [int(size.name) for size in found.expressions] or [38 if dialect == "snowflake" else 18]
        scale = sizes[1] if len(sizes) > 1 else 0 if found.expressions or dialect == "snowflake" else 3
        return ColumnType(f"DECIMAL({sizes[0]}, {scale})", "decimal", precision=sizes[0], scale=scale)
    if this in exp.DataType.SIGNED_INTEGER_TYPES:  # Snowflake's have 38 digits, whatever they are called
        return ColumnType("BIGINT" if dialect == "snowflake" else WHOLE.get(this, "BIGINT"), "integer")
    kind = next((kind for kind, types in KINDS if this in types), "other")
    sql = "VARCHAR" if kind == "text" else found.sql(dialect="duckdb")
    if kind == "float" and dialect == "snowflake":  # and its FLOAT4 has eight bytes
        sql = "DOUBLE"
    return ColumnType(sql, kind, zoned=this in ZONED)
