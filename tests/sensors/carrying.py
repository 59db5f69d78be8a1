"""Reads `carries_over.yml`: queries in Snowflake's SQL, the rows that each gives, and where it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from sensors.sql.allowed import ABOUT, OWN

FILE = Path(__file__).with_name("carries_over.yml")
BINDS = {"window_start": datetime(2026, 1, 5, tzinfo=UTC), "window_end": datetime(2026, 1, 6, tzinfo=UTC)}


@dataclass(frozen=True)
class Construct:
    """`written`: an expression over core.t, or a query. `refused`: by dialect a part of what is said."""

    about: str
    written: str
    sql: str
    rows: tuple[tuple[Any, ...], ...]
    refused: Mapping[str, str] = field(default_factory=dict)


def read() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def tables(dialect: str) -> list[str]:
    """The statements that make core.t."""
    made: list[str] = read()["tables"][dialect]
    return made


def constructs() -> Iterator[Construct]:
    for group in read()["constructs"]:
        for one in group["queries"]:
            yield _one(group["about"], one)


def _one(about: str, one: Mapping[str, Any]) -> Construct:
    refused = one.get("refused", {})
    if "rows" in one:
        return Construct(about, one["sql"], one["sql"], tuple(map(tuple, one["rows"])), refused)
    if "each" in one:
        rows = tuple((value,) for value in one["each"])
        return Construct(
            about, one["sql"], f"SELECT {one['sql']} AS x FROM core.t ORDER BY id", rows, refused
        )
    return Construct(about, one["sql"], f"SELECT {one['sql']} AS x FROM core.t", ((one["all"],),), refused)


def told(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows as they are compared: a date is its midnight, numbers are numbers, JSON is what it says."""
    return [tuple(map(_told, row)) for row in rows]


def _told(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return round(float(value), 6)
        case datetime():
            return f"{value.astimezone(UTC) if value.tzinfo else value:%Y-%m-%d %H:%M:%S}"
        case date():
            return f"{value:%Y-%m-%d} 00:00:00"
        case str() if value[:1] in ("[", "{", '"'):
            with suppress(ValueError):
                return _told(json.loads(value))
        case list() | tuple():
            return [_told(one) for one in value]
        case dict():
            return {name: _told(one) for name, one in value.items()}
    return value


# ------------------------------------------------------------------ what the pages say
# ruff: noqa: E501 - lines of a page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "sql-that-carries-over.md"
WAREHOUSES = ROOT / "docs" / "warehouses.md"
SHOWN = {"duckdb": "DuckDB", "postgres": "Postgres"}
INTRO = """# SQL that carries over

Queries are written in Snowflake's dialect, or in the one that `dialect` names, and carried to what the warehouse speaks. Everything on this page
is run by our tests on DuckDB and on Postgres and gives the rows that Snowflake would, as we understand its documentation (on an account of Snowflake it was not run);
where one of them says *no*, it is refused there with these words: for DuckDB by `patrol check`, for Postgres by `patrol check --warehouse`. What is refused is written by hand in a file
beside the other (`refund_spike.duckdb.sql`, `refund_spike.postgres.sql`). The page is made of `tests/sensors/carries_over.yml`.

## What comes out otherwise

These run everywhere and do not give quite the same, so do not put them into a key, and do not compare them with `=`:

- a time as text without a format, `made::string`: Snowflake shows milliseconds, others do not
- the digits of a division, `amount / 3`: Snowflake keeps six; write `ROUND(amount / 3, 2)`
- the order and case of texts: Postgres compares by the collation of its database, `UPPER('ß')` is another letter in each
- the order within `ARRAY_DISTINCT` and of rows without `ORDER BY`
- `TIMESTAMP_TZ`: only the instant carries over, not the zone it was written in. `CONVERT_TIMEZONE` with two arguments gives local time without one
- a date with `DATEADD` or `DATE_TRUNC` may come as its midnight
- `ARRAY_AGG`, `f.value` and whole variants come as lists or as JSON text

On DuckDB `FLATTEN` has `value`, `index` and `key`, of arrays and objects, and takes `input` and `outer`.
"""


def page() -> str:
    """docs/sql-that-carries-over.md."""
    parts = [INTRO]
    about = ""
    for one in constructs():
        if one.about != about:
            about = one.about
            heads = " | ".join(SHOWN.values())
            parts.append(f"\n## {about}\n\n| in Snowflake's SQL | {heads} |\n|---|{'---|' * len(SHOWN)}\n")
        cells = " | ".join(_cell(one.refused.get(dialect)) for dialect in SHOWN)
        parts.append(f"| {_code(one.written)} | {cells} |\n")
    return "".join(parts)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _cell(refused: str | None) -> str:
    return "✓" if refused is None else f"no: {refused}"


def with_functions(text: str) -> str:
    """docs/warehouses.md with the functions that there are."""
    listed = [f"- **{about}**: {', '.join(words.split())}" for about, words in ABOUT.items()]
    listed += [
        f"- **in the dialect {name} alone**: {', '.join(words.split())}" for name, words in OWN.items()
    ]
    before, rest = text.split("<!-- functions -->\n")
    _, after = rest.split("<!-- end of functions -->")
    body = "\n".join(listed)
    return f"{before}<!-- functions -->\n{body}\n<!-- end of functions -->{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    WAREHOUSES.write_text(with_functions(WAREHOUSES.read_text(encoding="utf-8")), encoding="utf-8")
