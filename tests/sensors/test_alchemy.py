"""Postgres as the warehouse, by way of SQLAlchemy: read-only, in UTC, stoppable, and plain in what it says."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sensors.model.policy import Query
from sensors.warehouse import Warehouse, WarehouseError, connect, speaks
from sensors.warehouse.capped import capped
from tests.sensors.postgres import ask, market, opened, warehouse

__all__ = ["market", "warehouse"]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_of_many_rows_only_those_are_fetched_that_fit(warehouse: Warehouse) -> None:
    began = time.monotonic()
    result = ask(
        warehouse,
        "SELECT a + b * 0 AS g FROM generate_series(1, 100000) a, generate_series(1, 100000) b WHERE b = 1",
        limit=3,
        timeout=timedelta(seconds=20),
    )
    assert (result.rows, result.truncated) == (((1,), (2,), (3,)), True)
    assert time.monotonic() - began < 15


def test_rows_are_capped_by_their_bytes_too_but_one_is_always_given() -> None:
    rows = [("x" * 100, 1), ("y" * 100, 2), ("z" * 100, 3)]
    assert capped([rows], 9) == (tuple(rows), False, 348)
    assert capped([rows[:1], rows[1:]], 9, 250) == (tuple(rows[:2]), True, 232)
    assert capped([rows], 9, 10) == ((rows[0],), True, 116)
    assert capped([rows], 1) == ((rows[0],), True, 116)
    assert capped([[([{"k": "v" * 300}],)], rows], 9, 350) == ((([{"k": "v" * 300}],),), True, 301)


COLONS = [
    ("SELECT ':id' AS a", (":id",)),
    ("SELECT 'it''s :id %s %(id)s' AS a", ("it's :id %s %(id)s",)),
    ("SELECT e'a\\\\:id' AS a", ("a\\:id",)),
    ("SELECT $x$:id;$x$ AS a /* :id; */ -- :id;", (":id;",)),
    ('SELECT 1 AS ":id"', (1,)),
    ("SELECT '5'::int + :id::int AS a", (6,)),
    ("SELECT (ARRAY[1, 2, 3])[1:2] AS a", ([1, 2],)),
    ("SELECT :id AS a;", (1,)),
    ("SELECT 7 % 4 AS a", (3,)),
]


@pytest.mark.parametrize(("sql", "row"), COLONS)
def test_only_a_name_after_a_colon_outside_texts_is_a_bind(
    warehouse: Warehouse, sql: str, row: tuple[Any, ...]
) -> None:
    assert ask(warehouse, sql, id=1).rows == (row,)


BINDS = [True, 3, -(2**40), 2**70, 0.5, "text \\ ' % :x", "ü🙂", Decimal("1.25"), None]


@pytest.mark.parametrize("value", BINDS, ids=repr)
def test_values_of_every_kind_arrive_as_they_are(warehouse: Warehouse, value: object) -> None:
    assert ask(warehouse, "SELECT :value AS a", value=value).rows == ((value,),)


def test_a_text_may_be_compared_with_what_is_no_text(warehouse: Warehouse) -> None:
    sql = "SELECT count(*) AS n FROM core.times WHERE n > :since AND id = ANY(CAST(:ids AS INT[]))"
    assert ask(warehouse, sql, since="2026-07-01 11:59:30", ids="{2,3}").rows == ((2,),)


TIMES = """
import sys
from datetime import UTC, datetime, timedelta
from sensors.warehouse import connect
warehouse = connect(sys.argv[1])
noon = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone()
assert noon.utcoffset() == timedelta(hours=-4), noon
columns = "id, n < :at AS a, z < :at AS b, n = :at AS c, z = :at AS d, CAST(z AS VARCHAR) AS e"
for row in warehouse.query(f"SELECT {columns} FROM core.times ORDER BY id", {"at": noon}, limit=9, timeout=timedelta(minutes=1)).rows:
    print(row)
