"""Snowflake as another role, with another warehouse, in another schema; and what it tells without any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sensors.model.asset import LAST_ALTERED, Asset
from sensors.model.session import Session
from sensors.run import seen_of
from sensors.warehouse import Result, Warehouse, WarehouseError
from sensors.warehouse import snowflake_tables as tables
from sensors.warehouse.able import within
from sensors.warehouse.snowflake import Snowflake
from tests.sensors.snowflake_local import LocalSnowflake, started


@pytest.fixture(scope="module")
def server() -> Iterator[LocalSnowflake]:
    with started() as local:
        local.run("CREATE DATABASE market", "CREATE SCHEMA market.core")
        local.run("CREATE TABLE market.core.numbers AS SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3")
        yield local


@pytest.fixture(scope="module")
def warehouse(server: LocalSnowflake) -> Iterator[Snowflake]:
    with server.opened() as opened:
        yield opened


def ask(warehouse: Warehouse, sql: str) -> Result:
    return warehouse.query(sql, {}, limit=100, timeout=timedelta(minutes=1), tag="payments.card_testing")


def test_a_query_is_asked_as_the_role_with_the_warehouse_and_in_the_schema_that_are_said(
    warehouse: Snowflake, server: LocalSnowflake
) -> None:
    server.run("CREATE ROLE patrol_pii", "CREATE WAREHOUSE patrol_l", "CREATE SCHEMA market.risk")
    server.run("CREATE TABLE market.risk.scores AS SELECT 0.5 AS score")
    there = within(warehouse, Session("patrol_pii", "patrol_l", "risk"))
    assert ask(there, "SELECT score, 91 AS n FROM scores").rows == ((0.5, 91),)
    assert there.columns("scores") != {} == warehouse.columns("scores")
    ask(warehouse, "SELECT n, 92 FROM core.numbers")
    used = [server.history(f" {n}")[-1] for n in (91, 92)]
    assert [(one["role_name"], one["warehouse_name"], one["schema_name"]) for one in used] == [
        ("PATROL_PII", "PATROL_L", "RISK"),
        ("PATROL", "PATROL", "CORE"),
    ]


def test_a_part_that_is_not_said_is_as_the_address_says(warehouse: Snowflake, server: LocalSnowflake) -> None:
    server.run("CREATE WAREHOUSE patrol_m")
    ask(within(warehouse, Session(warehouse="patrol_m")), "SELECT n, 93 FROM numbers")
    (line,) = server.history("93 FROM")
    assert (line["role_name"], line["warehouse_name"], line["schema_name"]) == ("PATROL", "PATROL_M", "CORE")


WRONG_SESSIONS = [
    (Session(role="nobody"), "the role is not there, or not granted to the user"),
    (Session(warehouse="nothing"), "no warehouse is chosen to run it, or the role may not use it"),
]


@pytest.mark.parametrize(("session", "said"), WRONG_SESSIONS)
def test_a_role_or_warehouse_that_is_not_there_is_said_and_stops_nobody_else(
    server: LocalSnowflake, session: Session, said: str
) -> None:
    with server.opened() as opened:
        with pytest.raises(WarehouseError, match=said) as caught:
            ask(within(opened, session), "SELECT n FROM core.numbers")
        assert not caught.value.transient
        assert len(ask(opened, "SELECT n FROM core.numbers").rows) == 3


def test_what_has_not_changed_is_known_without_a_warehouse(
    server: LocalSnowflake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole of a tick where nothing was loaded: a mark of each table is asked for, which needs none."""
    monkeypatch.setattr(tables, "LOADED_S", 0.0)
    server.run("CREATE TABLE market.core.events AS SELECT '2026-01-01 12:00:00'::TIMESTAMP_NTZ AS seen")
    events = Asset("core.events", loaded_until="seen", aged_by=LAST_ALTERED)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with server.opened() as opened:
        assert seen_of([events], opened).ages["core.events"] > noon
        assert opened.loaded_until([events]) == {"core.events": noon}
        before = len(server.history())
        for _ in range(3):
            assert opened.loaded_until([events]) == {"core.events": noon}
            assert opened.altered([events]).keys() == {"core.events"}
        asked = server.history()[before:]
        assert [line["warehouse_name"] for line in asked] == [None] * 6
        was = opened.altered([events])
        server.run("INSERT INTO market.core.events SELECT '2026-01-01 13:00:00'::TIMESTAMP_NTZ")
        assert opened.loaded_until([events]) == {"core.events": noon + timedelta(hours=1)}
        assert opened.altered([events])["core.events"] > was["core.events"]


def test_a_view_has_no_date_of_its_own(server: LocalSnowflake) -> None:
    server.run("CREATE VIEW market.core.seen_view AS SELECT * FROM market.core.numbers")
    with server.opened() as opened:
        dated = opened.altered([Asset("core.seen_view"), Asset("core.numbers"), Asset("core.nothing")])
    assert dated.keys() == {"core.numbers"}
