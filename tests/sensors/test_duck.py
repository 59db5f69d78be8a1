"""DuckDB as the warehouse: sealed off, in UTC, stoppable, and never serving an old file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from sensors.model.policy import Query
from sensors.warehouse import QueryTimeout, Result, Warehouse, WarehouseError, connect
from sensors.warehouse.able import mark
from tests.sensors.project import fill

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENDLESS = "SELECT count(*) AS n FROM range(1000000000) a, range(1000000000) b"


def ask(
    warehouse: Warehouse, sql: str, limit: int = 100, timeout: timedelta = MINUTE, **binds: object
) -> Result:
    return warehouse.query(sql, binds, limit=limit, timeout=timeout)


@contextmanager
def opened(path: Path) -> Iterator[Warehouse]:
    warehouse = connect(f"duckdb:///{path}")
    try:
        yield warehouse
    finally:
        warehouse.close()


def publish(folder: Path, number: int) -> None:
    """A new complete file beside the old one, then the pointer, swapped in one step."""
    name = f"market-{number}.duckdb"
    fill(folder / name, f"CREATE TABLE version AS SELECT {number} AS n")
    (folder / "next").write_text(name)
    os.replace(folder / "next", folder / "CURRENT")


TIMES = """
import sys
from datetime import UTC, datetime, timedelta
from sensors.warehouse import connect
warehouse = connect(f"duckdb:///{sys.argv[1]}")
noon = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone()
assert noon.utcoffset() == timedelta(hours=-4), noon
columns = "id, n < $at, z < $at, n = $at, z = $at, date_diff('minute', n, $at), CAST(z AS VARCHAR)"
sql = f"SELECT {columns} FROM times ORDER BY id"
for row in warehouse.query(sql, {"at": noon}, limit=9, timeout=timedelta(minutes=1)).rows:
    print(row)
