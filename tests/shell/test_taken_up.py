"""Patrol is killed while the warehouse works for it: who comes after takes the query up, and pays once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.order import Order, OrderKind
from bot.demo.snowflake.process import CHECKOUT
from bot.engine.engine import Engine
from bot.project import Project
from bot.store import Store
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.warehouse.snowflake import Snowflake
from tests.sensors.snowflake_local import HERE, LocalSnowflake, started, within
from tests.shell.making import FILES, HOUR, NOON, Clock

pytestmark = pytest.mark.slow

POLICY = "payments.elsewhere"
MINE = '"policy":"payments.elsewhere"'
TICK = Cause(CauseKind.tick, NOON.isoformat())


class House:
    """A project, a store and a local Snowflake, and processes that look."""

    def __init__(self, folder: Path, server: LocalSnowflake) -> None:
        self.folder, self.server = folder, server
        self.store_url = f"sqlite:///{folder / 'patrol.db'}"
        for name, text in FILES.items():
            path = folder / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        Store(self.store_url).upgrade()
        self.before = len(server.history(MINE))

    def look(self, seconds_past_noon: float) -> subprocess.Popen[bytes]:
        given = [str(self.folder / "project"), self.store_url, self.server.url(), str(seconds_past_noon)]
        environment = {**os.environ, **HERE, "PYTHONPATH": str(CHECKOUT)}
        return subprocess.Popen([sys.executable, "-m", "tests.shell.looker", *given], env=environment)

    def engine(self, clock: Clock) -> Engine:
        store = Store(self.store_url)
        engine = Engine(
            store, Snowflake(self.server.address()), Project(self.folder / "project", store), clock
        )
        engine.reload()
        return engine

    @property
    def asked(self) -> list[dict[str, object]]:
        """What the warehouse was asked for the policy in this house, oldest first."""
        return self.server.history(MINE)[self.before :]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalSnowflake]:
    with started() as local:
        local.run("CREATE DATABASE market", "CREATE SCHEMA market.core", "USE SCHEMA market.core")
        chat = "message_id VARCHAR, seller_id VARCHAR, body VARCHAR, sent_at TIMESTAMP_NTZ"
        local.run(
            f"CREATE TABLE market.core.chat ({chat})",
            "CREATE TABLE market.core.sellers (seller_id VARCHAR, held BOOLEAN)",
            "INSERT INTO market.core.chat VALUES ('m_1', 's_1', 'pay me on cash app', '2026-01-05 11:59:00')",
            "INSERT INTO market.core.chat VALUES ('m_2', 's_2', 'hello', '2026-01-05 11:59:30')",
        )
        yield local


@pytest.fixture
def house(tmp_path: Path, server: LocalSnowflake) -> House:
    return House(tmp_path, server)


def test_patrol_is_killed_during_a_query_and_the_history_shows_one_execution(house: House) -> None:
    with house.server.holding(MINE):
        victim = house.look(1)
        within(lambda: Store(house.store_url).runs.recent(POLICY)[:1] and recorded(house))
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        heir = house.look(30)  # the lease has run out
        within(lambda: Store(house.store_url).runs.recent(POLICY)[0].attempt == 2)
        house.server.post("hold")
        assert heir.wait(30) == 0
    ends_well(house)


def test_killed_before_it_could_write_the_querys_id_it_is_found_by_its_tag(house: House) -> None:
    code = (
        "import os, signal, sys; from bot.store.runs import Runs; from tests.shell import looker\n"
        "Runs.submitted = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "looker.main()"
    )
    given = [str(house.folder / "project"), house.store_url, house.server.url(), "1"]
    environment = {**os.environ, **HERE, "PYTHONPATH": str(CHECKOUT)}
    victim = subprocess.run([sys.executable, "-c", code, *given], env=environment, check=False)
    assert victim.returncode == -signal.SIGKILL
    assert Store(house.store_url).runs.recent(POLICY)[0].query_id is None
    assert house.look(30).wait(30) == 0
    ends_well(house)


def recorded(house: House) -> bool:
    return Store(house.store_url).runs.recent(POLICY)[0].query_id is not None


def ends_well(house: House) -> None:
    """One query was paid for, and its rows are an alert."""
    (line,) = house.asked
    assert line["execution_status"] == "SUCCESS"
    tag = json.loads(str(line["query_tag"]))
    assert {"app": "patrol", "bundle": "main", "policy": POLICY, "run": "1"}.items() <= tag.items()
    store = Store(house.store_url)
    (run,) = store.runs.recent(POLICY)
    assert (run.status, run.query_id, run.attempt) == (RunStatus.succeeded, line["query_id"], 2)
    assert [alert.key for alert in store.alerts.open(policy=POLICY)] == ['{"seller_id":"s_1"}']


def test_a_policy_that_is_paused_meanwhile_stops_its_query_and_nobody_is_told(house: House) -> None:
    engine = house.engine(Clock(NOON))
    looking = threading.Thread(target=lambda: engine.tick(POLICY, TICK, NOON))
    with house.server.holding(MINE):
        looking.start()
        within(lambda: len(house.asked) == 1)
        engine.orders.begin(Order(POLICY, OrderKind.pause, NOON + HOUR, "ana", "too loud", NOON))
        looking.join(20)
    within(lambda: house.asked[0]["end_time"])
    assert house.asked[0]["error_code"] == "000604"
    (run,) = engine.store.runs.recent(POLICY)
    assert (run.status, run.error) == (RunStatus.skipped, "its policy is paused")
    assert list(engine.store.alerts.open()) == []
    engine.warehouse.close()
