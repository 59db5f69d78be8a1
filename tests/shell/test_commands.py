"""A program that is started from an alert outlives the bot that started it, and the next one tells of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial

import pytest

from bot.core.job_run import JobState
from bot.jobs import runner_for
from bot.jobs.place import Place
from tests.shell.making import Node, World
from tests.shell.outside import asked, ended, go_on, opened

HOLD = """
import os, sys, time
print("looking for " + sys.argv[1], flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
print("held " + sys.argv[1])
"""
JOBS = f"""
hold_payouts:
  title: Hold payouts
  kind: command
  owner: payments
  timeout: 10m
  command: [{sys.executable}, -I, -S, hold.py, '{{seller_id}}']
  params: {{seller_id: {{pattern: 's_\\d+'}}}}
"""


@pytest.fixture
def office(world: World) -> Iterator[World]:
    """A project that lets jobs run commands."""
    world.write("policies/_jobs.yml", JOBS)
    world.write("hold.py", HOLD)
    yield world
    for claim in world.project.glob(".patrol/commands/*/claim"):
        claim.with_name("cancel").touch()


def bot(world: World, *, commands: bool = True) -> Node:
    place = Place(world.project, commands)
    return world.node(runners=partial(runner_for, place=place))


def wait_for_its_end(world: World) -> None:
    """Programs run by the real time, whatever the story's clock says."""
    deadline = time.monotonic() + 20
    while not [*world.project.glob(".patrol/commands/*/result")]:
        assert time.monotonic() < deadline, "it has not ended"
        time.sleep(0.01)


def test_a_bot_dies_and_the_next_one_tells_what_came_of_it(office: World) -> None:
    first = bot(office)
    alert = opened(office, first)
    assert asked(first, alert).ok
    go_on(first, seconds=3)
    (run,) = first.store.jobs.of_alert(alert)
    assert run.state is JobState.running
    second = bot(office)  # the first is gone, and nobody has told the program
    go_on(second, seconds=3)
    assert ended(second, alert) == []
    (office.project / "go").touch()
    wait_for_its_end(office)
    go_on(second, seconds=4)
    assert ended(second, alert) == ["hold_payouts succeeded: held s_1"]


def test_a_bot_that_died_before_it_wrote_down_the_start_starts_nothing_twice(office: World) -> None:
    first = bot(office)
    alert = opened(office, first)
    assert asked(first, alert).ok
    go_on(first, seconds=3)
    (run,) = first.store.jobs.of_alert(alert)
    runner = runner_for("command", Place(office.project, True))
    job = first.engine.catalog.jobs["hold_payouts"]
    again = runner.start(job, run.params, run.idempotency_key)
    assert (again.external_id, again.state) == (run.external_id, JobState.running)
    assert len([*office.project.glob(".patrol/commands/*")]) == 1


def test_where_commands_are_off_the_thread_says_so(office: World) -> None:
    off = bot(office, commands=False)
    alert = opened(office, off)
    assert asked(off, alert).ok
    go_on(off, seconds=3)
    [told] = ended(off, alert)
    assert told == (
        "hold_payouts failed: Hold payouts runs a command on Patrol's host, which is off: commands: on in"
        " patrol.yml."
    )
    assert not (office.project / ".patrol" / "commands").exists()