warehouse.close()
"""


def test_aware_times_are_right_against_columns_with_and_without_a_zone_wherever_the_process_runs(
    tmp_path: Path,
) -> None:
    file = tmp_path / "times.duckdb"
    fill(
        file,
        "CREATE TABLE times (id INT, n TIMESTAMP, z TIMESTAMPTZ)",
        "INSERT INTO times VALUES (1, '2026-07-01 11:59:00', '2026-07-01 11:59:00+00')",
        "INSERT INTO times VALUES (2, '2026-07-01 12:00:00', '2026-07-01 12:00:00+00')",
        "INSERT INTO times VALUES (3, '2026-07-01 12:01:00', '2026-07-01 12:01:00+00')",
    )
    environment = {**os.environ, "TZ": "America/New_York", "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, "-c", TIMES, str(file)], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "(1, True, True, False, False, 1, '2026-07-01 11:59:00+00')",
        "(2, False, False, True, True, 0, '2026-07-01 12:00:00+00')",
        "(3, False, False, False, False, -1, '2026-07-01 12:01:00+00')",
    ]


SEALED = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT getenv('HOME')",
    "INSERT INTO core.sellers VALUES ('x', 'y')",
    "CREATE TABLE core.x (a INT)",
    "CREATE TEMP TABLE x (a INT)",
    "ATTACH 'other.duckdb'",
    "COPY core.sellers TO 'x.csv'",
    "SET TimeZone = 'America/New_York'",
    "SET enable_external_access = true",
    "INSTALL httpfs",
    "PRAGMA threads = 4",
    "SELECT 1; SELECT 2",
]


@pytest.mark.parametrize("sql", SEALED)
def test_even_sql_that_no_one_proved_cannot_write_reach_out_or_unlock(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, sql)
    assert not caught.value.transient


SAID = [
    ("SELECT * FROM core.nothing", "the warehouse has no table nothing"),
    ("SELECT nothing FROM core.sellers", "the tables read have no column nothing"),
    ("SELECT s.nothing FROM core.sellers s", "s has no column nothing"),
    ("SELECT x.a FROM core.sellers s", "nothing in FROM is called x"),
    ("SELECT nothing(1)", "the warehouse has no function nothing"),
    ("SELEC 1", "the warehouse cannot read the SQL near 'SELEC'"),
    ("SELECT 1 AS a, 2 AS A", "the query gives two columns named a; name one of them anew with AS"),
    ("SELECT CAST('x' AS INT)", "the query failed: could not convert string 'x' to INT32"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "said"), SAID)
def test_errors_are_plain_sentences(warehouse: Warehouse, sql: str, said: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, sql)
    assert str(caught.value) == said
    assert "\n" not in str(caught.value)


def test_a_timeout_stops_only_its_own_query(warehouse: Warehouse) -> None:
    ended: list[object] = []

    def endless() -> None:
        try:
            ask(warehouse, ENDLESS, timeout=timedelta(seconds=0.4))
        except QueryTimeout as error:
            ended.append(error)

    thread = threading.Thread(target=endless)
    thread.start()
    while thread.is_alive():
        assert ask(warehouse, "SELECT count(*) AS n FROM core.chat_messages").rows == ((1440,),)
    thread.join()
    assert len(ended) == 1


def test_a_swapped_pointer_is_followed_and_the_old_file_let_go(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with opened(tmp_path) as warehouse:
        assert ask(warehouse, "SELECT n FROM version").rows == ((1,),)
        publish(tmp_path, 2)
        assert ask(warehouse, "SELECT n FROM version").rows == ((2,),)
        # Whoever holds a file read-only locks writers out: opening it for writing shows that nobody does.
        fill(tmp_path / "market-1.duckdb", "INSERT INTO version VALUES (9)")
        with pytest.raises(duckdb.Error):
            fill_elsewhere(tmp_path / "market-2.duckdb")


def fill_elsewhere(path: Path) -> None:
    """Opens a file for writing in another process, as its writer would."""
    code = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise duckdb.IOException(ran.stderr.strip().splitlines()[-1])


def test_a_query_under_way_ends_on_the_file_it_began_with(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    slow = "SELECT max(n) AS n FROM version, range(300000) a, range(300) b WHERE a.range + b.range >= 0"
    answers: list[object] = []
    with opened(tmp_path) as warehouse:
        ask(warehouse, "SELECT n FROM version")
        thread = threading.Thread(target=lambda: answers.append(ask(warehouse, slow).rows))
        thread.start()
        publish(tmp_path, 2)
        assert ask(warehouse, "SELECT n FROM version").rows == ((2,),)
        thread.join()
    assert answers in ([((1,),)], [((2,),)])


def test_a_file_replaced_under_its_own_name_is_served_anew(tmp_path: Path) -> None:
    file = tmp_path / "one.duckdb"
    fill(file, "CREATE TABLE version AS SELECT 1 AS n")
    with opened(file) as warehouse:
        assert ask(warehouse, "SELECT n FROM version").rows == ((1,),)
        fill(tmp_path / "new.duckdb", "CREATE TABLE version AS SELECT 2 AS n, 'x' AS more")
        os.replace(tmp_path / "new.duckdb", file)
        assert ask(warehouse, "SELECT n FROM version").rows == ((2,),)
        assert warehouse.columns("version") == {"n": "integer", "more": "varchar"}


def test_a_mark_is_another_for_each_file_that_is_served_and_costs_no_query(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with opened(tmp_path) as warehouse:
        marks = [mark(warehouse), mark(warehouse)]
        ask(warehouse, "SELECT n FROM version")
        marks.append(mark(warehouse))
        assert len({*marks}) == 1
        publish(tmp_path, 2)
        assert mark(warehouse) not in marks
        (tmp_path / "CURRENT").unlink()
        assert mark(warehouse) == ""
    with opened(tmp_path / "market-1.duckdb") as warehouse:
        before = mark(warehouse)
        os.replace(tmp_path / "market-2.duckdb", tmp_path / "market-1.duckdb")
        assert mark(warehouse) not in ("", before)
    with opened(tmp_path / "none.duckdb") as warehouse:
        assert mark(warehouse) == ""


def test_a_missing_file_is_said_and_may_be_there_soon(tmp_path: Path) -> None:
    with opened(tmp_path / "none.duckdb") as warehouse:
        with pytest.raises(WarehouseError, match=r"there is no file .*none\.duckdb") as caught:
            warehouse.ping()
        assert caught.value.transient
        fill(tmp_path / "none.duckdb", "CREATE TABLE t (a INT)")
        warehouse.ping()


def test_a_folder_without_a_pointer_is_said(tmp_path: Path) -> None:
    with (
        opened(tmp_path) as warehouse,
        pytest.raises(WarehouseError, match="has no readable CURRENT file yet") as caught,
    ):
        warehouse.ping()
    assert caught.value.transient
    (tmp_path / "CURRENT").write_text("../../etc/passwd")
    with (
        opened(tmp_path) as warehouse,
        pytest.raises(WarehouseError, match="must hold the name of a file beside it"),
    ):
        warehouse.ping()


@pytest.mark.parametrize("garbage", [b"\xff\xfe", b"market\x00.duckdb", b"x" * 5_000])
def test_a_pointer_of_garbage_is_a_failure_of_the_warehouse_and_no_change_of_it(
    tmp_path: Path, garbage: bytes
) -> None:
    (tmp_path / "CURRENT").write_bytes(garbage)
    with opened(tmp_path) as warehouse:
        assert mark(warehouse) == ""
        with pytest.raises(WarehouseError):
            warehouse.ping()


def test_a_file_that_is_being_written_is_said_and_may_be_free_soon(market: Path) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(market)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == "open\n"
        with opened(market) as warehouse:
            with pytest.raises(WarehouseError, match="is being written by another process") as caught:
                warehouse.ping()
            assert caught.value.transient
            writer.communicate()
            warehouse.ping()
    finally:
        writer.kill()
        writer.wait()


def test_what_is_no_duckdb_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("hello " * 2000)
    with (
        opened(tmp_path / "text.duckdb") as warehouse,
        pytest.raises(WarehouseError, match="is not a DuckDB file"),
    ):
        warehouse.ping()


URLS = [
    ("market.duckdb", "'market.duckdb' is not a warehouse URL: write duckdb:///path/to/file.duckdb"),
    ("duckdb:///", "'duckdb:///' names no file: write duckdb:///path/to/file.duckdb"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "said"), URLS)
def test_a_wrong_url_is_said(url: str, said: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        connect(url)
    assert str(caught.value) == said


def test_a_relative_url_is_relative_to_where_one_stands(
    market: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(market.parent)
    warehouse = connect("duckdb:///market.duckdb")
    warehouse.ping()
    warehouse.close()


def test_columns_are_told_by_name(warehouse: Warehouse) -> None:
    assert warehouse.columns("core.sellers") == {"seller_id": "varchar", "display_name": "varchar"}
    assert warehouse.columns("CORE.Sellers") == warehouse.columns("core.sellers")
    assert warehouse.columns("core.absent") == {}


def test_what_cannot_be_carried_over_is_said_with_what_to_do(warehouse: Warehouse) -> None:
    query = Query("SELECT SOUNDEX(display_name) AS s FROM core.sellers", "snowflake", "sql/p.sql", ())
    with pytest.raises(WarehouseError) as caught:
        warehouse.native(query)
    assert str(caught.value) == (
        "sql/p.sql: this cannot be carried from snowflake to duckdb: SOUNDEX is not supported in DuckDB;"
        " write a .duckdb.sql beside it"
    )
