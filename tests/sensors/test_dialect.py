"""Constructs of Snowflake's SQL that carry over to DuckDB: each is run on a real one and compared."""

# ruff: noqa: E501, DTZ001 - a table reads by its rows; columns without a zone give naive times

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sensors.model.policy import Query
from sensors.sql.lineage import prove
from sensors.warehouse import Warehouse, connect
from tests.sensors.project import fill

BINDS = {"window_start": datetime(2026, 1, 5, tzinfo=UTC), "window_end": datetime(2026, 1, 6, tzinfo=UTC)}
TEN, HALF_PAST_ELEVEN, ELEVEN_AT_NIGHT = (
    datetime(2026, 1, 5, 10),
    datetime(2026, 1, 5, 11, 30),
    datetime(2026, 1, 4, 23),
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """core.t: 1 a 1.5 'Pay Pal me' · 2 a 2.5 'hello' · 3 b NULL 'x@y.com'."""
    file = Path(tmp_path_factory.mktemp("dialect")) / "t.duckdb"
    fill(
        file,
        "CREATE SCHEMA core",
        "CREATE TABLE core.t (id INT, g VARCHAR, n DOUBLE, s VARCHAR, made TIMESTAMP, tags VARCHAR[], j JSON)",
        "INSERT INTO core.t VALUES"
        """ (1, 'a', 1.5, 'Pay Pal me', '2026-01-05 10:00:00', ['x', 'y'], '{"k": {"v": "3"}}'),"""
        """ (2, 'a', 2.5, 'hello', '2026-01-05 11:30:00', ['z'], '{"k": {"v": "4"}}'),"""
        """ (3, 'b', NULL, 'x@y.com', '2026-01-04 23:00:00', [], '{}')""",
    )
    warehouse = connect(f"duckdb:///{file}")
    yield warehouse
    warehouse.close()


def run(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    assert prove(sql, "snowflake").problems == ()
    native = warehouse.native(Query(sql, "snowflake", "sql/t.sql", ()))
    return list(warehouse.query(native, BINDS, limit=100, timeout=timedelta(minutes=1)).rows)


# An expression and its value for each row of core.t, by id.
EACH = [
    ("made >= :window_start AND made < :window_end", [True, True, False]),
    ("DATEADD(day, -1, :window_end)", [datetime(2026, 1, 5)] * 3),
    ("DATEADD('hour', 2, made)", [TEN + timedelta(hours=2), HALF_PAST_ELEVEN + timedelta(hours=2), datetime(2026, 1, 5, 1)]),
    ("DATEDIFF(minute, made, :window_end)", [840, 750, 1500]),
    ("DATEDIFF('day', made, :window_end)", [1, 1, 2]),
    ("TIMESTAMPDIFF(hour, made, :window_end)", [14, 13, 25]),
    ("made > :window_end - INTERVAL '1 day'", [True, True, False]),
    ("DATE_TRUNC('hour', made)", [TEN, datetime(2026, 1, 5, 11), ELEVEN_AT_NIGHT]),
    ("TO_DATE(made)", [date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 4)]),
    ("TO_DATE('2026-01-05')", [date(2026, 1, 5)] * 3),
    ("made::date", [date(2026, 1, 5), date(2026, 1, 5), date(2026, 1, 4)]),
    ("TO_TIMESTAMP('2026-01-05 01:02:03')", [datetime(2026, 1, 5, 1, 2, 3)] * 3),
    ("EXTRACT(hour FROM made)", [10, 11, 23]),
    ("DATE_PART(epoch_second, made)", [1767607200, 1767612600, 1767567600]),
    ("DAYOFWEEK(made)", [1, 1, 0]),
    ("DAYNAME(made)", ["Mon", "Mon", "Sun"]),
    ("TIME_SLICE(made, 15, 'minute')", [TEN, HALF_PAST_ELEVEN, ELEVEN_AT_NIGHT]),
    ("CONVERT_TIMEZONE('UTC', 'America/New_York', made)", [datetime(2026, 1, 5, 5), datetime(2026, 1, 5, 6, 30), datetime(2026, 1, 4, 18)]),
    ("IFF(id > 1, 'x', 'y')", ["y", "x", "x"]),
    ("NVL(n, 0)", [1.5, 2.5, 0.0]),
    ("ZEROIFNULL(n)", [1.5, 2.5, 0.0]),
    ("DIV0(id, 0)", [0.0, 0.0, 0.0]),
    ("DECODE(id, 1, 'one', 'other')", ["one", "other", "other"]),
    ("EQUAL_NULL(n, NULL)", [False, False, True]),
    ("GREATEST(id, 2)", [2, 2, 3]),
    ("id::string", ["1", "2", "3"]),
    ("n::number(10, 2)", [Decimal("1.50"), Decimal("2.50"), None]),
    ("TRY_TO_NUMBER('12')", [12, 12, 12]),
    ("g ILIKE 'A%'", [True, True, False]),
    ("s LIKE ANY ('P%', 'h%')", [True, True, False]),
    ("REGEXP_LIKE(s, '.*Pal.*')", [True, False, False]),
    ("REGEXP_LIKE(s, '.*pay.*', 'i')", [True, False, False]),
    ("s RLIKE '.*Pal.*'", [True, False, False]),
    ("REGEXP_LIKE(s, 'Pal')", [False, False, False]),  # the whole text must match, as in Snowflake
    ("REGEXP_SUBSTR(s, 'P[a-z]+')", ["Pay", None, None]),
    ("REGEXP_REPLACE(s, '[aeiou]', '')", ["Py Pl m", "hll", "x@y.cm"]),
    ("REGEXP_COUNT(s, 'l')", [1, 2, 0]),
    ("SPLIT_PART(s, '@', 2)", ["", "", "y.com"]),
    ("CONTAINS(s, 'x')", [False, False, True]),
    ("STARTSWITH(s, 'Pay')", [True, False, False]),
    ("CHARINDEX('y', s)", [3, 0, 3]),
    ("LOWER(s) || '-' || g", ["pay pal me-a", "hello-a", "x@y.com-b"]),
    ("LENGTH(TRIM(s))", [10, 5, 7]),
    ("EDITDISTANCE(s, 'hello')", [9, 0, 6]),
    ("MD5(s)", ["e93fef5faf255740f3d14d91e94ddabd", "5d41402abc4b2a76b9719d911017c592", "767934a648524da57388558217ad9c2d"]),
    ("ARRAY_SIZE(tags)", [2, 1, 0]),
    ("ARRAY_CONTAINS('x'::variant, tags)", [True, False, False]),
    ("ARRAY_TO_STRING(tags, ',')", ["x,y", "z", ""]),
    ("tags[0]", ["x", "z", None]),
    ("j:k.v::string", ["3", "4", None]),
    ("j:k.v::int", [3, 4, None]),
    ("LAG(n) OVER (PARTITION BY g ORDER BY made)", [None, 1.5, None]),
    ("ROW_NUMBER() OVER (PARTITION BY g ORDER BY made DESC)", [2, 1, 1]),
    ("COUNT(*) OVER (PARTITION BY g)", [2, 2, 1]),
    ("SUM(n) OVER (PARTITION BY g ORDER BY made ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", [1.5, 4.0, None]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "values"), EACH, ids=[e[:50] for e, _ in EACH])
def test_an_expression_means_the_same(rows: Warehouse, expression: str, values: list[Any]) -> None:
    assert [row[0] for row in run(rows, f"SELECT {expression} AS x FROM core.t ORDER BY id")] == values


OVER_ALL = [
    ("COUNT(*)", 3),
    ("COUNT(DISTINCT g)", 2),
    ("COUNT_IF(n > 1)", 2),
    ("SUM(IFF(n > 1, 1, 0))", 2),
    ("MEDIAN(n)", 2.0),
    ("PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY n)", 2.4),
    ("MAX_BY(s, n)", "hello"),
    ("LISTAGG(s, ', ') WITHIN GROUP (ORDER BY id DESC)", "x@y.com, hello, Pay Pal me"),
    ("ARRAY_AGG(id) WITHIN GROUP (ORDER BY id DESC)", [3, 2, 1]),
    ("BOOLOR_AGG(n > 2)", True),
    ("APPROX_COUNT_DISTINCT(g)", 2),
    ("STDDEV(n)", pytest.approx(0.7071067811865476)),
    ("MODE(g)", "a"),
]


@pytest.mark.parametrize(("expression", "value"), OVER_ALL, ids=[e[:50] for e, _ in OVER_ALL])
def test_an_aggregate_means_the_same(rows: Warehouse, expression: str, value: Any) -> None:
    assert run(rows, f"SELECT {expression} AS x FROM core.t") == [(value,)]


WHOLE = [
    ("SELECT id FROM core.t QUALIFY ROW_NUMBER() OVER (PARTITION BY g ORDER BY made DESC) = 1 ORDER BY id", [(2,), (3,)]),
    ("SELECT a.id FROM core.t a JOIN core.t b USING (id) ORDER BY id", [(1,), (2,), (3,)]),
    ("SELECT a.id FROM core.t a LEFT JOIN core.t b ON a.id = b.id AND b.n > 1 WHERE b.id IS NULL", [(3,)]),
    ("SELECT g, COUNT(*) AS c FROM core.t GROUP BY ALL HAVING c > 1", [("a", 2)]),
    ("SELECT id FROM core.t MINUS SELECT id FROM core.t WHERE g = 'a'", [(3,)]),
    ("SELECT TOP 1 id FROM core.t ORDER BY id DESC", [(3,)]),
    ("SELECT * EXCLUDE (j, tags, made, s) FROM core.t WHERE id = 1", [(1, "a", 1.5)]),
    ("SELECT id AS k, k + 1 AS m FROM core.t WHERE k > 2", [(3, 4)]),
    ("SELECT id FROM core.t ORDER BY n DESC", [(3,), (2,), (1,)]),  # NULL first, as in Snowflake
    ("SELECT id FROM core.t ORDER BY n", [(1,), (2,), (3,)]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "found"), WHOLE, ids=[sql[:50] for sql, _ in WHOLE])
def test_a_query_means_the_same(rows: Warehouse, sql: str, found: list[tuple[Any, ...]]) -> None:
    assert run(rows, sql) == found
