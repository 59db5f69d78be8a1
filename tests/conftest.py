"""What holds in all tests: how hard Hypothesis tries (`make hunt` draws new examples), in which order files
run, where they write, the databases that all may ask for, and that no test writes to an earlier one's log."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.databases import empty_on_postgres, empty_store, own_postgres, postgres_server

__all__ = ["empty_on_postgres", "empty_store", "own_postgres", "postgres_server"]

MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3


def _memory_does() -> bool:
    """Whether files may be kept in memory here, programs among them."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return False
    runs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return runs and shutil.disk_usage(MEMORY).free > ROOM


if _memory_does():  # thousands of small databases are written, and each would wait for the disk
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

HUNTED = int(os.environ.get("HUNT", "1000"))  # examples of each property; a test's own number goes before

settings.register_profile(
    "same", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(  # what fails has failed: no smallest example is looked for
    "mutation", settings.get_profile("same"), phases=[Phase.explicit, Phase.generate]
)
settings.register_profile(
    "hunt", settings.get_profile("same"), max_examples=HUNTED, derandomize=False, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def _no_log_of_an_ended_command() -> Iterator[None]:
    """A command that ran within this process may have sent all logs to where it wrote: closed now."""
    yield
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.StreamHandler) and getattr(handler.stream, "closed", False):
            root.removeHandler(handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests stand evenly among the others, for they mostly wait: one at a time runs beside
    what computes, and none is left alone at the end (with --no-loadscope-reorder)."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [path for path, own in files.items() if any(item.get_closest_marker("slow") for item in own)]
    order = [path for path in files if path not in set(slow)]
    apart = len(order) // len(slow) + 1 if slow else 0
    for n, path in enumerate(slow):
        order.insert(n * apart, path)
    items[:] = [item for path in order for item in files[path]]
