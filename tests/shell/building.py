"""A job that builds tables: as its file declares it, known since now, and as people see it."""

from __future__ import annotations

import time

import pytest

from bot.core.job_run import Ability, JobState, Observed, Progress, Sighted
from bot.core.reply import JobReply
from bot.steering.due import DueJobs
from bot.steering.observing import Observing
from tests.shell.making import Node, World
from tests.shell.outside import ANA, Outside

BUILD = """
dbt_build:
  title: Build the tables
  kind: http
  owner: payments
  timeout: 6h
  url: "http://127.0.0.1:9/build"
"""
DAILY = BUILD + "  schedule: {cron: '0 14 * * *'}\n  late_after: 1h\n"
HOURLY = BUILD + "  schedule: {every: 1h}\n"
AFTER = BUILD + "  after: [core.chat, job:load]\n  late_after: 1h\n" + BUILD.replace("dbt_build", "load")
ELSEWHERE = BUILD + "  schedule: {cron: '0 14 * * *', runs: outside}\n  late_after: 1h\n"


@pytest.fixture
def outside() -> Outside:
    return Outside(able=frozenset(Ability), on_poll=lambda: Progress(JobState.succeeded, "x1", "built"))


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return world.node(runners=lambda _: outside)


def declared(world: World, bot: Node, jobs: str) -> DueJobs:
    """The job is in the files, and known since now."""
    old = (world.project / "policies/_jobs.yml").read_text()
    world.write("policies/_jobs.yml", old + jobs)
    bot.engine.reload()
    assert "dbt_build" in bot.engine.catalog.jobs, bot.engine.catalog.errors
    due = DueJobs(bot.starting)
    due.once()
    for job in bot.engine.catalog.jobs.values():
        due.since(job, bot.clock())
    return due


def keys(bot: Node, job: str = "dbt_build") -> list[str]:
    return [run.idempotency_key for run in reversed(bot.store.jobs.of_job(job))]


def page(bot: Node) -> JobReply:
    found = bot.desk.command(ANA, "show job:dbt_build")
    assert isinstance(found, JobReply)
    return found


def there(*runs: Sighted, **more: object) -> Observed:
    return Observed(runs, **more)  # type: ignore[arg-type]


def looked(observing: Observing) -> None:
    """One look, to its end."""
    assert observing.once() > 0
    deadline = time.monotonic() + 10
    while observing._at_it and time.monotonic() < deadline:
        time.sleep(0.002)
    assert not observing._at_it


def late(bot: Node) -> list[str]:
    return [alert.title for alert in bot.alerts("patrol.late_job")]
