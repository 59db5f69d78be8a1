"""The local Snowflake as a process: where its environment is, and how it is started. Needs nothing of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
PYTHON = CHECKOUT / ".venv-snowflake" / "bin" / "python"
MISSING = "there is no local Snowflake yet: run `make snowflake-local` in the checkout"
USER = {"SNOWFLAKE_USER": "patrol", "SNOWFLAKE_PASSWORD": "patrol"}  # who may log in


def installed() -> bool:
    return PYTHON.exists()


def command(*arguments: str) -> list[str]:
    return [str(PYTHON), "-W", "ignore", "-m", "bot.demo.snowflake", *arguments]


def address(port: int, place: str = "market/core") -> str:
    """Its URL, as PATROL_WAREHOUSE_URL says it."""
    return f"snowflake://local/{place}?host=127.0.0.1&port={port}&protocol=http"


def environment(port: int) -> dict[str, str]:
    """What it needs to be started, and whoever is to use it."""
    return {**USER, "PYTHONPATH": str(CHECKOUT), "PATROL_WAREHOUSE_URL": address(port)}


@contextmanager
def running(*arguments: str) -> Iterator[int]:
    """Its port, while it runs; it is killed at the end."""
    here = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, env=here)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