warehouse.close()
"""


def test_aware_times_are_right_against_columns_with_and_without_a_zone_wherever_the_process_runs(
    market: str,
) -> None:
    zone = {"TZ": "America/New_York", "PGTZ": "Asia/Tokyo", "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, "-c", TIMES, market],
        env={**os.environ, **zone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "(1, True, True, False, False, '2026-07-01 11:59:00+00')",
        "(2, False, False, True, True, '2026-07-01 12:00:00+00')",
        "(3, False, False, False, False, '2026-07-01 12:01:00+00')",
    ]


def test_values_that_python_has_not_come_as_text_and_fail_nothing(warehouse: Warehouse) -> None:
    first, second = ask(warehouse, "SELECT * FROM core.odd ORDER BY id").rows
    assert first[:5] == (1, "infinity", "-infinity", "20000-01-01", timedelta(days=200000000))
    assert str(first[5]) == "NaN"
    assert first[6:] == (["a", "b"], {"k": [1]})
    assert second == (
        2,
        "0044-03-15 00:00:00 BC",
        None,
        "0044-03-15 BC",
        timedelta(days=1),
        Decimal("1.50"),
        None,
        None,
    )


SEALED = [
    "INSERT INTO core.sellers VALUES ('x', 'y')",
    "CREATE TABLE core.x (a INT)",
    "COPY core.sellers TO '/tmp/x.csv'",
    "COPY core.sellers TO PROGRAM 'id'",
    "SET TimeZone = 'America/New_York'",
    "SET transaction_read_only = off",
    "SELECT 1 AS a; SELECT 2 AS b",
    "SELECT 1 AS a; COMMIT; DROP TABLE core.sellers",
    "WITH x AS (DELETE FROM core.sellers RETURNING 1) SELECT * FROM x",
    "SELECT seller_id INTO core.x FROM core.sellers",
    "SELECT seller_id FROM core.sellers FOR UPDATE",
    "SELECT set_config('transaction_read_only', 'off', false) AS a, lo_create(0) AS b",
    "DO $$ BEGIN DELETE FROM core.sellers; END $$",
    "CALL nothing()",
    "LISTEN x",
    "",
]  # fmt: skip


@pytest.mark.parametrize("sql", SEALED)
def test_even_sql_that_no_one_proved_cannot_write(warehouse: Warehouse, sql: str) -> None:
    """Also where the role might: here it is the owner of everything."""
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, sql)
    assert not caught.value.transient
    assert ask(warehouse, "SELECT count(*) AS n FROM core.sellers").rows == ((3,),)


def test_what_a_query_sets_ends_with_it(warehouse: Warehouse) -> None:
    ask(
        warehouse,
        "SELECT set_config('TimeZone', 'Asia/Tokyo', false) AS a, set_config('statement_timeout', '1', false) AS b",
    )
    sql = "SELECT current_setting('TimeZone') AS zone, current_setting('statement_timeout') AS timeout, current_setting('transaction_read_only') AS ro"
    assert ask(warehouse, sql).rows == (("UTC", "1min", "on"),)


SAID = [
    ("SELECT * FROM core.nothing", "the warehouse has no table core.nothing", "nothing"),
    ("SELECT nothing FROM core.sellers", "the tables read have no column nothing", "nothing"),
    ("SELECT s.nothing FROM core.sellers s", "the tables read have no column s.nothing", "nothing"),
    ("SELECT nothing(1) AS a", "the warehouse has no function nothing that takes (integer); cast what it is given", "nothing"),
    ("SELECT seller_id + 1 AS a FROM core.sellers", "the warehouse cannot do text + integer; cast one of them", None),
    ("SELECT a.id FROM core.times a WHERE", "the SQL ends before it is whole", None),
    ("SELECT id FROM core.times a, core.times b", "id is in several tables: write which one is meant", "id"),
    ("SELECT id, count(*) AS n FROM core.times", "times.id stands neither in GROUP BY nor in an aggregate", "id"),
    ("SELECT 1 AS a, 2 AS A", "the query gives two columns named a; name one of them anew with AS", None),
    ("SELECT CAST('x' AS INT) AS a", 'the query failed: invalid input syntax for type integer: "x"', None),
    ("SELECT 1 / 0 AS a", "the query divides by zero: write NULLIF(…, 0)", None),
    ("SELECT * FROM nope.t", "the warehouse has no table nope.t", "t"),
    ("SELECT n FROM core.times WHERE id = 1 AND id = x.id", "nothing in FROM is called x", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "said", "at"), SAID)
def test_errors_are_plain_sentences_at_their_place(
    warehouse: Warehouse, sql: str, said: str, at: str | None
) -> None:
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, sql)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert not caught.value.transient
    if at is not None:
        assert caught.value.at is not None
        assert sql[caught.value.at :].startswith(at)


def test_of_several_places_with_the_same_name_the_one_that_failed_is_told(warehouse: Warehouse) -> None:
    sql = "SELECT s.seller_id, :one AS one FROM core.sellers s JOIN core.times t ON t.id = :one WHERE t.seller_id = :two"
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, sql, one=1, two="x")
    assert caught.value.at == sql.rindex("seller_id")


def test_what_the_role_may_not_read_is_said(market: str) -> None:
    with psycopg.connect(market, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS patrol_reader")
        admin.execute("CREATE ROLE patrol_reader LOGIN PASSWORD 'x'")
        admin.execute("GRANT USAGE ON SCHEMA core TO patrol_reader")
    try:
        with (
            opened(
                market.replace("://postgres:@", "://patrol_reader:x@").replace(
                    "://postgres@", "://patrol_reader:x@"
                )
            ) as poor,
            pytest.raises(WarehouseError) as caught,
        ):
            ask(poor, "SELECT * FROM core.sellers")
        assert str(caught.value) == "Patrol's role may not read sellers: grant it that there"
    finally:
        with psycopg.connect(market, autocommit=True) as admin:
            admin.execute("DROP OWNED BY patrol_reader")
            admin.execute("DROP ROLE patrol_reader")


def test_columns_of_a_view_and_of_a_name_with_its_database(market: str, warehouse: Warehouse) -> None:
    assert warehouse.columns("core.seen") == {"seller_id": "text"}
    database = psycopg.conninfo.conninfo_to_dict(market)["dbname"]
    assert warehouse.columns(f"{database}.core.seen") == {"seller_id": "text"}


def test_sql_of_another_dialect_is_carried_over_with_its_binds(warehouse: Warehouse) -> None:
    sql = "SELECT IFF(id > :least, 'x:y', '%') AS a FROM core.times WHERE n >= :window_start ORDER BY id"
    native = warehouse.native(Query(sql, "snowflake", "sql/p.sql", ("core.times",)))
    found = ask(warehouse, native, least=1, window_start=datetime(2026, 7, 1, tzinfo=UTC))
    assert found.rows == (("%",), ("x:y",), ("x:y",))


ADDRESSES = [
    ("nosuch://host/db", "Patrol knows no warehouse 'nosuch' (in the URL nosuch://…); it can read duckdb://, snowflake://, postgresql://"),
    ("postgresq://host/db", 'Patrol knows no warehouse \'postgresq\' (in the URL postgresq://…); did you mean "postgresql"?'),
    ("mysql://host/db", "what reads mysql+pymysql:// is not installed here: pip install pymysql"),
    ("clickhouse://host/db", "what reads clickhousedb:// is not installed here: pip install clickhouse-connect"),
    ("mysql+nodriver://host/db", "what reads mysql+nodriver:// is not installed here: install that driver, or name none in the address"),
    ("postgresql://a:b:c:d/x", "the warehouse's URL is not one: write postgresql://user@host/name"),
    ("postgresql://host:port/db", "the warehouse's URL is not one: write postgresql://user@host/name"),
    ("sqlite://", "sqlite:// names no file: write sqlite:///path/to/file.db"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "said"), ADDRESSES)
def test_an_address_that_cannot_be_used_is_said(url: str, said: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        connect(url)
    assert str(caught.value).startswith(said)
    assert not caught.value.transient


UNREACHED = [
    ("postgresql://patrol@127.0.0.1:9/db", "the warehouse does not answer", True),
    ("postgresql://patrol@no-such-host.invalid/db", "there is no host of that name", True),
]


@pytest.mark.parametrize(("url", "said", "transient"), UNREACHED)
def test_a_server_that_is_not_there_is_said(url: str, said: str, transient: bool) -> None:
    with opened(url) as warehouse, pytest.raises(WarehouseError) as caught:
        warehouse.ping()
    assert str(caught.value).startswith(said)
    assert caught.value.transient == transient


def test_a_wrong_role_or_database_is_said(market: str) -> None:
    for url, said in (
        (market.replace("://postgres", "://nobody"), "the warehouse does not let this role in"),
        (market.replace("@/patrol_", "@/no_"), "the warehouse has no such database"),
    ):
        with opened(url) as warehouse, pytest.raises(WarehouseError) as caught:
            warehouse.ping()
        assert str(caught.value) == said
        assert not caught.value.transient


def test_which_sql_a_warehouse_speaks_is_known_without_its_driver() -> None:
    urls = (
        "postgres://a/b",
        "postgresql+psycopg://a/b",
        "mariadb://a/b",
        "mssql+pyodbc://a",
        "duckdb:///x",
        "snowflake://a",
        None,
        "",
    )
    assert [speaks(url) for url in urls] == [
        "postgres",
        "postgres",
        "mysql",
        "tsql",
        "duckdb",
        "snowflake",
        "duckdb",
        "duckdb",
    ]
