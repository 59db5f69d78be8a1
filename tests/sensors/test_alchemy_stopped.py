"""Postgres as the warehouse: queries that are stopped, cut, or asked of a server that is not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from sensors.model.asset import Asset
from sensors.model.session import Session
from sensors.warehouse import QueryTimeout, Warehouse, WarehouseError
from sensors.warehouse.able import within
from sensors.warehouse.alchemy import Alchemy
from sensors.warehouse.alchemy_address import reach
from sensors.warehouse.alchemy_sessions import Sessions
from tests.sensors.postgres import ask, at_work, market, opened, warehouse
from tests.store.breaking import Server, wait_until

__all__ = ["market", "warehouse"]
ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000000) b"


def test_a_query_past_its_timeout_is_stopped_there_too_and_the_next_one_runs(
    market: str, warehouse: Warehouse
) -> None:
    began = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"the query took longer than 0.3 s and was stopped"):
        ask(warehouse, ENDLESS, timeout=timedelta(seconds=0.3))
    assert time.monotonic() - began < 5
    assert at_work(market) == []
    assert ask(warehouse, "SELECT 1 AS one").rows == ((1,),)


def test_what_the_server_does_not_stop_by_itself_is_stopped_over_another_connection(market: str) -> None:
    engine, way, stop = reach(market)
    untold = replace(way, before=("SET LOCAL application_name = 'patrol payments untold'",))
    warehouse = Alchemy(Sessions(engine, untold, stop), untold)
    began = time.monotonic()
    with pytest.raises(QueryTimeout):
        ask(warehouse, ENDLESS, timeout=timedelta(seconds=0.2))
    assert time.monotonic() - began < 2
    wait_until(lambda: at_work(market) == [])
    assert ask(warehouse, "SELECT 1 AS one").rows == ((1,),)
    warehouse.close()


def test_a_server_that_hangs_is_hung_up_on(market: str, warehouse: Warehouse) -> None:
    stopped: list[int] = []

    def freeze() -> None:
        ((pid, _),) = wait_until(lambda: at_work(market))
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)

    thread = threading.Thread(target=freeze)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(QueryTimeout):
            ask(warehouse, "SELECT 1 AS a FROM pg_sleep(77)", timeout=timedelta(seconds=0.5))
        assert time.monotonic() - began < 20
        assert ask(warehouse, "SELECT 1 AS one").rows == ((1,),)
    finally:
        thread.join()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_a_timeout_stops_only_its_own_query_and_many_threads_ask_at_once(warehouse: Warehouse) -> None:
    ended: list[object] = []
    wrong: list[object] = []

    def endless() -> None:
        try:
            ask(warehouse, ENDLESS, timeout=timedelta(seconds=0.4))
        except QueryTimeout as error:
            ended.append(error)

    def work(number: int) -> None:
        for _ in range(20):
            rows = ask(warehouse, "SELECT :n AS n, count(*) AS c FROM core.sellers", n=number).rows
            if rows != ((number, 3),):
                wrong.append(rows)

    threads = [
        threading.Thread(target=endless),
        *(threading.Thread(target=work, args=(n,)) for n in range(12)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(ended) == 1


def test_the_server_can_tell_whose_query_runs_and_at_the_end_it_is_stopped(market: str) -> None:
    said: list[WarehouseError] = []
    with opened(market) as warehouse:

        def endless() -> None:
            with pytest.raises(WarehouseError) as caught:
                ask(warehouse, ENDLESS)
            said.append(caught.value)

        thread = threading.Thread(target=endless)
        thread.start()
        ((_, name),) = wait_until(lambda: at_work(market))
    thread.join()
    assert name == "patrol payments.refund_spike"
    assert [str(one) for one in said] == ["the query was stopped, since Patrol is ending"]
    assert said[0].transient
    wait_until(lambda: at_work(market) == [])
    with pytest.raises(WarehouseError, match="Patrol is ending"):
        warehouse.ping()


def test_a_query_of_a_process_that_was_killed_is_ended_by_the_server(market: str) -> None:
    """Nobody is left to stop it, and its own timeout is an hour away."""
    code = (
        "import sys; from datetime import timedelta; from sensors.warehouse import connect;"
        f" connect(sys.argv[1]).query({ENDLESS!r}, {{}}, limit=1, timeout=timedelta(hours=1), tag='payments')"
    )
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, "-c", code, market], env=here)
    try:
        wait_until(lambda: at_work(market))
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: at_work(market) == [])


def test_a_bare_name_is_looked_for_in_the_schema_that_is_said(market: str, warehouse: Warehouse) -> None:
    with psycopg.connect(market, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA risk")
        admin.execute("CREATE TABLE risk.scores AS SELECT TIMESTAMP '2026-01-01 12:00:00' AS at_, 1 AS n")
    there = within(warehouse, Session(schema="Risk"))
    assert ask(there, "SELECT n FROM scores").rows == ((1,),)
    assert ask(there, "SELECT count(*) AS n FROM core.sellers").rows == ((3,),)
    assert list(there.columns("scores")) == ["at_", "n"]
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert there.loaded_until([Asset("scores", loaded_until="at_")]) == {"scores": noon}
    there.close()  # which is another's to do
    assert warehouse.columns("scores") == {}
    with pytest.raises(WarehouseError, match="the warehouse has no table scores"):
        ask(warehouse, "SELECT n FROM scores")


def test_a_server_that_goes_away_is_said_and_taken_up_again(own_postgres: Server) -> None:
    with opened(own_postgres.url) as warehouse:
        warehouse.ping()
        own_postgres.stop()
        try:
            with pytest.raises(WarehouseError) as caught:
                warehouse.ping()
            assert caught.value.transient
            assert "\n" not in str(caught.value)
        finally:
            own_postgres.start()
        warehouse.ping()


def test_a_connection_that_is_cut_in_a_query_may_be_tried_again(market: str, warehouse: Warehouse) -> None:
    def cut() -> None:
        ((pid, _),) = wait_until(lambda: at_work(market))
        with psycopg.connect(market) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(WarehouseError) as caught:
        ask(warehouse, ENDLESS)
    thread.join()
    assert caught.value.transient
    assert ask(warehouse, "SELECT 1 AS one").rows == ((1,),)
