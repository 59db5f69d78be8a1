"""The rows that one key rests on: of every table, by the query's own joins, and no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.cases.shrinking import of, shrunk
from sensors.cases.slicing import Looks, Slice, slice_of
from sensors.model.asset import Asset
from sensors.model.policy import AlertText, Every, Grades, Policy, Query, Severity, Trailing
from sensors.model.window import Window
from sensors.sql.joins import Link, joins
from sensors.warehouse import connect

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEMA = {
    "core.orders": {"order_id": "int", "seller_id": "varchar", "buyer_id": "varchar", "at": "timestamp"},
    "core.sellers": {"seller_id": "varchar", "name": "varchar", "region_id": "int"},
    "core.regions": {"region_id": "int", "label": "varchar"},
    "core.watched": {"who": "varchar"},
}
WINDOW = 'o."at" >= :window_start AND o."at" < :window_end'
BASE = 'o."at" >= :baseline_start AND o."at" < :window_start'


def links(sql: str) -> set[tuple[str, str, bool]]:
    """Each link as two columns of tables."""
    found = joins(sql, "duckdb", SCHEMA)
    said = [
        (f"{found.tables[a]}.{x}", f"{found.tables[b]}.{y}", loose)
        for (a, x), (b, y), loose in map(_parts, found.links)
    ]
    return {(*sorted((one, other)), loose) for one, other, loose in said}


def _parts(link: Link) -> tuple[tuple[int, str], tuple[int, str], bool]:
    return link.one, link.other, link.loose


SELLER = ("core.orders.seller_id", "core.sellers.seller_id", False)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT o.seller_id FROM core.orders o JOIN core.sellers s ON s.seller_id = o.seller_id", {SELLER}),
        ("SELECT seller_id FROM core.orders JOIN core.sellers USING (seller_id)", {SELLER}),
        ("SELECT o.seller_id FROM core.orders o, core.sellers s WHERE o.seller_id = s.seller_id", {SELLER}),
        (
            "WITH x AS (SELECT seller_id AS id, count(*) n FROM core.orders GROUP BY 1) "
            "SELECT s.name FROM x JOIN core.sellers s ON s.seller_id = x.id",
            {SELLER},
        ),
        (
            "SELECT s.seller_id FROM core.sellers s WHERE EXISTS "
            "(SELECT 1 FROM core.orders o WHERE o.seller_id = s.seller_id)",
            {SELLER},
        ),
        (
            "SELECT buyer_id FROM core.orders WHERE seller_id IN (SELECT who FROM core.watched)",
            {("core.orders.seller_id", "core.watched.who", False)},
        ),
        (
            "SELECT 1 FROM core.orders o JOIN core.watched w ON w.who = o.seller_id OR w.who = o.buyer_id",
            {
                ("core.orders.seller_id", "core.watched.who", True),
                ("core.orders.buyer_id", "core.watched.who", True),
            },
        ),
        ("SELECT o.seller_id FROM core.orders o WHERE o.seller_id = o.buyer_id", set()),
        (
            "SELECT lower(o.seller_id) FROM core.orders o JOIN core.watched w ON w.who = lower(o.seller_id)",
            set(),
        ),
        ("this is no SQL (", set()),
    ],
)
def test_equal_columns_are_found_however_they_are_written(
    sql: str, found: set[tuple[str, str, bool]]
) -> None:
    assert links(sql) == found


def test_bounds_and_where_a_result_comes_from() -> None:
    sql = (
        f"WITH b AS (SELECT o.seller_id, count(*) n FROM core.orders o WHERE {BASE} GROUP BY 1) "
        f"SELECT o.seller_id AS who, max(s.name) AS name, upper(s.name) AS loud FROM core.orders o "
        f"JOIN core.sellers s USING (seller_id) LEFT JOIN b ON b.seller_id = o.seller_id WHERE {WINDOW} "
        "GROUP BY 1, 3"
    )
    found = joins(sql, "duckdb", SCHEMA)
    assert sorted(found.since.values()) == ["baseline_start", "window_start"]
    assert sorted(found.until.values()) == ["window_end", "window_start"]
    assert {found.tables[n] + "." + c for n, c in found.gives["who"]} == {"core.orders.seller_id"}
    assert (len(found.gives["name"]), len(found.gives["loud"]), len(found.made_of["loud"])) == (1, 0, 1)
    assert found.used["core.sellers"] == {"seller_id", "name"}
    assert joins("SELECT * FROM core.sellers s", "duckdb", SCHEMA).used == {}


# ------------------------------------------------------------------------------------ rows


@pytest.fixture(name="sliced")
def _sliced(tmp_path: Path) -> Callable[..., Slice]:
    """A slice of a small market, by the SQL of a policy whose key is a seller."""
    file = tmp_path / "m.duckdb"
    with duckdb.connect(str(file)) as c:
        c.execute("CREATE SCHEMA core")
        for table, columns in SCHEMA.items():
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            c.execute(f"CREATE TABLE {table} ({listed})")
        c.execute("INSERT INTO core.regions SELECT i, 'r' || i FROM range(5) t(i)")
        c.execute("INSERT INTO core.sellers SELECT 's' || i, 'name ' || i, i % 5 FROM range(20) t(i)")
        # an order of each seller each minute from ten to two
        c.execute(
            "INSERT INTO core.orders SELECT i * 20 + j, 's' || j, 'b' || (i % 3), "
            "TIMESTAMP '2026-01-05 10:00:00' + to_minutes(i) FROM range(240) a(i), range(20) b(j)"
        )
        c.execute("INSERT INTO core.watched VALUES ('s3'), ('b1'), ('b9')")

    def take(sql: str, key: dict[str, object], most: int = 500, tables: tuple[str, ...] = ()) -> Slice:
        named = tables or tuple(t for t in SCHEMA if t in sql)
        policy = Policy(
            "a.b", "T", "o", Grades(((Severity.low, 0),)), Every(HOUR), tuple(key),
            Query(sql, "duckdb", "a.sql", named), AlertText("T"), "c", "p",
            window=Trailing("at", HOUR, HOUR),
        )  # fmt: skip
        assets = {name: Asset(name, columns=columns) for name, columns in SCHEMA.items()}
        warehouse = connect(f"duckdb:////{file.as_posix().lstrip('/')}")
        try:
            look = Looks(policy, Window(NOON - HOUR, NOON, NOON - 2 * HOUR))
            return slice_of([look], assets, warehouse, key, most)
        finally:
            warehouse.close()

    return take


def test_rows_of_the_key_in_its_window_and_what_is_joined_to_them_however_far(
    sliced: Callable[..., Slice],
) -> None:
    found = sliced(
        "SELECT o.seller_id, r.label FROM core.orders o JOIN core.sellers s USING (seller_id) "
        f"JOIN core.regions r ON r.region_id = s.region_id WHERE {WINDOW}",
        {"seller_id": "s7"},
    )
    assert {t: len(rows) for t, rows in found.tables.items()} == {
        "core.orders": 60, "core.sellers": 1, "core.regions": 1
    }  # fmt: skip
    assert {row["seller_id"] for row in found.tables["core.orders"]} == {"s7"}
    assert found.tables["core.regions"] == ({"region_id": 2, "label": "r2"},)
    assert set(found.tables["core.orders"][0]) == {"seller_id", "at"}
    assert (found.cut, found.whole) == ((), ())


def test_a_table_that_is_read_twice_gives_the_rows_of_both_each_once(sliced: Callable[..., Slice]) -> None:
    found = sliced(
        f"WITH b AS (SELECT o.seller_id, count(*) n FROM core.orders o WHERE {BASE} GROUP BY 1) "
        f"SELECT o.seller_id FROM core.orders o JOIN b ON b.seller_id = o.seller_id WHERE {WINDOW}",
        {"seller_id": "s7"},
    )
    assert len(found.tables["core.orders"]) == 120


def test_twins_stay_twins_and_numbers_are_found_by_their_text(sliced: Callable[..., Slice]) -> None:
    found = sliced(
        f"SELECT o.buyer_id FROM core.orders o WHERE {WINDOW} AND o.buyer_id = 'b1'", {"buyer_id": "b1"}
    )
    assert len(found.tables["core.orders"]) == 400
    one = sliced("SELECT order_id, seller_id FROM core.orders", {"order_id": "77"})
    assert one.tables["core.orders"] == ({"order_id": 77, "seller_id": "s17"},)


def test_what_is_cut_and_what_nothing_ties_is_said(sliced: Callable[..., Slice]) -> None:
    found = sliced(
        f"SELECT o.seller_id FROM core.orders o CROSS JOIN core.watched w WHERE {WINDOW}",
        {"seller_id": "s7"},
        10,
    )
    assert len(found.tables["core.orders"]) == 10
    assert max(row["at"] for row in found.tables["core.orders"]) == (NOON - timedelta(minutes=1)).replace(
        tzinfo=None
    )
    assert (found.cut, found.whole) == (("core.orders",), ("core.watched",))


def test_hostile_values_are_bound(sliced: Callable[..., Slice]) -> None:
    found = sliced(f"SELECT o.seller_id FROM core.orders o WHERE {WINDOW}", {"seller_id": "x' OR '1'='1"})
    assert found.tables == {"core.orders": ()}


# -------------------------------------------------------------------------------- shrinking


@given(st.integers(0, 60), st.sets(st.integers(0, 59), max_size=6))
def test_what_is_left_is_what_is_needed(count: int, needed: set[int]) -> None:
    needed = {n for n in needed if n < count}
    tables = {
        "a": tuple({"n": n} for n in range(count // 2)),
        "b": tuple({"n": n} for n in range(count // 2, count)),
    }
    fewer, least = shrunk(
        tables, lambda t: needed <= {r["n"] for rows in t.values() for r in rows}, most=2_000
    )
    assert {r["n"] for rows in fewer.values() for r in rows} == needed
    assert least
    assert set(fewer) == {"a", "b"}


def test_it_ends_after_so_many_tries() -> None:
    tried: list[int] = []
    tables = {"a": tuple({"n": n} for n in range(500))}
    fewer, least = shrunk(tables, lambda t: bool(tried.append(1)) or len(t["a"]) == 500, most=40)
    assert (len(tried), len(fewer["a"]), least) == (40, 500, False)
    assert of(tables, [("a", 3)]) == {"a": ({"n": 3},)}
