"""Jobs of kind command: real programs, which outlive Patrol and are found again by the next one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.job_run import Ability, JobState
from bot.jobs import TAIL, argument
from bot.jobs.command import CommandRunner, keeper
from bot.jobs.command.kept import How, Kept, Order, Runs
from bot.jobs.place import Place
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job, Param
from tests.jobs.on_host import ENVIRON, SECRET, HostWorld

PYTHON = [sys.executable, "-I", "-S", "-c"]


def running(world: HostWorld, code: str, *arguments: str, key: str = "k", **job: Any) -> str:
    """A run of a piece of Python that has written `ready`; its id."""
    world.job = Job("j", "command", "J", "data", {"command": [*PYTHON, code, *arguments]}, **job)
    run = world.runner.start(world.job, {}, key).external_id or ""
    world.until(lambda said: said.state.ended or "ready" in world.runner.tail(world.job, run), run)
    return run


def ended(world: HostWorld, code: str, **more: Any) -> Any:
    run = running(world, code, **more)
    return world.until(lambda said: said.state.ended, run)


WAITS = "import time; print('ready', flush=True); time.sleep(30)"


def test_commands_are_off_unless_the_project_says_on(folder: Path) -> None:
    off = CommandRunner({}, Place(folder))
    job = Job("j", "command", "Hold it", "data", {"command": ["touch", "made"]})
    with pytest.raises(
        JobRefused, match=r"Hold it runs a command on Patrol's host, which is off: commands: on"
    ):
        off.start(job, {}, "k")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "state", "outcome"),
    [
        ("print('12 rows\\n')", JobState.succeeded, "12 rows"),
        ("pass", JobState.succeeded, "done"),
        (
            "import sys; print('half', flush=True); sys.exit('no room')",
            JobState.failed,
            "exit code 1: no room",
        ),
        ("import sys; sys.exit(3)", JobState.failed, "exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", JobState.failed, "ended by SIGKILL"),
        ("print('\\x1b[31mred\\x1b[0m \\u202etxt', end='')", JobState.succeeded, "red txt"),
    ],
)
def test_its_exit_code_and_last_line_are_the_outcome(
    command_world: HostWorld, code: str, state: JobState, outcome: str
) -> None:
    said = ended(command_world, code)
    assert (said.state, said.outcome) == (state, outcome)


def test_it_is_given_what_is_declared_and_nothing_else(command_world: HostWorld) -> None:
    world = command_world
    world.runner = CommandRunner({**ENVIRON, "PATH": "/bin", "AWS_SECRET": "x"}, Place(world.project, True))
    world.job = replace(
        world.job,
        config={
            "command": [*PYTHON, "import os; print(sorted(os.environ), os.getcwd())"],
            "environment": {"HOLD_TOKEN": "${PATROL_HOLD_TOKEN}"},
            "folder": "inner",
        },
        params=(),
    )
    (world.project / "inner").mkdir()
    run = world.runner.start(world.job, {}, "k").external_id or ""
    said = world.until(lambda said: said.state.ended, run).outcome
    assert said.endswith("/inner")
    assert "'HOLD_TOKEN'" in said
    assert "'PATH'" in said
    assert "AWS" not in said
    assert "PATROL" not in said


def test_what_the_environment_holds_is_in_no_outcome_and_no_log(command_world: HostWorld) -> None:
    command_world.refuse()
    with pytest.raises(JobRefused) as refused:
        command_world.start()
    assert str(refused.value) == "exit code 1: no such seller: s_1 (asked with ${PATROL_HOLD_TOKEN})"
    [kept] = command_world.project.glob(".patrol/commands/*")
    assert SECRET not in command_world.runner.tail(command_world.job, kept.name)
    assert SECRET not in (kept / "claim").read_text()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"command": ["no-such-program"]}, "no-such-program was not started: there is no such program."),
        ({"command": ["./held"]}, r"\./held was not started: Patrol may not run it: is it executable\?"),
        ({"command": ["true"], "folder": "nowhere"}, "There is no folder .*nowhere to run it in"),
    ],
)
def test_what_cannot_be_started_says_why_and_can_be_started_once_it_can(
    command_world: HostWorld, config: Any, said: str
) -> None:
    world = command_world
    (world.project / "held").write_text("")
    world.job = replace(world.job, config=config, params=())
    for _ in range(2):
        with pytest.raises(JobRefused, match=said):
            world.runner.start(world.job, {}, "k")
    world.job = replace(world.job, config={"command": ["true"]})
    run = world.runner.start(world.job, {}, "k").external_id or ""
    assert world.until(lambda progress: progress.state.ended, run).state is JobState.succeeded


def test_many_who_start_it_at_once_start_it_once(command_world: HostWorld) -> None:
    runners = [CommandRunner(ENVIRON, Place(command_world.project, True)) for _ in range(6)]
    gate = threading.Barrier(6)

    def start(runner: CommandRunner) -> Any:
        gate.wait(10)
        return runner.start(command_world.job, {"seller_id": "s_1"}, "k1").external_id

    with ThreadPoolExecutor(6) as pool:
        [run] = set(pool.map(start, runners))
    command_world.until(lambda said: said.state.ended, run)
    assert command_world.received() == ["s_1"]


def test_it_is_cancelled_with_all_that_it_started(command_world: HostWorld) -> None:
    world = command_world
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS!r} + '  # inner'])"
    run = running(world, child)
    assert world.runner.abilities(world.job) == {Ability.cancel, Ability.tail}
    assert "asked to end" in world.runner.cancel(world.job, run)
    said = world.until(lambda said: said.state.ended, run)
    assert (said.state, said.outcome) == (JobState.cancelled, "cancelled: ready")
    world.runner.cancel(world.job, run)  # once more does no harm
    assert "# inner" not in subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout


def test_who_does_not_listen_is_ended_all_the_same(folder: Path) -> None:
    runs, deaf = (
        Runs(folder / "runs"),
        f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}",
    )
    order = Order([*PYTHON, deaf], folder, {}, timedelta(minutes=1), grace=timedelta(seconds=0.2))
    run = runs.begin("deaf", "k", order)
    deadline = time.monotonic() + 15
    while runs.look(run).how is How.running:
        assert time.monotonic() < deadline
        if "ready" in runs.tail(run):
            runs.cancel(run)
        time.sleep(0.02)
    assert runs.look(run) == Kept(How.ended, -signal.SIGKILL, "cancelled", "ready")


def test_it_is_ended_in_time_though_what_is_kept_of_it_is_taken_away(folder: Path) -> None:
    runs, says = Runs(folder / "runs"), f"import os; print(os.getpid(), flush=True); {WAITS}"
    run = runs.begin("lost", "k", Order([*PYTHON, says], folder, {}, timedelta(seconds=2)))
    deadline = time.monotonic() + 15
    while "ready" not in runs.tail(run):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pid = int(runs.tail(run).split()[0])
    shutil.rmtree(folder / "runs")
    with pytest.raises(JobUnknown, match="This host has nothing of lost-"):
        runs.look(run)
    while keeper.born(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_long_log_is_kept_by_its_end_alone(command_world: HostWorld) -> None:
    code = "for i in range(60_000): print('line', i, 'x' * 20)\nprint('the end')"
    said = ended(command_world, code)
    assert said.outcome == "the end"
    tail = command_world.runner.tail(command_world.job, said.external_id)
    assert TAIL - 100 < len(tail) <= TAIL
    assert tail.endswith("the end")
    kept = command_world.project / ".patrol/commands" / said.external_id
    assert sum(f.stat().st_size for f in kept.iterdir()) <= 2 * keeper.CAP + 2000


# A Patrol of its own, which starts a command and is killed.
OTHER = """
import sys, time
from pathlib import Path
from bot.jobs.command import CommandRunner
from bot.jobs.place import Place
from sensors.model.job import Job
job = Job("j", "command", "J", "data", {"command": [sys.executable, "-I", "-S", "work.py"]})
print(CommandRunner({}, Place(Path(sys.argv[1]), True)).start(job, {}, "k").external_id, flush=True)
time.sleep(60)
"""
WORK = """
import os, time
print("begun", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
open("made", "a").write("once ")
print("all made")
"""


def test_it_outlives_a_patrol_that_is_killed_and_the_next_one_follows_it(command_world: HostWorld) -> None:
    world, root = command_world, Path(__file__).parents[2]
    (world.project / "work.py").write_text(WORK)
    world.job = Job("j", "command", "J", "data", {"command": [sys.executable, "-I", "-S", "work.py"]})
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(world.project)],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert other.stdout
    run = other.stdout.readline().strip()
    os.killpg(other.pid, signal.SIGKILL)
    other.wait(10)
    other.stdout.close()
    assert world.runner.poll(world.job, run).state is JobState.running
    assert world.runner.start(world.job, {}, "k").external_id == run  # whose outcome was not known
    (world.project / "go").touch()
    said = world.until(lambda said: said.state.ended, run)
    assert (said.state, said.outcome) == (JobState.succeeded, "all made")
    assert (world.project / "made").read_text() == "once "


def test_a_run_whose_keeper_is_gone_says_that_nobody_knows(command_world: HostWorld) -> None:
    """And what goes on writing to nobody ends."""
    writes = "import os, time\nprint('ready', os.getpid(), flush=True)\n"
    writes += "while True: print('at it', flush=True); time.sleep(0.02)"
    run = running(command_world, writes)
    pid = int(command_world.runner.tail(command_world.job, run).split()[1])
    claim = command_world.project / ".patrol/commands" / run / "claim"
    os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
    said = command_world.until(lambda said: said.state.ended, run)
    assert said.state is JobState.failed
    assert said.outcome.startswith(
        "It was cut off, perhaps by a restart of its host, and how far it came is not"
    )
    deadline = time.monotonic() + 10
    while keeper.born(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_number_of_a_process_that_another_has_now_is_not_taken_for_it(command_world: HostWorld) -> None:
    run = running(command_world, WAITS)
    claim = command_world.project / ".patrol/commands" / run / "claim"
    told = json.loads(claim.read_text())
    claim.write_text(json.dumps({**told, "pid": os.getpid()}))
    assert command_world.runner.poll(command_world.job, run).state is JobState.failed
    claim.write_text(json.dumps(told))
    assert command_world.runner.poll(command_world.job, run).state is JobState.running


def test_of_another_host_it_is_known_by_its_beat(command_world: HostWorld) -> None:
    run = running(command_world, WAITS)
    kept = command_world.project / ".patrol/commands" / run
    told = json.loads((kept / "claim").read_text())
    (kept / "claim").write_text(json.dumps({**told, "here": "elsewhere", "pid": 1}))
    assert command_world.runner.poll(command_world.job, run).state is JobState.running
    for name in ("claim", "beat"):
        os.utime(kept / name, (1, 1))
    assert command_world.runner.poll(command_world.job, run).state is JobState.failed


def test_a_host_that_has_nothing_of_a_run_says_so(command_world: HostWorld, tmp_path: Path) -> None:
    run = command_world.start().external_id or ""
    elsewhere = CommandRunner(ENVIRON, Place(tmp_path / "other", True))
    for ask in (elsewhere.poll, elsewhere.cancel, elsewhere.tail):
        with pytest.raises(JobUnknown, match=r"This host has nothing of hold_payouts-\w+: only the one"):
            ask(command_world.job, run)
    for strange in ("../../etc", "", "x" * 5000, "a-b\0"):
        with pytest.raises(JobUnknown):
            command_world.runner.poll(command_world.job, strange)


def test_a_key_of_an_earlier_life_of_the_store_is_a_new_one(command_world: HostWorld) -> None:
    """A store that is begun anew counts from one again; a start is repeated within its time alone."""
    world = command_world
    run = world.start("effect-1").external_id or ""
    claim = world.project / ".patrol/commands" / run / "claim"
    os.utime(claim, (claim.stat().st_mtime - 14 * 60,) * 2)
    assert (world.start("effect-1").external_id, world.starts()) == (run, 1)  # ten minutes, and five to spare
    os.utime(claim, (claim.stat().st_mtime - 16 * 60,) * 2)
    world.start("effect-1")
    assert world.starts() == 2


def test_what_ended_a_week_ago_is_forgotten(command_world: HostWorld) -> None:
    old = command_world.start("old").external_id or ""
    result = command_world.project / ".patrol/commands" / old / "result"
    os.utime(result, (1, 1))
    new = command_world.start("new").external_id or ""
    assert [p.name for p in (command_world.project / ".patrol/commands").iterdir()] == [new]


def test_what_would_be_run_is_said_without_running_it(command_world: HostWorld) -> None:
    plan = command_world.runner.plan(command_world.job, {"seller_id": "s 1"})
    assert plan.splitlines() == [
        f"{sys.executable} -I -S hold.py 's 1'",
        "HOLD_TOKEN=${PATROL_HOLD_TOKEN}",
    ]
    assert command_world.starts() == 0


# ------------------------------------------------------------------------------ arguments


PARTS = re.compile(r"(\{[ab]\})")
TEMPLATES = [
    ["run", "{a}"],
    ["run", "--name={a}"],
    ["run", "{a}{b}"],
    ["run", "x{a}", "--", "{b}", "{a}-{b}"],
    ["run", "--list", "{a}", "{b}", "--", "--{a}"],
]


@given(st.sampled_from(TEMPLATES), st.text(), st.none() | st.text())
@example(["run", "{a}"], "--force", "")
@example(["run", "{a}{b}"], "", "-rf")
@example(["run", "x{a}", "--", "{b}"], "\0", "\ud800")
def test_a_value_stays_within_its_argument_and_chooses_no_option(
    command: list[str], a: str, b: str | None
) -> None:
    assert list(argument.problems("command", command)) == []
    try:
        found = argument.filled(command, {"a": a, "b": b})
    except JobRefused:
        return
    kept = [t for t in command if b is not None or "{b}" not in t]
    assert len(found) == len(kept)
    end = kept.index("--") if "--" in kept else len(kept)
    for at, (template, text) in enumerate(zip(kept, found, strict=True)):
        values = {"{a}": a, "{b}": b}
        assert text == "".join(
            values.get(part) or "" if part in values else part for part in PARTS.split(template)
        )
        if at < end and text.startswith("-"):
            option = template.partition("=")[0]
            assert text == option or text.startswith(f"{option}=")


def test_values_that_no_program_can_be_given_are_refused() -> None:
    for value in ("a\0b", "\ud800"):
        with pytest.raises(JobRefused, match="cannot be handed to a program"):
            argument.filled(["run", "{a}"], {"a": value})
    with pytest.raises(JobRefused, match="would be taken for an option"):
        argument.filled(["run", "{a}", "--", "{a}"], {"a": "-x"})
    assert argument.filled(["run", "--", "{a}"], {"a": "-x"}) == ["run", "--", "-x"]


def test_the_shape_of_a_parameter_is_held_before_anything_is_run(command_world: HostWorld) -> None:
    command_world.job = replace(command_world.job, params=(Param("seller_id", pattern=r"s_\d+"),))
    with pytest.raises(JobRefused, match="seller_id must look like"):
        command_world.runner.start(command_world.job, {"seller_id": "--all"}, "k")
    assert not (command_world.project / ".patrol").exists()
