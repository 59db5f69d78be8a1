"""The road that all databases share which have none of their own, walked with SQLite; and what ClickHouse says."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError

from sensors.model.asset import Asset
from sensors.warehouse import QueryTimeout, Warehouse, WarehouseError
from sensors.warehouse.alchemy import Alchemy
from sensors.warehouse.alchemy_address import reach
from sensors.warehouse.alchemy_errors import plainly
from sensors.warehouse.alchemy_sessions import Sessions
from sensors.warehouse.alchemy_ways import CLICKHOUSE, WAYS, Way
from tests.sensors.postgres import ask, opened

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Warehouse]:
    """SQLite, which takes the road of all databases that have none of their own."""
    with sqlite3.connect(tmp_path / "shop.db") as file:
        file.execute("CREATE TABLE sellers (seller_id TEXT, joined TIMESTAMP)")
        file.executemany(
            "INSERT INTO sellers VALUES (?, ?)",
            [("s_1", "2026-01-01 12:00:00"), ("s_2", "2026-01-02 12:00:00")],
        )
    file.close()
    with opened(f"sqlite:///{tmp_path / 'shop.db'}") as found:
        yield found


def test_another_database_is_read_bounded_and_stopped_alike(lite: Warehouse) -> None:
    rows = ask(
        lite, "SELECT seller_id FROM sellers WHERE joined > :since AND seller_id <> ':x'", since=NOON
    ).rows
    assert rows == (("s_2",),)
    assert lite.columns("sellers") == {"seller_id": "text", "joined": "timestamp"}
    assert lite.loaded_until([Asset("sellers", loaded_until="joined")]) == {
        "sellers": NOON + timedelta(days=1)
    }
    counting = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) AS n FROM c"
    with pytest.raises(QueryTimeout):
        ask(lite, counting, timeout=timedelta(seconds=0.3))
    assert ask(lite, "SELECT 1 AS one").rows == ((1,),)
    for hostile in ("DELETE FROM sellers", "WITH x AS (SELECT 1) DELETE FROM sellers", "ATTACH 'x.db' AS x"):
        with pytest.raises(WarehouseError):
            ask(lite, hostile)
    assert len(ask(lite, "SELECT * FROM sellers").rows) == 2


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with (
        opened(f"sqlite:///{tmp_path / 'none.db'}") as warehouse,
        pytest.raises(WarehouseError, match="there is no such file"),
    ):
        warehouse.ping()
    assert not (tmp_path / "none.db").exists()


def of_way(file: Path, way: Way) -> Alchemy:
    """SQLite asked as another database is. It has `slow()`, which fails after a fifth of a second."""
    engine, _, stop = reach(f"sqlite:///{file}")
    sqlite3.connect(file).close()

    def slow() -> None:
        time.sleep(0.2)
        raise ValueError

    event.listen(engine, "connect", lambda driver, _: driver.create_function("slow", 0, slow))
    return Alchemy(Sessions(engine, way, stop), way)


def test_what_fails_after_its_time_was_stopped_by_the_server_whatever_it_calls_that(tmp_path: Path) -> None:
    warehouse = of_way(tmp_path / "a.db", replace(WAYS["sqlite"], before=("SELECT {ms}",)))
    with pytest.raises(QueryTimeout, match=r"the query took longer than 0\.1 s and was stopped"):
        ask(warehouse, "SELECT slow() AS a", timeout=timedelta(seconds=0.1))
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, "SELECT slow() AS a")
    assert not isinstance(caught.value, QueryTimeout)
    warehouse.close()


def test_where_a_driver_takes_in_all_rows_at_once_the_server_is_asked_for_no_more_than_fit(
    tmp_path: Path,
) -> None:
    bounded = CLICKHOUSE.partition(" SETTINGS")[0]
    warehouse = of_way(tmp_path / "a.db", replace(WAYS["sqlite"], around=bounded))
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n, '{n} :n' AS t FROM c -- all"
    found = ask(warehouse, endless, limit=2, timeout=timedelta(seconds=20))
    assert (found.rows, found.truncated) == (((1, "{n} :n"), (2, "{n} :n")), True)
    warehouse.close()
    assert WAYS["clickhouse"].bounds_time
    assert WAYS["clickhouse"].sent("SELECT 1", timedelta(seconds=90), 11).splitlines()[1:] == [
        "SELECT 1", ") LIMIT 11 SETTINGS max_execution_time = 90.000"
    ]  # fmt: skip


SAYS = [  # seen of ClickHouse 26.9 by clickhouse-connect 1.12, but for the last three
    ("Code: 47. DB::Exception: Unknown expression identifier `nope`. In scope SELECT nope FROM core.t. (UNKNOWN_IDENTIFIER)", "the tables read have no column nope", False),
    ("Code: 60. DB::Exception: Unknown table expression identifier 'core.nope'. Maybe you meant system.one? (UNKNOWN_TABLE)", "the warehouse has no table core.nope", False),
    ("Code: 46. DB::Exception: Function with name `nofn` does not exist. Maybe you meant: ['now']. (UNKNOWN_FUNCTION)", "the warehouse has no function nofn", False),
    ("Code: 62. DB::Exception: Syntax error: failed at position 24 (INTO) (line 2, col 8): INTO core.t", "the query failed: syntax error: failed at position 24 (INTO) (line 2, col 8): INTO core.t", False),
    ("Code: 497. DB::Exception: patrol: Not enough privileges. To execute this query, it's necessary to have the grant SELECT(id) ON core.t. (ACCESS_DENIED)", "Patrol's role may not read core.t: grant it that there", False),
    ("Code: 516. DB::Exception: patrol: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)", "the warehouse refuses the user or the password", False),
    ("Code: 241. DB::Exception: Memory limit (total) exceeded: would use 1.00 GiB. (MEMORY_LIMIT_EXCEEDED)", "the warehouse has no room just now", True),
]  # fmt: skip


@pytest.mark.parametrize(("said", "sentence", "transient"), SAYS)
def test_what_clickhouse_says_is_said_plainly(said: str, sentence: str, transient: bool) -> None:
    driver = Exception(
        f"Received ClickHouse exception, code: 1, server response: {said} (for url http://h:8123)"
    )
    found = plainly(DatabaseError("SELECT", {}, driver), "SELECT nope FROM core.t")
    assert (found.message, found.transient) == (sentence, transient)
