"""Worlds for what runs on Patrol's own host: a program that holds payouts, and a dbt that builds."""

from __future__ import annotations

import json
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.job_run import JobState, Progress
from bot.jobs import Runner
from bot.jobs.command import CommandRunner
from bot.jobs.dbt import DbtRunner
from bot.jobs.place import Place
from bot.process.errors import JobRefused
from sensors.model.job import Job, Param

SECRET = "tok-71c2-very-secret"
ENVIRON = {"PATROL_HOLD_TOKEN": SECRET}
HOLD = """
import json, os, sys, time
mood = open("mood").read() if os.path.exists("mood") else ""
if mood == "refuse":
    sys.exit("no such seller: " + sys.argv[1] + " (asked with " + os.environ["HOLD_TOKEN"] + ")")
if mood == "slow":
    print("at it", flush=True)
    time.sleep(30)
if mood == "loud":
    print("so much work\\n" * 900, "asked with", os.environ["HOLD_TOKEN"])
with open("held", "a") as file:
    file.write(json.dumps(sys.argv[1]) + "\\n")
print("held " + sys.argv[1])
"""
# What dbt does as far as a job sees it: it builds, writes its results, and says how it went by its exit code.
DBT = """#!{python}
import json, os, sys, time
from datetime import datetime, timezone
project = sys.argv[sys.argv.index("--project-dir") + 1]
os.chdir(project)
mood = open("mood").read() if os.path.exists("mood") else ""
if mood == "slow":
    print("at it", flush=True)
    time.sleep(30)
chosen = [a.partition("=")[2] for a in sys.argv if a.startswith("--select=")]
if mood == "refuse":
    print("Encountered an error:\\nno such seller", flush=True)
    sys.exit(2)
if mood == "loud":
    print("so much work\\n" * 900, "asked with", os.environ["HOLD_TOKEN"])
with open("held", "a") as file:
    file.write(json.dumps(chosen[0]) + "\\n")
failing = mood == "failing"
results = [
    {{"unique_id": "model.shop.orders", "status": "success", "relation_name": '"dev"."core"."Orders"'}},
    {{"unique_id": "test.shop.not_null_orders_id.cf6c", "status": "fail" if failing else "pass"}},
]
metadata = {{
    "generated_at": datetime.now(timezone.utc).isoformat(), "invocation_id": "0b1c",
    "env": {{k[19:]: v for k, v in os.environ.items() if k.startswith("DBT_ENV_CUSTOM_ENV_")}},
}}
os.makedirs("target", exist_ok=True)
with open("target/run_results.json", "w") as file:
    json.dump({{"metadata": metadata, "results": results, "elapsed_time": 0.1}}, file)
print("Done. PASS=2")
sys.exit(1 if failing else 0)
"""


@dataclass
class HostWorld:
    """A run is followed to its end: what the contract asks of a start is asked of the whole."""

    runner: Runner
    job: Job
    project: Path
    secret = SECRET

    def start(self, key: str = "k1", **params: Any) -> Progress:
        begun = self.begin(key, **params)
        ended = self.until(lambda said: said.state.ended, begun.external_id or "")
        if ended.state is JobState.failed:
            raise JobRefused(ended.outcome)
        return ended

    def begin(self, key: str = "k1", **params: Any) -> Progress:
        return self.runner.start(self.job, params or {"seller_id": "s_1"}, key)

    def until(self, is_so: Callable[[Progress], bool], run: str, within_s: float = 15) -> Progress:
        deadline = time.monotonic() + within_s
        while not is_so(said := self.runner.poll(self.job, run)):
            assert time.monotonic() < deadline, f"still {said}"
            time.sleep(0.02)
        return said

    def mood(self, word: str) -> None:
        (self.project / "mood").write_text(word)

    def starts(self) -> int:
        return len(self.received())

    def refuse(self) -> None:
        self.mood("refuse")

    def go_away(self) -> None:
        """Nothing can be kept of a run any more."""
        (self.project / ".patrol").write_text("no folder")

    def come_back(self) -> None:
        (self.project / ".patrol").unlink()

    def long(self) -> str:
        self.mood("slow")
        return self.begin().external_id or ""

    def loud(self) -> str:
        self.mood("loud")
        return self.start().external_id or ""

    def be_slow(self) -> None:
        self.mood("slow")
        self.job = replace(self.job, timeout=timedelta(seconds=0.3))

    def received(self) -> list[Any]:
        held = self.project / "held"
        return [json.loads(line) for line in held.read_text().splitlines()] if held.exists() else []


def command_job(**config: Any) -> Job:
    whole = {
        "command": [sys.executable, "-I", "-S", "hold.py", "{seller_id}"],
        "environment": {"HOLD_TOKEN": "${PATROL_HOLD_TOKEN}"},
    }
    params = (Param("seller_id", pattern=r"[^\n]{1,200}"),)
    return Job("hold_payouts", "command", "Hold payouts", "payments", {**whole, **config}, params)


def dbt_job(**config: Any) -> Job:
    whole = {
        "project": ".",
        "program": "./dbt",
        "select": "{seller_id}",
        "environment": {"HOLD_TOKEN": "${PATROL_HOLD_TOKEN}"},
    }
    params = (Param("seller_id", pattern=r"[^\n]{1,200}"),)
    return Job("dbt_build", "dbt", "Build", "data", {**whole, **config}, params)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project; what still runs in it at the end of a test is ended."""
    project = tmp_path / "project"
    project.mkdir()
    yield project
    for claim in project.glob(".patrol/commands/*/claim"):
        claim.with_name("cancel").touch()


@pytest.fixture
def command_world(folder: Path) -> HostWorld:
    (folder / "hold.py").write_text(HOLD)
    return HostWorld(CommandRunner(ENVIRON, Place(folder, commands=True)), command_job(), folder)


@pytest.fixture
def dbt_world(folder: Path) -> HostWorld:
    program = folder / "dbt"
    program.write_text(DBT.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return HostWorld(DbtRunner(ENVIRON, Place(folder, commands=True)), dbt_job(), folder)
