"""The marketplace as a process: it says nothing, ends when told, and a kill leaves a whole version."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pytest

from bot.demo import publish

PROJECT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, *options: str, port: int | None = None) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bot.demo", "--folder", str(folder), "--port", str(port or free_port())]
    process = subprocess.Popen(
        [*command, *options],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TZ": "America/New_York"},
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def until_published(folder: Path, at_least: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not (folder.exists() and publish.current(folder) and max(publish.versions(folder)) >= at_least):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "nothing was published"
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_nothing_and_ends_when_told(tmp_path: Path, how: signal.Signals):
    port = free_port()
    with running(tmp_path / "m", "--beat", "0.1", port=port) as process:
        until_published(tmp_path / "m", 4, process)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            assert json.load(answer)["ok"]
        process.send_signal(how)
        said, _ = process.communicate(timeout=30)
        assert (process.returncode, said) == (0, "")


def test_a_port_that_is_taken_is_a_plain_sentence(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with running(tmp_path / "m", port=taken.getsockname()[1]) as process:
            said, _ = process.communicate(timeout=40)
            assert process.returncode == 1
            assert said.startswith("the marketplace cannot start: ")
            assert "Traceback" not in said


def test_a_kill_at_any_moment_leaves_a_whole_version(tmp_path: Path):
    folder, chance = tmp_path / "m", random.Random(3)
    known = 0
    for _ in range(6):
        with running(folder, "--beat", "0.01") as process:
            newest = max(publish.versions(folder), default=0) if folder.exists() else 0
            until_published(folder, newest + 2, process)
            time.sleep(chance.uniform(0, 0.2))  # the moment is left to chance on purpose
            process.kill()
        path = publish.current(folder)
        assert path is not None
        with duckdb.connect(str(path), read_only=True) as reader:
            row = reader.execute("SELECT count(*), count(DISTINCT order_id) FROM core.orders").fetchone()
        assert row is not None
        assert row[0] == row[1] >= known
        known = row[0]
    with running(folder, "--beat", "0.05") as process:
        until_published(folder, max(publish.versions(folder)) + 1, process)
        told = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
        path = publish.current(folder)
    assert path is not None
    with duckdb.connect(str(path), read_only=True) as reader:
        planted = reader.execute("SELECT count(*) FROM market.planted").fetchone()
    assert planted is not None
    assert 6 <= len(told) <= planted[0]
