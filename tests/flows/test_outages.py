"""Store, disk and log are taken from a running Patrol and given back: nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.databases import own_database
from tests.flows.conftest import ROOT
from tests.store.breaking import Server, SmallDisk, locked_by_another

pytestmark = pytest.mark.slow

Wait = Callable[..., Any]
NO_FILE = (0, resource.RLIM_INFINITY)


def health(town: Any, path: str = "healthz") -> tuple[int, dict[str, str]]:
    """What the newest process says of itself."""
    lines = [line for line in town.log.splitlines() if '"on patrol"' in line]
    url = json.loads(lines[-1])["health"].rpartition("/")[0]
    answer = httpx.get(f"{url}/{path}", trust_env=False, timeout=10)
    return answer.status_code, answer.json()["checks"]


def said(town: Any, event: str) -> list[dict[str, Any]]:
    """The lines of the log that say this."""
    lines = (json.loads(line) for line in town.log.splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def on_patrol(town: Any, wait: Wait, **environment: str) -> subprocess.Popen[bytes]:
    """Patrol, with one card standing."""
    process: subprocess.Popen[bytes] = town.patrol(**environment)
    town.says("s_1")
    wait(lambda: town.standing()["s_1"] == 1, "the first card did not come")
    wait(lambda: town.slack.state()["connected"] == 2, "it did not connect")
    return process


def all_once(town: Any, wait: Wait, *sellers: str) -> None:
    """One card for each stands, and after one more has come still only one."""
    wait(lambda: set(sellers) <= set(town.standing()), "not all came")
    town.says("s_9")
    wait(lambda: town.standing()["s_9"], "nothing came any more")
    assert town.standing() == dict.fromkeys((*sellers, "s_9"), 1)


def words(seen: dict[str, Any]) -> str:
    return json.dumps([seen["ephemerals"], seen["message"]])


def test_a_store_that_another_holds_is_said_once_and_all_goes_on_after_it(town: Any, wait: Wait) -> None:
    on_patrol(town, wait)
    (card,) = town.cards()
    with locked_by_another(town.folder / "patrol.db"):
        town.says("s_2")
        wait(lambda: "locked" in health(town)[1]["store"], "/healthz does not say it")
        seen = town.slack.click("ana", "payments", card["ts"], "alert.ack", wait_ms=4000)
        assert seen["acked"]
        assert seen["ack_ms"] < 3000
        assert "ot recorded" in words(seen)
        assert health(town)[0] == 200
        assert health(town, "readyz")[0] == 503
        assert town.standing() == {"s_1": 1}
    all_once(town, wait, "s_1", "s_2")
    town.slack.click("ana", "payments", card["ts"], "alert.ack")
    wait(lambda: "ACKNOWLEDGED" in str(town.card_of("s_1")), "the second click was not recorded")
    wait(lambda: health(town, "readyz")[0] == 200, "it is not ready again")
    wait(lambda: said(town, "store back"), "the log does not say that it is back")
    assert (len(said(town, "store away")), len(said(town, "store back"))) == (1, 1)
    assert "locked" in said(town, "store away")[0]["why"]
    assert "Traceback" not in town.log


def test_a_postgres_that_is_stopped_under_two_processes_costs_nothing_but_time(
    town: Any, wait: Wait, own_postgres: Server
) -> None:
    with own_database(own_postgres.url) as url:
        on_patrol(town, wait, PATROL_STORE_URL=url)
        town.patrol(PATROL_STORE_URL=url)
        wait(lambda: town.slack.state()["connected"] == 4, "the second did not connect")
        (card,) = town.cards()
        own_postgres.stop()
        try:
            town.says("s_2")
            wait(lambda: "does not answer" in health(town)[1]["store"], "/healthz does not say it")
            seen = town.slack.click("ana", "payments", card["ts"], "alert.ack", wait_ms=3000)
            assert "ot recorded" in words(seen)
        finally:
            own_postgres.start()
        all_once(town, wait, "s_1", "s_2")
        assert len(said(town, "store away")) == 2  # each of them once
        assert "Traceback" not in town.log
        town.end()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.close()


def test_a_full_disk_costs_nothing_but_time(town: Any, wait: Wait, small_disk: SmallDisk) -> None:
    store = small_disk.folder / "patrol.db"
    process = on_patrol(town, wait, PATROL_STORE_URL=f"sqlite:///{store}")
    if small_disk.real:
        small_disk.fill()
    else:  # where nothing may be mounted: no file of the process may grow
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, NO_FILE)
    for n in range(2, 8):  # however much room the store had left for itself
        town.says(f"s_{n}", "pay me " + "x" * 120_000)
    wait(lambda: "disk" in health(town)[1]["store"], "/healthz does not say it")
    if small_disk.real:
        small_disk.free()
    else:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    all_once(town, wait, *(f"s_{n}" for n in range(1, 8)))


def _with_log(town: Any, log: int) -> subprocess.Popen[bytes]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PATROL_", "SLACK_"))}
    words = [sys.executable, "-m", "bot", "serve", "--port", "0", "--project", str(town.project)]
    buffered = {**clean, **town.environment, "PYTHONUNBUFFERED": ""}  # as most will run it
    made = subprocess.Popen(words, cwd=ROOT, env=buffered, stdout=log, stderr=log)
    town.running.append(made)
    return made


@pytest.mark.parametrize("log", ["full", "closed"])
def test_a_log_that_cannot_be_written_ends_nothing(town: Any, wait: Wait, log: str) -> None:
    if log == "full":
        out = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, out = os.pipe()
        os.close(reader)
    process = _with_log(town, out)
    os.close(out)
    town.says("s_1")
    wait(lambda: town.standing()["s_1"] == 1, "no card came")
    all_once(town, wait, "s_1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
