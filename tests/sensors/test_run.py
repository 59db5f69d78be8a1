"""One look: windows, caps, halving, keys, and that nothing is ever raised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.model.asset import Asset
from sensors.model.policy import (
    AlertText,
    Every,
    Grades,
    Incremental,
    Now,
    Policy,
    Query,
    Severity,
    Trailing,
    WindowKind,
)
from sensors.model.run import Looked, RunStatus
from sensors.model.window import Window
from sensors.run import data_until, look
from sensors.warehouse import Result, Warehouse, connect
from tests.sensors.project import MARKET, NAME, Project, fill

DAY = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = Incremental("sent_at", timedelta(minutes=15))
MESSAGES = (
    "SELECT message_id, seller_id, sent_at FROM core.chat_messages"
    " WHERE sent_at >= $window_start AND sent_at < $window_end"
)


def policy(
    sql: str = MESSAGES,
    window: WindowKind = EVENTS,
    key: tuple[str, ...] = ("seller_id",),
    row_key: tuple[str, ...] = ("message_id",),
    **more: Any,
) -> Policy:
    return Policy(
        name="chat.messages",
        title="Messages",
        owner="chat",
        severity=Grades(((Severity.high, 1),)),
        schedule=Every(timedelta(minutes=5)),
        key=key,
        row_key=row_key,
        window=window,
        query=Query(sql, "duckdb", "sql/chat/messages.sql", ("core.chat_messages",)),
        alert=AlertText("Messages"),
        content="",
        path="policies/chat/messages.yml",
        **more,
    )


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def seen(looked: Looked) -> set[str]:
    return {row.values["message_id"] for row in looked.rows}


def test_a_window_is_looked_at_half_open_and_rows_are_grouped_by_key(warehouse: Warehouse) -> None:
    looked = look(policy(), warehouse, Window(at(1), at(1) + timedelta(minutes=6)))
    assert looked.ok
    assert seen(looked) == {f"m{n}" for n in range(60, 66)}
    assert [v.key for v in looked.violations] == [f'{{"seller_id":"s_{n}"}}' for n in range(3)]
    assert [row.event_time for row in looked.violations[0].rows] == [at(1), at(1) + timedelta(minutes=3)]
    assert (looked.truncated, looked.untimed, looked.bad_rows) == (False, 0, ())


def test_a_policy_of_files_runs_in_snowflakes_dialect(project: Project, warehouse: Warehouse) -> None:
    found = project.load().policies[NAME]
    looked = look(found, warehouse, Window(at(1), at(2)))
    assert looked.ok, looked.error
    assert len(looked.rows) == 30
    assert looked.columns == ("message_id", "seller_id", "seller_name", "body", "sent_at")


def test_an_empty_window_succeeds_without_a_query() -> None:
    with_nothing = connect("duckdb:///there/is/no/such.duckdb")
    looked = look(policy(), with_nothing, Window(at(1), at(1)))
    assert (looked.status, looked.rows) == (RunStatus.succeeded, ())
    with_nothing.close()


def test_too_many_events_halve_the_window_until_they_fit(warehouse: Warehouse) -> None:
    looked = look(policy(), warehouse, Window(at(0), at(24)), limit=100)
    assert looked.window == Window(at(0), at(1.5))
    assert (len(looked.rows), looked.truncated) == (90, False)


def test_halving_again_and_again_leaves_no_row_out(warehouse: Warehouse) -> None:
    """As the engine goes on from where the last look ended."""
    begin, all_seen, looks = at(0), set[str](), 0
    while begin < at(24):
        looked = look(policy(), warehouse, Window(begin, at(24)), limit=200)
        assert not looked.truncated
        begin, all_seen, looks = looked.window.end, all_seen | seen(looked), looks + 1
    assert len(all_seen) == 1440
    assert looks > 5


def test_more_rows_in_one_second_than_the_cap_are_taken_as_far_as_it_goes_and_said(tmp_path: Path) -> None:
    file = tmp_path / "burst.duckdb"
    fill(
        file,
        "CREATE SCHEMA core",
        "CREATE TABLE core.chat_messages AS SELECT 'm' || i AS message_id, 's_1' AS seller_id,"
        " TIMESTAMP '2026-01-01 00:00:00' AS sent_at FROM range(50) t(i)",
    )
    warehouse = connect(f"duckdb:///{file}")
    looked = look(policy(), warehouse, Window(at(0), at(24)), limit=20)
    warehouse.close()
    assert (looked.status, looked.truncated, len(looked.rows)) == (RunStatus.succeeded, True, 20)
    assert looked.window.end - at(0) <= timedelta(seconds=1)


@pytest.mark.parametrize("window", [Trailing("sent_at", timedelta(days=1)), Now()], ids=["trailing", "state"])
def test_conditions_are_never_halved(warehouse: Warehouse, window: WindowKind) -> None:
    span = Window(at(0), at(24))
    looked = look(policy(window=window), warehouse, span, limit=100)
    assert (looked.window, looked.truncated, len(looked.rows)) == (span, True, 100)


def test_a_look_at_the_world_as_it_is_knows_only_its_time(warehouse: Warehouse) -> None:
    sql = "SELECT seller_id, count(*) AS n FROM core.chat_messages WHERE sent_at < $window_end GROUP BY 1"
    looked = look(policy(sql, Now(), row_key=()), warehouse, Window(None, at(1)))
    assert [row.event_time for row in looked.rows] == [None] * 3
    assert sum(row.values["n"] for row in looked.rows) == 60


def test_a_null_in_the_key_is_said_and_the_other_rows_stand(warehouse: Warehouse) -> None:
    sql = MESSAGES.replace(
        "seller_id", "CASE WHEN message_id = 'm61' THEN NULL ELSE seller_id END AS seller_id", 1
    )
    looked = look(policy(sql + " ORDER BY sent_at"), warehouse, Window(at(1), at(1) + timedelta(minutes=3)))
    assert looked.ok
    assert seen(looked) == {"m60", "m62"}
    assert looked.bad_rows == ("row 2 has no seller_id, which the key needs",)


def test_many_bad_rows_are_counted_not_listed(warehouse: Warehouse) -> None:
    sql = MESSAGES.replace("seller_id", "NULL AS seller_id", 1)
    looked = look(policy(sql), warehouse, Window(at(1), at(2)))
    assert len(looked.bad_rows) == 21
    assert looked.bad_rows[-1] == "and 40 more rows like these"


def test_rows_without_a_time_are_counted(warehouse: Warehouse) -> None:
    given = "nullif(sent_at, $window_start) AS sent_at"
    sql = f"SELECT message_id, seller_id, {given} FROM core.chat_messages"
    assert look(policy(sql), warehouse, Window(at(0), at(24))).untimed == 1
    without = look(policy(sql.replace(given, "1 AS x")), warehouse, Window(at(0), at(24)))
    assert without.untimed == 0
    assert {row.event_time for row in without.rows} == {None}


def test_a_missing_key_column_fails_with_what_the_query_gives(warehouse: Warehouse) -> None:
    looked = look(policy(key=("buyer_id",)), warehouse, Window(at(1), at(2)))
    assert looked.status is RunStatus.failed
    assert looked.error == (
        "the query does not give buyer_id, which the policy needs (it gives message_id, seller_id, sent_at)"
    )
    assert not looked.transient


def test_a_refused_query_fails_with_its_sentence(warehouse: Warehouse) -> None:
    looked = look(policy("SELECT nothing FROM core.sellers"), warehouse, Window(at(1), at(2)))
    assert (looked.status, looked.error) == (RunStatus.failed, "the tables read have no column nothing")


def test_a_missing_warehouse_fails_and_may_be_there_soon(tmp_path: Path) -> None:
    warehouse = connect(f"duckdb:///{tmp_path}/none.duckdb")
    looked = look(policy(), warehouse, Window(at(1), at(2)))
    warehouse.close()
    assert (looked.status, looked.transient) == (RunStatus.failed, True)


def test_a_slow_query_times_out(warehouse: Warehouse) -> None:
    endless = "SELECT count(*) AS seller_id FROM range(1000000000) a, range(1000000000) b"
    slow = policy(endless, row_key=(), timeout=timedelta(seconds=0.2))
    looked = look(slow, warehouse, Window(at(1), at(2)))
    assert looked.status is RunStatus.timed_out
    assert looked.error == "the query took longer than 0.2 s and was stopped"
    assert 0.1 < looked.elapsed_s < 5


class Broken:
    """A warehouse whose driver has a fault of its own."""

    dialect = "duckdb"

    def native(self, query: Query) -> str:
        return query.sql

    def query(self, *_: object, **__: object) -> Result:
        raise RuntimeError("a fault")

    def loaded_until(self, _: object) -> dict[str, datetime]:
        raise RuntimeError("a fault")

    def columns(self, _: str) -> dict[str, str]:
        return {}

    def ping(self) -> None: ...

    def close(self) -> None: ...


def test_not_even_a_fault_of_a_driver_is_raised() -> None:
    looked = look(policy(), Broken(), Window(at(1), at(2)))
    assert looked.status is RunStatus.failed
    assert looked.error is not None
    assert "RuntimeError" in looked.error


def test_the_same_row_has_the_same_hash_in_every_look(warehouse: Warehouse) -> None:
    one = look(policy(), warehouse, Window(at(1), at(2)))
    other = look(policy(), warehouse, Window(at(0.5), at(1.5)))
    both = seen(one) & seen(other)
    hashes = [{r.values["message_id"]: r.hash for r in looked.rows} for looked in (one, other)]
    assert [hashes[0][name] for name in sorted(both)] == [hashes[1][name] for name in sorted(both)]
    assert len({hashes[0][name] for name in both}) == len(both) == 30


def test_time_columns_of_any_kind_give_event_times(tmp_path: Path) -> None:
    file = tmp_path / "kinds.duckdb"
    fill(file, "CREATE TABLE t AS SELECT 1 AS k")
    warehouse = connect(f"duckdb:///{file}")
    for expression, expected in [
        ("TIMESTAMP '2026-01-01 12:00:00'", at(12)),
        ("TIMESTAMPTZ '2026-01-01 12:00:00+02'", at(10)),
        ("DATE '2026-01-01'", at(0)),
        ("'2026-01-01T12:00:00Z'", at(12)),
        ("'soon'", None),
    ]:
        one = policy(f"SELECT k, {expression} AS sent_at FROM t", key=("k",), row_key=())
        looked = look(one, warehouse, Window(at(0), at(24)))
        assert [row.event_time for row in looked.rows] == [expected], expression
    warehouse.close()


@settings(deadline=None, max_examples=40)
@given(st.integers(-(10**5), 2 * 10**5), st.integers(1, 4000), st.integers(1, 300))
def test_whatever_the_window_and_the_cap_rows_lie_inside_what_was_looked_at(
    market_policy: tuple[Policy, Warehouse], seconds: int, minutes: int, limit: int
) -> None:
    begin = at(0) + timedelta(seconds=seconds)
    asked = Window(begin, begin + timedelta(minutes=minutes))
    one, warehouse = market_policy
    looked = look(one, warehouse, asked, limit=limit)
    assert looked.ok
    assert looked.window.start == asked.start
    assert looked.window.end <= asked.end
    for row in looked.rows:
        assert row.event_time is not None
        assert begin <= row.event_time < looked.window.end


@pytest.fixture(scope="module")
def market_policy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Policy, Warehouse]]:
    file = Path(tmp_path_factory.mktemp("market")) / "market.duckdb"
    fill(file, *MARKET)
    warehouse = connect(f"duckdb:///{file}")
    yield policy(), warehouse
    warehouse.close()


def table(name: str, loaded_until: str | None = "sent_at", **columns: str) -> Asset:
    return Asset(name, columns=columns or {"sent_at": "timestamp"}, loaded_until=loaded_until)


def test_data_is_there_until_the_newest_row_of_the_table_furthest_behind(tmp_path: Path) -> None:
    file = tmp_path / "loads.duckdb"
    fill(
        file,
        "CREATE SCHEMA core",
        "CREATE TABLE core.a AS SELECT TIMESTAMP '2026-01-01 12:00:00' AS sent_at",
        "CREATE TABLE core.b AS SELECT TIMESTAMP '2026-01-01 11:00:00' AS sent_at",
        "CREATE TABLE core.c AS SELECT TIMESTAMP '2026-01-01 01:00:00' AS updated",
        "CREATE TABLE core.empty_ (sent_at TIMESTAMP)",
    )
    assets = {
        "core.a": table("core.a"),
        "core.b": table("core.b"),
        "core.c": table("core.c", "updated", updated="timestamp"),
        "core.empty_": table("core.empty_"),
        "core.none": table("core.none", None),
        "core.asked": Asset("core.a", loaded_until="sent_at"),
    }
    warehouse = connect(f"duckdb:///{file}")

    def until(*tables: str, window: WindowKind = EVENTS) -> datetime | None:
        one = policy(window=window)
        return data_until(replace(one, query=replace(one.query, tables=tables)), assets, warehouse)

    assert until("core.a", "core.b", "core.c", "core.unknown") == at(11)
    assert until("core.a", "core.c", "core.empty_", "core.none") == at(12)
    assert until("core.asked") == at(12)
    assert until("core.c", "core.none", "core.empty_") is None
    assert until("core.a", window=Now()) is None
    warehouse.close()
