"""What every warehouse keeps, whatever it is: one file of promises, each held by all that we have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sensors.model.asset import Asset
from sensors.model.policy import Query
from sensors.seen import AHEAD, seen_of
from sensors.warehouse import QueryTimeout, Result, Warehouse, WarehouseError
from tests.sensors.warehouses import PLACES, tables_of

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TABLES = (
    "CREATE SCHEMA core",
    "CREATE TABLE core.sellers (seller_id VARCHAR, display_name VARCHAR, rating DOUBLE, sold DECIMAL(10, 2))",
    "INSERT INTO core.sellers VALUES ('s_1', 'ana''s', 4.5, 10.25), ('s_2', 'bo', 3.0, 0.5)",
    "INSERT INTO core.sellers VALUES ('s_3', 'cy 🎴', NULL, NULL)",
    "CREATE TABLE core.times (id INT, naive TIMESTAMP, zoned TIMESTAMP_TZ)",
    "INSERT INTO core.times VALUES (1, '2026-07-01 11:59:00', '2026-07-01 11:59:00+00')",
    "INSERT INTO core.times VALUES (2, '2026-07-01 12:00:00', '2026-07-01 12:00:00+00')",
    "INSERT INTO core.times VALUES (3, '2026-07-01 12:01:00', '2026-07-01 12:01:00+00')",
    "CREATE TABLE core.days AS SELECT DATE '2026-01-01' AS day",
    "CREATE TABLE core.bare (seen TIMESTAMP)",
    "CREATE TABLE core.words AS SELECT 'soon' AS seen",
)  # fmt: skip


@pytest.fixture(scope="module", params=[one for one in PLACES if one.stored], ids=lambda place: place.name)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    place, folder = request.param, tmp_path_factory.mktemp("contract")
    with place.open(request, folder, tables_of(place, TABLES)) as found:
        yield found


def ask(
    warehouse: Warehouse, sql: str, limit: int = 100, timeout: timedelta = MINUTE, **binds: object
) -> Result:
    """The SQL is Snowflake's, as a policy's is."""
    native = warehouse.native(Query(sql, "snowflake", "sql/p.sql", ()))
    return warehouse.query(native, binds, limit=limit, timeout=timeout, tag="contract")


MANY = " CROSS JOIN ".join(f"core.times t{n}" for n in range(30))
ENDLESS = f"SELECT COUNT(*) AS n FROM {MANY} WHERE SQRT(t0.id + t1.id + t29.id) > 0"


def test_names_come_in_lower_case_and_rows_up_to_the_limit(warehouse: Warehouse) -> None:
    result = ask(warehouse, 'SELECT seller_id AS "SELLER_ID" FROM core.sellers ORDER BY 1', limit=2)
    assert result.columns == ("seller_id",)
    assert result.rows == (("s_1",), ("s_2",))
    assert result.truncated
    assert not ask(warehouse, "SELECT * FROM core.sellers", limit=3).truncated
    assert ask(warehouse, "SELECT seller_id FROM core.sellers WHERE seller_id = 'none'").rows == ()


def test_values_come_as_python_has_them(warehouse: Warehouse) -> None:
    sql = "SELECT seller_id, display_name, rating, sold, rating > 4 AS good FROM core.sellers ORDER BY 1"
    first, _, last = ask(warehouse, sql).rows
    assert first == ("s_1", "ana's", 4.5, first[3], True)
    assert str(first[3]) == "10.25"
    assert last == ("s_3", "cy 🎴", None, None, None)
    ((moment, zoned, day),) = ask(
        warehouse, "SELECT naive, zoned, CAST(naive AS DATE) AS day FROM core.times WHERE id = 2"
    ).rows
    assert (moment, day.isoformat()) == (datetime(2026, 7, 1, 12), "2026-07-01")  # noqa: DTZ001 - it has no zone
    assert zoned == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_binds_go_in_by_name_and_those_not_named_are_left_out(warehouse: Warehouse) -> None:
    sql = "SELECT COUNT(*) AS n FROM core.sellers WHERE seller_id = :id AND ':no' = ':no' -- :nor this"
    assert ask(warehouse, sql, id="s_1", other=3).rows == ((1,),)
    with pytest.raises(WarehouseError, match="the query names :id, which has no value"):
        ask(warehouse, sql, other=3)


@pytest.mark.parametrize("text", ["s_1' OR '1'='1", "?", ":id", "\\'; --", "ana's", "cy 🎴", "$$", ""])
def test_a_bind_is_never_read_as_sql(warehouse: Warehouse, text: str) -> None:
    sql = "SELECT :text AS same, COUNT(*) AS n FROM core.sellers WHERE display_name = :text"
    known = text in ("ana's", "cy 🎴")
    assert ask(warehouse, sql, text=text).rows == ((text, int(known)),)


def test_numbers_truth_and_nothing_are_bound_as_what_they_are(warehouse: Warehouse) -> None:
    numbers = "CAST(:n AS INT) + 1 AS n, CAST(:f AS DOUBLE) * 2 AS f"
    rest = "CASE WHEN CAST(:b AS BOOLEAN) THEN 'yes' ELSE 'no' END AS b, CAST(:none AS INT) IS NULL AS z"
    sql = f"SELECT {numbers}, {rest}"
    ((n, f, b, z),) = ask(warehouse, sql, n=41, f=1.25, b=True, none=None).rows
    assert (n, f, b, z) == (42, 2.5, "yes", True)


def test_aware_times_are_right_against_columns_with_and_without_a_zone(warehouse: Warehouse) -> None:
    noon = datetime(2026, 7, 1, 8, tzinfo=timezone(timedelta(hours=-4)))
    columns = "id, naive < :at AS n, zoned < :at AS z, naive = :at AS ne, zoned = :at AS ze"
    assert ask(warehouse, f"SELECT {columns} FROM core.times ORDER BY 1", at=noon).rows == (
        (1, True, True, False, False),
        (2, False, False, True, True),
        (3, False, False, False, False),
    )


def test_what_does_not_read_is_refused(warehouse: Warehouse) -> None:
    for sql in (
        "INSERT INTO core.bare VALUES (NULL)",
        "DROP TABLE core.bare",
        "SELECT 1 AS a; SELECT 2 AS b",
    ):
        with pytest.raises(WarehouseError) as caught:
            warehouse.query(sql, {}, limit=1, timeout=MINUTE)
        assert not caught.value.transient
    assert ask(warehouse, "SELECT COUNT(*) AS n FROM core.bare").rows == ((0,),)


SAID = [
    ("SELECT * FROM core.nothing", r"the warehouse has no .*\bnothing\b"),
    ("SELECT nothing FROM core.sellers", "the tables read have no column nothing"),
    ("SELECT NOTHING_SUCH(1) AS a", "the warehouse has no function nothing_such"),
    ("SELECT 1 AS a, 2 AS A", "the query gives two columns named a; name one of them anew with AS"),
]


@pytest.mark.parametrize(("sql", "said"), SAID)
def test_errors_are_plain_sentences(warehouse: Warehouse, sql: str, said: str) -> None:
    with pytest.raises(WarehouseError, match=f"(?i){said}") as caught:
        ask(warehouse, sql)
    assert "\n" not in str(caught.value)
    assert not caught.value.transient


def test_a_query_past_its_timeout_is_stopped_and_the_next_one_runs(warehouse: Warehouse) -> None:
    began = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"the query took longer than 0.5 s and was stopped"):
        ask(warehouse, ENDLESS, timeout=timedelta(seconds=0.5))
    assert time.monotonic() - began < 5
    assert ask(warehouse, "SELECT 1 AS one").rows == ((1,),)


def test_many_threads_ask_at_once(warehouse: Warehouse) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(4):
            rows = ask(warehouse, "SELECT :n AS n, COUNT(*) AS c FROM core.sellers", n=number).rows
            if rows != ((number, 3),):
                wrong.append(rows)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_loaded_until_is_asked_of_all_tables_at_once(warehouse: Warehouse) -> None:
    loads = {
        "times": "zoned",
        "days": "day",
        "bare": "seen",
        "words": "seen",
        "absent": "seen",
    }
    assets = [Asset(f"core.{name}", loaded_until=column) for name, column in loads.items()]
    found = warehouse.loaded_until(
        [*assets, Asset("core.sellers"), Asset("core.sellers", loaded_until="nope")]
    )
    assert found == {
        "core.times": datetime(2026, 7, 1, 12, 1, tzinfo=UTC),
        "core.days": NOON - timedelta(hours=12),
    }


@pytest.mark.parametrize("column", ["naive", "zoned"])
def test_a_row_of_a_time_to_come_is_no_age_of_its_table(warehouse: Warehouse, column: str) -> None:
    times = Asset("core.times", loaded_until=column)
    newest = datetime(2026, 7, 1, 12, 1, tzinfo=UTC)
    seen = seen_of([times], warehouse, newest - AHEAD - timedelta(seconds=30))
    assert seen.loaded == {"core.times": newest}
    assert seen.ages == {"core.times": newest - MINUTE}
    assert seen_of([times], warehouse, newest - AHEAD).ages == {"core.times": newest}


def test_columns_are_told_by_name(warehouse: Warehouse) -> None:
    assert list(warehouse.columns("core.times")) == ["id", "naive", "zoned"]
    assert warehouse.columns("CORE.Times") == warehouse.columns("core.times")
    assert warehouse.columns("core.absent") == {}


def test_native_sql_is_the_hand_written_one_where_there_is_one(warehouse: Warehouse) -> None:
    own = {warehouse.dialect: "SELECT 2 AS a"}
    query = Query("SELECT 1 AS a", "postgres", "sql/p.sql", (), native=own)
    assert warehouse.query(warehouse.native(query), {}, limit=1, timeout=MINUTE).rows == ((2,),)
    warehouse.ping()
