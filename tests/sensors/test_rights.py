"""What `patrol doctor` says of Snowflake's grants: over the real connector, and of grants made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.model.session import USUAL, Session
from sensors.rights import rights
from sensors.rights_snowflake import READS, may
from sensors.warehouse import WarehouseError
from tests.sensors.snowflake_local import LocalSnowflake, started

READER = (  # what docs/warehouses.md grants, as far as it bears on a role
    "CREATE ROLE reader",
    "GRANT USAGE ON WAREHOUSE patrol TO ROLE reader",
    "GRANT USAGE ON DATABASE market TO ROLE reader",
    "GRANT USAGE ON SCHEMA market.core TO ROLE reader",
    "GRANT SELECT ON TABLE market.core.orders TO ROLE reader",
)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalSnowflake]:
    with started() as local:
        local.run("CREATE DATABASE market", "CREATE SCHEMA market.core")
        local.run("CREATE TABLE market.core.orders (id INT)", *READER)
        yield local


def told(server: LocalSnowflake, *tables: str, session: Session = USUAL, **options: object) -> dict[str, Any]:
    with server.opened(**options) as opened:
        return {one.what: one for one in rights(opened, [(session, table) for table in tables])}


def test_a_role_that_only_reads_is_told_as_such(server: LocalSnowflake) -> None:
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


def test_each_session_that_policies_name_is_asked_with_its_tables(server: LocalSnowflake) -> None:
    server.run("CREATE ROLE pii", "GRANT SELECT ON TABLE market.core.orders TO ROLE pii")
    found = told(server, "core.orders", session=Session("pii"), role="reader")
    assert found["its role READER can only read"].ok is True
    assert found["with role pii: its role PII can only read"].ok is True
    nobody = told(server, "core.orders", session=Session("nobody"), role="reader")
    (unsaid,) = (one for what, one in nobody.items() if "with role nobody" in what)
    assert "the role is not there, or not granted to the user" in unsaid.what


def test_a_session_without_a_warehouse_is_told(server: LocalSnowflake) -> None:
    found = told(server, warehouse="nothing")
    assert found["no warehouse is chosen, or the role may not use it"].ok is False


GRANTS = st.lists(
    st.tuples(
        st.sampled_from(["USAGE", "SELECT", "INSERT", "OWNERSHIP", "CREATE VIEW", "", "TRUNCATE"]),
        st.sampled_from(["TABLE", "ROLE", "SCHEMA", "PROCEDURE", "WAREHOUSE"]),
        st.sampled_from(["A", "B", "C", "PATROL"]),
    ),
    max_size=4,
)


@given(st.dictionaries(st.sampled_from(["PATROL", "A", "B", "PUBLIC"]), GRANTS))
def test_no_right_is_passed_over_however_roles_hang_together(
    granted: Mapping[str, Sequence[tuple[str, str, str]]],
) -> None:
    """Roles may be granted in a ring, and some are hidden from us."""

    def grants(role: str) -> Sequence[Mapping[str, Any]]:
        if role not in granted and role != "PATROL":
            raise WarehouseError("the role may not see this")
        return [{"privilege": p, "granted_on": k, "name": n} for p, k, n in granted.get(role, ())]

    reached, last = {"PATROL", "PUBLIC"}, set[str]()
    while reached != last:
        last = set(reached)
        held = [one for role in reached for one in granted.get(role, ())]
        reached |= {name for privilege, kind, name in held if (privilege, kind) == ("USAGE", "ROLE")}
    more = [
        one
        for role in reached
        for one in granted.get(role, ())
        if one[:2] != ("USAGE", "ROLE") and (one[0] not in READS or one[1] == "PROCEDURE")
    ]
    assert may("PATROL", grants).ok is not bool(more)
