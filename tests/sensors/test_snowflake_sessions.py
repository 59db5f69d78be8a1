"""Snowflake as another role, with another warehouse, in another schema; what it tells and grants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sensors.check import check
from sensors.model.asset import LAST_ALTERED, Asset
from sensors.model.session import USUAL, Session
from sensors.rights import rights
from sensors.seen import seen_of
from sensors.warehouse import Result, Warehouse, WarehouseError
from sensors.warehouse import snowflake_tables as tables
from sensors.warehouse.able import within
from sensors.warehouse.snowflake import Snowflake
from tests.sensors.project import POLICY, Project
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
        assert seen_of([events], opened, noon).ages["core.events"] > noon
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


# --------------------------------------------------------------------------- what the doctor says

READER = (  # what docs/warehouses.md grants, as far as it bears on a role
    "CREATE ROLE reader",
    "GRANT USAGE ON WAREHOUSE patrol TO ROLE reader",
    "GRANT USAGE ON DATABASE market TO ROLE reader",
    "GRANT USAGE ON SCHEMA market.core TO ROLE reader",
    "GRANT SELECT ON TABLE market.core.orders TO ROLE reader",
)


def test_check_names_a_session_that_cannot_be_had_where_it_is_written(
    server: LocalSnowflake, project: Project
) -> None:
    project.change(POLICY, "key: [seller_id]", "session: {role: nobody}\nkey: [seller_id]")
    with server.opened() as opened:
        found = [str(one) for one in check(project.load(carry_to="snowflake"), opened)]
    said = f"{POLICY}:7:17 session.role: the role is not there, or not granted to the user"
    assert any(one.startswith(said) for one in found), found


def told(server: LocalSnowflake, *tables: str, session: Session = USUAL, **options: Any) -> dict[str, Any]:
    with server.opened(**options) as opened:
        return {one.what: one for one in rights(opened, [(session, table) for table in tables])}


def test_a_role_that_only_reads_is_told_as_such(server: LocalSnowflake) -> None:
    server.run("CREATE TABLE market.core.orders (id INT)", *READER)
    found = told(server, "core.orders", role="reader")
    assert found["its role READER can only read"].ok is True
    assert found["its clock and ours agree"].ok is True
    assert all(one.ok for one in found.values())


def test_what_a_role_may_besides_is_named_with_what_to_do(server: LocalSnowflake) -> None:
    server.run("CREATE ROLE writer", "GRANT SELECT, INSERT ON TABLE market.core.orders TO ROLE writer")
    server.run(
        "CREATE ROLE handy",
        "GRANT ROLE writer TO ROLE handy",
        "GRANT CREATE TABLE ON SCHEMA market.core TO ROLE handy",
    )
    found = told(server, "core.orders", role="handy")
    (wrong,) = (one for one in found.values() if one.ok is False)
    said = "CREATE TABLE on schema MARKET.CORE; INSERT on table MARKET.CORE.ORDERS (by the role WRITER)"
    assert wrong.what == f"its role HANDY can do more than read: {said}"
    assert wrong.do.startswith("REVOKE it, or give Patrol a role of its own")


def test_a_table_that_is_not_there_or_may_not_be_read_is_named(server: LocalSnowflake) -> None:
    found = told(server, "core.nothing", role="reader")
    assert found["there is no table core.nothing, or its role does not see it"].ok is False


def test_a_database_that_is_not_there_is_wrong(server: LocalSnowflake) -> None:
    found = told(server, "core.orders", place="nothing/core")
    (wrong,) = (
        one for what, one in found.items() if what.startswith("core.orders cannot be read: no database is")
    )
    assert wrong.ok is False


def test_each_session_that_policies_name_is_asked_with_its_tables(server: LocalSnowflake) -> None:
    server.run("CREATE ROLE pii", "GRANT SELECT ON TABLE market.core.orders TO ROLE pii")
    found = told(server, "core.orders", session=Session("pii"), role="reader")
    assert found["its role READER can only read"].ok is True
    assert found["with role pii: its role PII can only read"].ok is True
    nobody = told(server, "core.orders", session=Session("nobody"), role="reader")
    (unsaid,) = (one for what, one in nobody.items() if "with role nobody" in what)
    assert "the role is not there, or not granted to the user" in unsaid.what
    assert unsaid.ok is False


def test_a_session_without_a_warehouse_is_told(server: LocalSnowflake) -> None:
    found = told(server, warehouse="nothing")
    assert found["no warehouse is chosen, or the role may not use it"].ok is False
