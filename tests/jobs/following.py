"""What is the same for every system whose runs go on for a while, real or a double."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.job_run import JobState, Progress


def ended(world: Any, external_id: str, patience: float = 60) -> Progress:
    """How a run ends."""
    return until(lambda: world.runner.poll(world.job, external_id), lambda told: told.state.ended, patience)


def until(ask: Callable[[], Any], enough: Callable[[Any], bool], patience: float = 60) -> Any:
    deadline = time.monotonic() + patience
    while not enough(told := ask()):
        assert time.monotonic() < deadline, f"it still says {told}"
        time.sleep(0.01)
    return told


def others_are_seen(world: Any) -> None:
    """One that has ended and one that goes on, by the key and the time of each."""
    before = datetime.now(UTC) - timedelta(seconds=5)
    first = world.start("k1").external_id
    ended(world, first)
    open_one = world.start("k2", seller_id="slow").external_id
    seen = world.runner.observe(world.job, before)
    ours = [run for run in seen.runs if run.key.startswith(world.mark)]
    assert [(run.external_id, run.by) for run in ours] == [(open_one, "Patrol"), (first, "Patrol")]
    assert [run.state for run in ours] == [JobState.running, JobState.succeeded]
    assert ours[1].ended_at
    assert ours[1].started_at
    assert before < ours[1].started_at <= ours[1].ended_at
    later = world.runner.observe(world.job, datetime.now(UTC) + timedelta(hours=1))
    assert [run.external_id for run in later.runs if run.key.startswith(world.mark)] == [open_one]
    world.runner.cancel(world.job, open_one)
