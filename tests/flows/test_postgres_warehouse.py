"""A team whose tables are in Postgres: checked, run once, and served to a card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.databases import own_database

pytestmark = pytest.mark.slow

Wait = Callable[..., Any]
TABLES = """
CREATE SCHEMA core;
CREATE TABLE core.chat (message_id TEXT, seller_id TEXT, body TEXT, sent_at TIMESTAMPTZ);
CREATE TABLE core.sellers (seller_id TEXT, held BOOLEAN);
CREATE ROLE {role} LOGIN PASSWORD 'reads';
GRANT USAGE ON SCHEMA core TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA core TO {role}
"""


@pytest.fixture
def shop(postgres_server: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """The shop's own connection, and the URL by which Patrol may read."""
    with own_database(postgres_server) as url, psycopg.connect(url, autocommit=True) as own:
        role = f"reader_{psycopg.conninfo.conninfo_to_dict(url)['dbname']}"
        own.execute(TABLES.format(role=role))  # type: ignore[call-overload]  # no literal
        yield own, f"postgresql://{role}:reads@{url.partition('@')[2]}"
        own.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")  # type: ignore[call-overload]


def says(own: psycopg.Connection[Any], name: str, seller: str, ago_s: float = 0) -> None:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    own.execute("INSERT INTO core.chat VALUES (%s, %s, 'Pay me 100%% on cash app', %s)", [name, seller, at])


def test_tables_in_postgres_are_checked_run_and_served(town: Any, shop: Any, wait: Wait) -> None:
    own, url = shop
    says(own, "m_1", "s_1", ago_s=60)
    checked = town.patrol("check", "--warehouse", PATROL_WAREHOUSE_URL=url)
    assert checked.wait(60) == 0, town.log
    assert "no mistakes" in town.log
    ran = town.patrol("run", "payments.elsewhere", PATROL_WAREHOUSE_URL=url)
    assert ran.wait(60) in (0, 1), town.log
    assert "s_1 asked 1 times to be paid elsewhere" in town.log
    town.patrol(PATROL_WAREHOUSE_URL=url)
    wait(lambda: town.slack.state()["connected"] == 2, "it did not connect")
    says(own, "m_2", "s_2")
    wait(lambda: town.standing()["s_2"] == 1, f"the card did not come: {town.log[-3000:]}")
    town.end()
    assert "Traceback" not in town.log


def test_what_the_tables_lack_is_named_by_check(town: Any, shop: Any) -> None:
    own, url = shop
    own.execute("ALTER TABLE core.chat RENAME COLUMN body TO words")
    own.execute("DROP TABLE core.sellers")
    checked = town.patrol("check", "--warehouse", PATROL_WAREHOUSE_URL=url)
    assert checked.wait(60) == 1
    assert "policies/_assets.yml:4:1 the warehouse has no table core.sellers" in town.log
    assert "the warehouse's core.chat has no column body" in town.log
    assert "sql/payments/elsewhere.sql:2:31 the tables read have no column body" in town.log
