"""Runs of commands on this host: begun once for each key, found again by whoever comes after."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.jobs.command import keeper
from bot.process.errors import JobRefused, JobUnknown

ANSWER_S = 10.0  # within which a keeper says whether it could begin
LOST = timedelta(
    minutes=3
)  # after which a keeper that shows nothing is gone, where its process cannot be seen
READ = 65536  # bytes of the end of what it wrote
FORGOTTEN = timedelta(days=7)  # after which nothing is kept of a run that has ended
SPARE = timedelta(minutes=5)
ID = re.compile(r"[a-z0-9_]{1,80}-[0-9a-f]{16}")


class How(StrEnum):
    """How a run goes."""

    running = "running"
    ended = "ended"
    lost = "lost"  # what kept it is gone and has written nothing down


@dataclass(frozen=True)
class Order:
    """What is to be run: a program with its arguments, in a folder, with these variables and no others.

    `signal` is the polite wish to end; what is still there after the `grace` is killed. `keep`: files that
    it makes, by the names under which they are copied when it has ended.
    """

    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    limit: timedelta
    signal: signal.Signals = signal.SIGTERM
    grace: timedelta = timedelta(seconds=5)
    keep: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """What is known of a run. `why`: cancelled or timeout, where it did not end by itself. `last_line` is as
    it was written, and may hold secrets."""

    how: How
    code: int = 0
    why: str = ""
    last_line: str = ""


class Runs:
    """All runs below one folder, each in a folder of its own. Thread-safe, and for many processes at once."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._keepers: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()

    def begin(self, job: str, key: str, order: Order) -> str:
        """The run's id. It is begun unless one of this key was, by whatever process.

        JobRefused where it cannot be, JobUnknown where nobody knows.
        """
        run = self.name(job, key)
        folder = self._state / run
        try:
            self._forget(folder, order.limit)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = (error.strerror or "no reason given").lower()
            raise JobUnknown(f"{self._state} cannot be written to: {why}. Nothing was started.") from None
        if not order.folder.is_dir():
            raise JobRefused(f"There is no folder {order.folder} to run it in.")
        if not (folder / keeper.CLAIM).exists():
            self._ask(folder, order)
        return run

    def name(self, job: str, key: str) -> str:
        """What the run of this key is called, whether it was begun or not."""
        return f"{job}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"

    def look(self, run: str) -> Kept:
        """How it goes. JobUnknown where this host has nothing of it."""
        folder = self._folder(run)
        result = _read(folder / keeper.RESULT)
        if result is None and self._alive(folder):
            return Kept(How.running)
        result = result or _read(folder / keeper.RESULT)  # it may have ended while we looked
        last = next((line for line in reversed(self.tail(run).splitlines()) if line.strip()), "")
        if result is None:
            return Kept(How.lost, last_line=last)
        return Kept(How.ended, int(result["code"]), str(result["why"]), last)

    def tail(self, run: str) -> str:
        """The end of what it wrote, in whole lines and as it wrote it: it may hold secrets."""
        folder, found, whole = self._folder(run), b"", True
        for name in (keeper.OLDER, keeper.OUTPUT):
            with contextlib.suppress(OSError), (folder / name).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                whole = whole and size <= READ
                file.seek(-min(READ, size), os.SEEK_END)
                found += file.read()
        return (found if whole else found.partition(b"\n")[2] or found).decode("utf-8", "replace")

    def cancel(self, run: str) -> None:
        """Asks its keeper to end it."""
        folder = self._folder(run)
        try:
            (folder / keeper.CANCEL).touch()
        except OSError as error:
            why = (error.strerror or "no reason given").lower()
            raise JobUnknown(f"The wish to end it cannot be written down: {why}.") from None

    def file(self, run: str, name: str) -> Path:
        """Where a file that it made is kept, if it made it."""
        return self._folder(run) / name

    def _folder(self, run: str) -> Path:
        folder = self._state / run
        if not ID.fullmatch(run) or not (folder / keeper.CLAIM).exists():
            raise JobUnknown(
                f"This host has nothing of {run[:100]}: only the one that started it can follow it, or one"
                " that shares its .patrol/commands."
            )
        return folder

    def _alive(self, folder: Path) -> bool:
        """Whether something still keeps it."""
        claim = _read(folder / keeper.CLAIM)
        if claim is None or claim.get("here") != keeper.here():
            return not all(_older(folder / name, LOST) for name in (keeper.BEAT, keeper.CLAIM))
        return keeper.born(int(claim["pid"])) == str(claim["born"])

    def _ask(self, folder: Path, order: Order) -> None:
        """Starts a keeper and hears whether it could begin. What it runs goes through a pipe: the list of
        processes and the disk see no value of the environment."""
        said = {
            "folder": str(folder.absolute()),
            "argv": list(order.argv),
            "cwd": str(order.folder.absolute()),
            "env": dict(order.environment),
            "limit_s": order.limit.total_seconds(),
            "signal": int(order.signal),
            "grace_s": order.grace.total_seconds(),
            "keep": {name: str(path.absolute()) for name, path in order.keep.items()},
        }
        loader = {k: v for k in ("PATH", "LD_LIBRARY_PATH") if (v := os.environ.get(k))}
        began = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__],
            env=loader,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with self._lock:  # those that have ended are taken leave of, or they stay as remains
            self._keepers = [one for one in (*self._keepers, began) if one.poll() is None]
        answer = _answer(began, json.dumps(said))
        if answer.startswith("refused"):
            raise JobRefused(f"{order.argv[0]} was not started: {answer.partition(' ')[2]}.")
        if answer not in ("begun", "known"):
            raise JobUnknown(f"Whether {order.argv[0]} was started is not known: nothing was heard of it.")

    def _forget(self, folder: Path, limit: timedelta) -> None:
        """Runs that ended long ago; and one of the same key in an earlier life of the store, which counts its
        keys from the beginning: a start is not repeated once its time is up."""
        if _older(folder / keeper.CLAIM, limit + SPARE):
            shutil.rmtree(folder)
        for other in self._state.glob("*-*") if self._state.is_dir() else ():
            if _older(other / keeper.RESULT, FORGOTTEN):
                shutil.rmtree(other, ignore_errors=True)


def _answer(began: subprocess.Popen[str], order: str) -> str:
    assert began.stdin
    assert began.stdout
    with contextlib.suppress(BrokenPipeError, OSError):
        began.stdin.write(order)
        began.stdin.close()
    ready, _, _ = select.select([began.stdout], [], [], ANSWER_S)
    said = began.stdout.readline().strip() if ready else ""
    began.stdout.close()
    return said


def _read(path: Path) -> dict[str, Any] | None:
    """What a keeper wrote; None where there is nothing, or not all of it yet."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _older(path: Path, span: timedelta) -> bool:
    """Whether it is there and was last written so long ago."""
    try:
        return time.time() - path.stat().st_mtime > span.total_seconds()
    except OSError:
        return False
