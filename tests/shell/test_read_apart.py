"""Files that another process reads: what comes of it, and what when that process does not live to the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.app import Bot
from bot.core import builtin
from bot.sandbox import Sandbox
from sensors.apart import Apart
from sensors.lean import lean
from sensors.model.bundle import Bundle
from sensors.reading import HERE, ReadingFailed, Wanted
from sensors.sources import Root
from sensors.warehouse import spelled
from tests.shell.making import ELSEWHERE, HELD, World
from tests.shell.test_app import settings, wait
from tests.shell.test_serve import serving
from tests.shell.trouble import EVERY

ROOT = Path(__file__).parents[2]
PARSERS = ("sqlglot", "sensors.catalog", "sensors.file_policy", "sensors.sql", "rich.console")


def wanted(project: Path) -> Wanted:
    return Wanted((Root(Bundle("main"), project),))


@contextmanager
def stuck(world: World) -> Iterator[None]:
    """A file of the project that whoever opens it waits for, as on a network disk that is away."""
    pipe = world.project / "policies/payments/stuck.yml"
    os.mkfifo(pipe)
    try:
        yield
    finally:
        pipe.unlink()


def reading_now() -> list[int]:
    """The processes that read files for this one."""
    found = [int(pid) for task in Path("/proc/self/task").iterdir() for pid in _words(task / "children")]
    return [pid for pid in found if "sensors.apart" in "".join(_words(Path(f"/proc/{pid}/cmdline"), "\0"))]


def _words(file: Path, by: str | None = None) -> list[str]:
    try:
        return file.read_text().split(by)
    except OSError:
        return []


def nobody_reads() -> bool:
    """True once those that have answered have ended, too."""
    return bool(wait(lambda: not reading_now(), 10))


@pytest.fixture
def apart() -> Iterator[Apart]:
    assert nobody_reads()
    made = Apart()
    yield made
    made.close()


def at_it(do: Callable[[], object]) -> tuple[threading.Thread, int]:
    """Begins it on another thread; the process that then reads."""
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread, wait(reading_now, 30)[0]


def test_another_process_finds_what_this_one_would_find_broken_files_and_all(
    tmp_path: Path, apart: Apart
) -> None:
    for name in ("policies", "sql"):
        (tmp_path / name).symlink_to(ROOT / name)
    asked = wanted(tmp_path)
    there, here = apart.read(asked), HERE.read(asked)
    assert there == replace(here, catalog=lean(here.catalog))
    for name, policy in here.catalog.policies.items():
        assert policy.cases
        assert there.catalog.policies[name] == replace(policy, cases=())
    assert len(there.catalog.policies) > 10
    for policy in there.catalog.policies.values():
        text = policy.query.native.get("duckdb", policy.query.sql)
        read = "duckdb" if policy.query.native else policy.query.dialect
        assert spelled.known(text, read, "duckdb")
    assert nobody_reads()


def test_a_file_that_breaks_keeps_its_last_good_version_over_a_restart(world: World, apart: Apart) -> None:
    first = world.node(reader=apart).engine
    good = first.catalog.policies[EVERY]
    world.write("policies/payments/elsewhere.yml", ELSEWHERE.replace("owner:", "ownr:"))
    assert first.reload()
    world.may_be_wrong = True
    for engine in (first, world.node(reader=apart).engine):
        assert engine.catalog.broken == {EVERY}
        assert engine.catalog.policies[EVERY] == good
        assert "ownr" in str(engine.catalog.errors[0])


def test_one_that_is_killed_leaves_the_policies_as_they_were_and_its_people_told(
    world: World, apart: Apart
) -> None:
    node = world.node(reader=apart)
    assert nobody_reads()
    was = node.engine.catalog
    with stuck(world):
        thread, pid = at_it(node.engine.reload)
        os.kill(pid, signal.SIGKILL)
        thread.join(30)
        assert not thread.is_alive()
        assert node.engine.catalog is was
        assert "was killed (SIGKILL): most likely there was no memory left" in node.engine.project.trouble
        (told,) = node.store.alerts.open()
        assert (told.policy, told.terms.team) == (builtin.BROKEN_SENSOR, "payments")
        assert told.title == "Changed files could not be read; policies go on as they were"
        assert "no memory left" in told.newest["why"]
        assert not node.engine.reload()  # it rests: nobody is started every two seconds
        assert nobody_reads()
    world.write("policies/payments/held.yml", HELD.replace("is live", "lives"))
    assert node.engine.reload()
    assert node.engine.catalog.policies["payments.held"].title == "Held seller lives"
    assert node.engine.project.trouble == ""
    assert node.store.alerts.open() == []


def test_one_that_does_not_end_is_stopped_and_health_says_so(world: World, slack: Sandbox) -> None:
    bot = Bot(settings(world, slack), reader=Apart(within_s=20))
    bot.store.upgrade()
    bot.engine.reload()
    bot.project.reader = Apart(within_s=0.5)
    with stuck(world):
        assert not bot.engine.reload()
    assert bot.health().checks["files"] == (
        "the files were changed and could not be read: the process that reads them had not ended after 0.5 s"
        " and was stopped"
    )
    bot.warehouse.close()
    bot.store.close()


def test_where_the_first_one_fails_the_files_are_read_here(world: World) -> None:
    assert EVERY in world.node(reader=Apart(within_s=0)).engine.catalog.policies


def test_what_breaks_while_they_are_read_is_told_in_a_sentence(world: World, apart: Apart) -> None:
    world.write("policies/payments/elsewhere.yml", "title: [")
    with pytest.raises(ReadingFailed, match=r"broke inside Patrol \(JSONDecodeError: .*\); please") as failed:
        apart.read(replace(wanted(world.project), kept={"main": "{"}))
    assert "Traceback" in failed.value.detail


def test_one_that_was_begun_and_is_gone_is_begun_anew(world: World, apart: Apart) -> None:
    apart.begin(world.project)
    (pid,) = wait(reading_now, 10)  # /proc names it a moment after it has begun
    os.kill(pid, signal.SIGKILL)
    assert nobody_reads()
    assert apart.read(wanted(world.project)).catalog.policies


def test_nobody_waits_for_one_that_is_not_wanted_any_more(world: World, apart: Apart) -> None:
    said: list[str] = []

    def read() -> None:
        try:
            apart.read(wanted(world.project))
        except ReadingFailed as failed:
            said.append(str(failed))

    with stuck(world):
        thread, _ = at_it(read)
        apart.close()
        thread.join(10)
    assert len(said) == 1
    assert nobody_reads()


def test_an_earlier_version_is_read_elsewhere_too_and_can_be_asked_at_once(
    world: World, apart: Apart
) -> None:
    catalog = apart.read(wanted(world.project)).catalog
    policy = catalog.policies[EVERY]
    spelled.everything().clear()
    assert apart.earlier(policy, policy.body, catalog.assets, "duckdb") == policy
    assert spelled.known(policy.query.sql, "snowflake", "duckdb")
    assert apart.earlier(policy, "no body", catalog.assets, "duckdb") is None


def test_a_process_that_serves_and_has_alerted_has_imported_no_parser(world: World, slack: Sandbox) -> None:
    world.table.says("s_1", world.clock())
    world.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1s"))
    world.table.does("INSERT INTO core.sellers VALUES ('s_9', true)")
    process = serving(world, slack, "--port", "0", PYTHONPROFILEIMPORTTIME="1")
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if '"opened"' in line:
            break
    process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=30)[0]
    imported = {
        line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time")
    }
    assert {"sensors.apart", "duckdb", "bot.watch.late", "bot.mending"} <= imported
    assert [one for one in imported if one.startswith(PARSERS)] == []


def test_arenas_are_few_however_many_threads_there_are() -> None:
    code = """
import ctypes, sys, threading
from bot.process.frugal import few_arenas
if sys.argv[1] == "few":
    few_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(8)
def take():
    together.wait()
    libc.free(ctypes.c_void_p(libc.malloc(2000)))
    together.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, out); libc.fflush(out)
"""

    def arenas(which: str) -> int:
        words = [sys.executable, "-c", code, which]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.count(
            "<heap"
        )

    assert arenas("few") <= 2 < arenas("many")
