"""The same on a real account, where SNOWFLAKE_ACCOUNT and its companions name one. Needs no table."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from sensors.model.asset import Asset
from sensors.model.run import Submitted
from sensors.model.session import Session
from sensors.rights import rights
from sensors.warehouse import QueryTimeout, Warehouse, WarehouseError
from sensors.warehouse.able import within
from sensors.warehouse.errand import Errand, on_errand
from sensors.warehouse.snowflake import Snowflake

NEEDED = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_DATABASE", "SNOWFLAKE_WAREHOUSE")
MISSING = [name for name in NEEDED if not os.environ.get(name)]
pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"no Snowflake account to ask: set {', '.join(MISSING)}, SNOWFLAKE_USER and a secret",
)
MINUTE = timedelta(minutes=1)
LONG = "SELECT COUNT(*) AS n FROM TABLE(GENERATOR(ROWCOUNT => 10000000000)) WHERE RANDOM() = :mark"


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Snowflake]:
    opened = Snowflake.at("snowflake://{SNOWFLAKE_ACCOUNT}/{SNOWFLAKE_DATABASE}".format(**os.environ))
    yield opened
    opened.close()


@pytest.fixture
def labels() -> dict[str, str]:
    return {"bundle": "main", "policy": "patrol.tests", "run": uuid4().hex, "version": "0"}


def ask(warehouse: Warehouse, sql: str, timeout: timedelta = MINUTE, **binds: object) -> Any:
    return warehouse.query(sql, binds, limit=10, timeout=timeout, tag="patrol.tests").rows


def test_values_and_times_go_in_and_come_out(warehouse: Snowflake) -> None:
    at = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)
    zoned = "'2026-07-01 12:00:00.123456+00:00'::TIMESTAMP_TZ"
    sql = f"SELECT :at AS a, :at = {zoned} AS same, :text AS t, :none AS z"
    ((naive, same, text, none),) = ask(warehouse, sql, at=at, text="ana's 🎴", none=None)
    assert (naive, same, text, none) == (at.replace(tzinfo=None), True, "ana's 🎴", None)
    ((now,),) = ask(warehouse, "SELECT CURRENT_TIMESTAMP::TIMESTAMP_TZ AS now")
    assert now.utcoffset() == timedelta()


def test_a_query_past_its_timeout_is_stopped(warehouse: Snowflake) -> None:
    began = time.monotonic()
    with pytest.raises(QueryTimeout):
        ask(warehouse, LONG, timeout=timedelta(seconds=3), mark=1)
    assert time.monotonic() - began < 20


def test_a_query_that_runs_is_taken_up_and_one_that_is_unwanted_is_stopped(
    warehouse: Snowflake, labels: dict[str, str]
) -> None:
    told: list[Submitted] = []
    first = Errand(labels, submitted=lambda one: not told.append(one), lost=lambda: bool(told))
    with pytest.raises(WarehouseError, match="another process has this run"):
        ask(on_errand(warehouse, first), LONG, mark=2)
    why: list[str] = []
    again = Errand(labels, before=told[0], submitted=lambda _: True, unwanted=lambda: why[0] if why else "")
    threading.Timer(2, why.append, ["its policy is paused"]).start()
    with pytest.raises(WarehouseError, match="its policy is paused"):
        ask(on_errand(warehouse, again), LONG, mark=2)


def test_one_whose_id_was_not_recorded_is_found_by_its_tag(
    warehouse: Snowflake, labels: dict[str, str]
) -> None:
    sql = "SELECT :mark AS mark"
    first = on_errand(warehouse, Errand(labels)).query(sql, {"mark": 3}, limit=1, timeout=MINUTE)
    again = on_errand(warehouse, Errand(labels, again=True)).query(sql, {"mark": 3}, limit=1, timeout=MINUTE)
    assert again.query_id == first.query_id


def test_what_is_not_there_is_said(warehouse: Snowflake) -> None:
    assert warehouse.columns("nowhere.nothing") == {}
    for sql, said in (
        ("SELECT * FROM nowhere_at_all", "the warehouse has no nowhere_at_all"),
        ("SELECT nothing_such(1) AS a", "the warehouse has no function nothing_such"),
        ("SELECT nothing_such AS a", "the tables read have no column nothing_such"),
    ):
        with pytest.raises(WarehouseError, match=said) as caught:
            ask(warehouse, sql)
        assert not caught.value.transient


def test_a_mark_of_a_table_needs_no_warehouse_and_a_date_is_told(warehouse: Snowflake) -> None:
    """Of the table that SNOWFLAKE_TABLE names, which somebody may be filling."""
    table = os.environ.get("SNOWFLAKE_TABLE")
    if not table:
        pytest.skip("no table to ask of: set SNOWFLAKE_TABLE")
    nowhere = within(warehouse, Session(warehouse="NO_SUCH_WAREHOUSE"))
    marked = f"SELECT SYSTEM$LAST_CHANGE_COMMIT_TIME('{table}') AS mark"
    ((mark,),) = ask(nowhere, marked)
    assert int(mark) > 0
    with pytest.raises(WarehouseError, match="no warehouse is chosen"):
        ask(nowhere, f"SELECT COUNT(*) AS n FROM {table}")
    dated = warehouse.altered([Asset(table)])
    assert dated[table] < datetime.now(UTC) + timedelta(minutes=1)


def test_a_role_that_is_not_there_is_said(warehouse: Snowflake) -> None:
    with pytest.raises(WarehouseError, match="role"):
        ask(within(warehouse, Session(role="NO_SUCH_ROLE_AT_ALL")), "SELECT 1 AS one")


def test_the_role_is_told_by_its_grants(warehouse: Snowflake) -> None:
    found = [one.what for one in rights(warehouse, []) if "its role" in one.what]
    assert len(found) == 1
    assert "can only read" in found[0] or "can do more than read" in found[0]
