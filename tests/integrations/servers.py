"""Other systems' own servers, each a process of its own Python, on a port of this machine, as long as a test
needs it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def asked_of(module: ModuleType, fixture: str) -> dict[str, Any]:
    """The tests of a module that take the fixture, by name: to be run here with another one of that name."""
    found = {name: each for name, each in vars(module).items() if name.startswith("test_")}
    return {name: each for name, each in found.items() if fixture in signature(each).parameters}


def environment(name: str) -> Path:
    """The programs of an environment of its own; skips, and says so, where it is not there."""
    programs = ROOT / f".venv-{name}" / "bin"
    if not (programs / "python").exists():
        pytest.skip(f"no .venv-{name}: make test-integrations ONLY={name} makes it")
    return programs


@contextmanager
def running(
    command: list[str], environ: Mapping[str, str], folder: Path, answers: str, patience: float
) -> Iterator[None]:
    """The command with all that it starts, once the address answers; what it said is in folder/said.txt."""
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environ},
            cwd=folder,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        _wait(process, answers, folder / "said.txt", patience)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], answers: str, said: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        assert process.poll() is None, said.read_text()[-3000:]
        try:
            if httpx.get(answers, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{answers} does not answer: {said.read_text()[-3000:]}")
