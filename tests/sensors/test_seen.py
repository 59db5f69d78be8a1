"""How old tables are: a row of a time to come does not stand for its table, and bounds windows as ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.model.asset import Asset
from sensors.model.case import Filled
from sensors.seen import AHEAD, seen_of, untold
from sensors.warehouse import Warehouse, connect
from sensors.warehouse.duck_memory import Memory
from tests.sensors.project import fill

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TO_COME = "TIMESTAMP '2099-01-01'"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    file: Path = tmp_path_factory.mktemp("seen") / "seen.duckdb"
    before = "TIMESTAMP '2026-01-05 11:00:00'"
    fill(
        file,
        "CREATE SCHEMA core",
        f"CREATE TABLE core.times AS SELECT unnest([{before}, {TO_COME}]) AS came",
        f"CREATE TABLE core.zoned AS SELECT unnest([{before}, {TO_COME}])::TIMESTAMPTZ AS came",
        "CREATE TABLE core.days AS SELECT unnest([DATE '2026-01-05', DATE '2026-01-06']) AS came",
        "CREATE TABLE core.ever AS SELECT unnest(['2026-01-05', 'infinity'])::TIMESTAMP AS came",
        "CREATE TABLE core.texts AS SELECT unnest(['2026-01-05', '2099-01-01']) AS came",
        f"CREATE TABLE core.all_ AS SELECT {TO_COME} AS came",
        "CREATE TABLE core.none (came TIMESTAMP)",
    )
    found = connect(f"duckdb:///{file}")
    yield found
    found.close()


NAMES = ("times", "zoned", "days", "ever", "texts", "all_", "none", "gone")
ASSETS = {name: Asset(f"core.{name}", loaded_until="came") for name in NAMES}


def test_the_newest_that_is_no_time_to_come_is_the_age_whatever_type_it_has(warehouse: Warehouse) -> None:
    seen = seen_of(ASSETS.values(), warehouse, NOON)
    assert seen.ages == {
        "core.times": NOON - timedelta(hours=1),
        "core.zoned": NOON - timedelta(hours=1),
        "core.days": NOON - timedelta(hours=12),
        "core.ever": NOON - timedelta(hours=12),
    }


def test_windows_are_bounded_as_the_warehouse_says(warehouse: Warehouse) -> None:
    seen = seen_of(ASSETS.values(), warehouse, NOON)
    assert seen.loaded == warehouse.loaded_until(ASSETS.values())
    assert seen.loaded["core.times"].date() == date(2099, 1, 1)


def test_why_one_has_no_age(warehouse: Warehouse) -> None:
    seen = seen_of(ASSETS.values(), warehouse, NOON)
    to_come = "its newest came, 2099-01-01 00:00 UTC, is to come, and nothing tells which is not"
    assert {name: why for name, asset in ASSETS.items() if (why := untold(asset, warehouse, seen))} == {
        "texts": to_come,
        "all_": to_come,
        "gone": "the warehouse has no such table",
    }
    other = Asset("core.none", loaded_until="went")
    assert untold(other, warehouse, seen_of([other], warehouse, NOON)) == "it has no column went"


@settings(max_examples=25)  # each fills a table
@given(st.lists(st.integers(-600, 600), max_size=5))
def test_it_is_the_newest_that_is_at_most_an_hour_ahead(minutes: list[int]) -> None:
    memory = Memory()
    asset = Asset("core.t", columns={"came": "timestamp"}, loaded_until="came")
    times = [NOON + timedelta(minutes=n) for n in minutes]
    fit = [at for at in times if at <= NOON + AHEAD]
    rows = Filled(asset.name, ("came",), tuple((at.replace(tzinfo=None),) for at in times))
    with memory.holding([asset], "duckdb", [rows]):
        assert seen_of([asset], memory, NOON).ages == ({"core.t": max(fit)} if fit else {})
    memory.close()
