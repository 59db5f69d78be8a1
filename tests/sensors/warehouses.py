"""Every warehouse that queries are tried on, each with the same tables: another is a line in PLACES."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlglot

from sensors.warehouse import Warehouse, connect
from sensors.warehouse.duck import Duck
from sensors.warehouse.duck_memory import OpenMemory
from tests.databases import own_database
from tests.sensors.project import fill
from tests.sensors.snowflake_local import started

LOCAL = frozenset(Path(__file__).with_name("carries_over_local.txt").read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True)
class Place:
    """`open` is given the statements that make its tables, in its dialect, and gives the warehouse."""

    name: str
    dialect: str
    open: Callable[[pytest.FixtureRequest, Path, Sequence[str]], AbstractContextManager[Warehouse]]
    stored: bool = True  # what a query would write could be seen by the next one
    lacks: frozenset[str] = frozenset()  # constructs that it gets wrong, though what it stands for does not


def tables_of(place: Place, statements: Sequence[str]) -> list[str]:
    """Statements in Snowflake's dialect as the place takes them."""
    return [sqlglot.transpile(one, read="snowflake", write=place.dialect)[0] for one in statements]


@contextmanager
def _memory(_: pytest.FixtureRequest, __: Path, statements: Sequence[str]) -> Iterator[Warehouse]:
    """As a case has it."""
    held = OpenMemory()
    for statement in statements:
        held.connection.execute(statement)
    warehouse = Duck(held)
    yield warehouse
    warehouse.close()


@contextmanager
def _file(_: pytest.FixtureRequest, folder: Path, statements: Sequence[str]) -> Iterator[Warehouse]:
    fill(folder / "rows.duckdb", *statements)
    warehouse = connect(f"duckdb:///{folder / 'rows.duckdb'}")
    yield warehouse
    warehouse.close()


@contextmanager
def _postgres(request: pytest.FixtureRequest, _: Path, statements: Sequence[str]) -> Iterator[Warehouse]:
    """Asked by a role that has the rights of docs/warehouses.md, and no others."""
    with own_database(request.getfixturevalue("postgres_server")) as url:
        role = f"reader_{psycopg.conninfo.conninfo_to_dict(url)['dbname']}"
        rights = re.sub(r"\bpatrol\b", role, _rights()).replace("choose-one", "reads")
        with psycopg.connect(url, autocommit=True) as admin:
            for statement in ("SET TimeZone = 'UTC'", *statements, rights):
                admin.execute(statement)  # type: ignore[call-overload]  # no literal
            warehouse = connect(f"postgresql://{role}:reads@{url.partition('@')[2]}")
            yield warehouse
            warehouse.close()
            admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")  # type: ignore[call-overload]


def _rights() -> str:
    page = (Path(__file__).parents[2] / "docs" / "warehouses.md").read_text(encoding="utf-8")
    return page.split("<!-- postgres -->\n```sql\n")[1].partition("```")[0]


@contextmanager
def _snowflake(_: pytest.FixtureRequest, __: Path, statements: Sequence[str]) -> Iterator[Warehouse]:
    with started() as local:
        local.run("CREATE DATABASE market", *statements)
        with local.opened() as warehouse:
            yield warehouse


PLACES = (
    Place("DuckDB in memory", "duckdb", _memory, stored=False),
    Place("DuckDB", "duckdb", _file),
    Place("Postgres", "postgres", _postgres),
    Place("Snowflake", "snowflake", _snowflake, lacks=LOCAL),
)
DIALECTS = tuple(dict.fromkeys(place.dialect for place in PLACES))
