"""The query over rows without a time is the policy's own, but for the window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sensors.model.policy import Now, Query
from sensors.untimed import untimed
from sensors.warehouse import dialect, spelled
from sensors.warehouse.dialect_spelling import spell
from tests.core.looking import policy


def asked(sql: str, **native: str) -> Query | None:
    query = Query(sql, "snowflake", "sql/a.sql", ("core.chat",), native=native)
    found = untimed(replace(policy(), query=query))
    assert found is None or isinstance(found.window, Now)
    return found.query if found else None


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("WHERE (m.at >= :window_start AND m.at < :window_end) AND x", "WHERE (m.at IS NULL) AND x"),
        ("WHERE at >= :window_start\n  and at < :window_end", "WHERE at IS NULL"),
        ('WHERE "At" BETWEEN :window_start AND :window_end', 'WHERE "At" IS NULL'),
        (
            "(a >= :window_start AND a < :window_end) OR (b.at >= :window_start AND b.at < :window_end)",
            "(a IS NULL) OR (b.at IS NULL)",
        ),
    ],
)
def test_the_comparison_with_the_window_becomes_one_with_nothing(sql: str, changed: str) -> None:
    query = asked(sql, duckdb=sql)
    assert query
    assert (query.sql, query.native["duckdb"]) == (changed, changed)


@pytest.mark.parametrize(
    "sql", ["WHERE at > :window_start AND at <= :window_end", "SELECT 1", "WHERE f(at, :window_start)"]
)
def test_a_query_that_compares_in_another_way_is_not_guessed_at(sql: str) -> None:
    assert asked(sql) is None
    good = "at >= :window_start AND at < :window_end"
    assert asked(good, duckdb=sql) is None


@pytest.mark.parametrize(
    "native", [{}, {"duckdb": "SELECT 1 FROM t WHERE a.at >= :window_start AND a.at < :window_end"}]
)
def test_it_is_called_in_the_warehouse_as_it_would_be_spelled(native: dict[str, str]) -> None:
    """So that nobody has to parse it at night."""
    window = "(m.at >= :window_start AND m.at < :window_end)"
    sql = f"SELECT k, IFF(x, 1, 2) AS y FROM core.chat m WHERE {window} AND n = :n"
    query = Query(sql, "snowflake", "sql/a.sql", ("core.chat",), native=native)
    spelled.everything().clear()
    dialect.native(query, "duckdb")
    found = untimed(replace(policy(), query=query), "duckdb")
    assert found
    text, read = found.query.native.get("duckdb", found.query.sql), "duckdb" if native else "snowflake"
    known = spelled.known(text, read, "duckdb")
    spelled.everything().clear()
    assert known == spell(text, read, "duckdb")
    assert "$window" not in known
