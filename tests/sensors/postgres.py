"""A database with tables on a real Postgres, and how tests ask it."""
# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sensors.warehouse import Result, Warehouse, connect
from tests.databases import own_database

MINUTE = timedelta(minutes=1)
TABLES = """
CREATE SCHEMA core;
CREATE TABLE core.sellers AS
  SELECT 's_' || i AS seller_id, 'Seller ' || i AS display_name FROM generate_series(0, 2) i;
CREATE TABLE core.times (id INT, n TIMESTAMP, z TIMESTAMPTZ);
INSERT INTO core.times VALUES (1, '2026-07-01 11:59:00', '2026-07-01 11:59:00+00'),
  (2, '2026-07-01 12:00:00', '2026-07-01 12:00:00+00'), (3, '2026-07-01 12:01:00', '2026-07-01 12:01:00+00');
CREATE TABLE core.odd (id INT, at_ TIMESTAMP, zoned TIMESTAMPTZ, day DATE, span INTERVAL, amount NUMERIC, tags TEXT[], doc JSONB);
INSERT INTO core.odd VALUES
  (1, 'infinity', '-infinity', '20000-01-01', '200000000 days', 'NaN', '{a,b}', '{"k": [1]}'),
  (2, '0044-03-15 BC', NULL, '0044-03-15 BC', '1 day', 1.50, NULL, NULL);
CREATE VIEW core.seen AS SELECT seller_id FROM core.sellers
"""


@pytest.fixture(scope="module")
def market(postgres_server: str) -> Iterator[str]:
    """The URL of a database with tables."""
    with own_database(postgres_server) as url:
        with psycopg.connect(url) as admin:
            admin.execute("SET TimeZone = 'UTC'")
            admin.execute(TABLES)
        yield url


@contextmanager
def opened(url: str) -> Iterator[Warehouse]:
    warehouse = connect(url)
    try:
        yield warehouse
    finally:
        warehouse.close()


@pytest.fixture
def warehouse(market: str) -> Iterator[Warehouse]:
    with opened(market) as found:
        yield found


def ask(
    warehouse: Warehouse, sql: str, limit: int = 100, timeout: timedelta = MINUTE, **binds: object
) -> Result:
    return warehouse.query(sql, binds, limit=limit, timeout=timeout, tag="payments.refund_spike")


def at_work(url: str) -> list[Any]:
    """The processes of the server that run a query of Patrol's: pid, and what the server calls it."""
    sql = "SELECT pid, application_name FROM pg_stat_activity WHERE state = 'active' AND application_name LIKE %s"
    with psycopg.connect(url) as admin:
        return admin.execute(sql, ["patrol payments%"]).fetchall()
