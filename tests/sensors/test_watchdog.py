"""What ends queries that run too long, and lets go of those that have ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sensors.warehouse.watchdog import FEW, Watchdog


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    made = Watchdog()
    yield made
    made.close()


def test_what_has_ended_is_not_kept_until_its_deadline(watchdog: Watchdog) -> None:
    for _ in range(10_000):
        with watchdog.watch(300, lambda: None):
            pass
    assert len(watchdog._heap) <= FEW + 1


def test_what_still_runs_is_stopped_among_many_that_have_ended(watchdog: Watchdog) -> None:
    stopped = threading.Event()
    with watchdog.watch(0.2, stopped.set) as guard:
        for _ in range(1_000):
            with watchdog.watch(300, lambda: None):
                pass
        assert stopped.wait(5)
    assert guard.fired
