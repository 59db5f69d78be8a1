"""The promise, over random lives: each row within reach is looked at and alerts once; any other is reported.

`promised.py` says what was promised and what was not, `lives.py` lives it, `beating.py` has one process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.databases import own_database
from tests.shell.lives import SCHEDULES, Life
from tests.shell.making import FILES, MINUTE, NOON, Clock, Table, World
from tests.shell.promised import Plan, Shape, Trouble, wrong

pytestmark = pytest.mark.slow

MANY = int(os.environ.get("PROMISE_LIVES", "0"))
SPRING = datetime(2026, 3, 7, 20, tzinfo=UTC)  # clocks in New York go on at 7:00 of the next day
AUTUMN = datetime(2026, 10, 31, 20, tzinfo=UTC)  # and back at 6:00
KINDS = (
    "crash",
    "outage",
    "away",
    "between",
    "warehouse",
    "paused",
    "edited",
    "renamed",
    "clock",
    "click",
    "stale",
)


@contextmanager
def town(url: str, folder: Path) -> Iterator[World]:
    """A world of its own on a store that is empty."""
    made = World(folder, url, Clock(), Table(folder / "market"))
    for path, text in FILES.items():
        if "held" not in path and "jobs" not in path:
            made.write(path, text)
    try:
        yield made
    finally:
        made.close()


def lived(plan: Plan, empty: Path | None = None, url: str = "") -> list[str]:
    """What was wrong with it; in a copy of an empty SQLite store, or in the one named."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        if empty:
            url = f"sqlite:///{folder / 'patrol.db'}"
            shutil.copy(empty, folder / "patrol.db")
        with town(url, folder) as world:
            life = Life(world, plan)
            found = life.live()
            assert len(life.rows) > 3
            return wrong(plan, life.rows, found)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    schedules = draw(st.sampled_from(list(SCHEDULES.values())))
    minutes = st.sampled_from([1, 5, 15, 90])
    return Shape(
        schedule=draw(st.sampled_from(schedules)),
        lookback=draw(minutes) * MINUTE,
        delay=draw(st.sampled_from([0, 0, 2])) * MINUTE,
        catchup=draw(st.sampled_from(["merge", "each", "skip"])),
        threshold=draw(st.sampled_from([1, 1, 3])),
        max_alerts=draw(st.sampled_from([25, 25, 2])),
        arrival=draw(st.sampled_from([False, False, True])),
        sources=draw(st.sampled_from([True, True, False])),
    )


STEPS = 18
troubles = st.builds(
    Trouble, st.integers(1, STEPS - 1), st.sampled_from(KINDS), st.integers(1, 8), st.integers(0, 59)
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    shape = draw(shapes())
    return Plan(
        seed=draw(st.integers(0, 2**32)),
        shape=shape,
        begins=draw(st.sampled_from([NOON, SPRING, AUTUMN])),
        steps=STEPS,
        batch=draw(st.sampled_from([1, 1, 4])),
        limit=draw(st.sampled_from([10_000, 10])),
        nodes=draw(st.sampled_from([1, 1, 2])),
        troubles=tuple(draw(st.lists(troubles, max_size=5))),
    )


def lives(count: int) -> settings:
    """The same ones each time, unless PROMISE_LIVES asks for so many others."""
    return settings(
        max_examples=MANY or count,
        deadline=None,
        derandomize=not MANY,
        database=None,
        phases=(Phase.explicit, Phase.generate),  # a life is long: to shrink it takes minutes
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


@lives(6)
@given(plans())
def test_each_row_is_looked_at_once_or_reported(empty_store: Path, plan: Plan) -> None:
    assert lived(plan, empty_store) == []


@lives(2)
@given(plans())
def test_each_row_is_looked_at_once_or_reported_on_postgres(
    postgres_server: str, empty_on_postgres: str, plan: Plan
) -> None:
    with own_database(postgres_server, empty_on_postgres) as url:
        assert lived(plan, url=url) == []


STORY = Plan(
    3,
    Shape("{every: 5m}", 15 * MINUTE),
    steps=STEPS,
    troubles=(Trouble(4, "crash", which=3), Trouble(8, "outage", 2), Trouble(13, "edited")),
)


def test_a_story_of_a_crash_an_outage_and_an_edit(empty_store: Path) -> None:
    assert lived(STORY, empty_store) == []


BREAKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "looked at": ("bot.core.catchup.window_for", lambda real: lambda *of: replace(real(*of), start=of[2])),
    "times": ("bot.store.alerts.Alerts.memory_of", lambda _: lambda _, wanted: [{} for _ in wanted]),
    "told": ("bot.watch.late.unseen", lambda _: lambda *_: ()),
}


@pytest.mark.parametrize("said", BREAKS)
def test_the_promise_can_fail(empty_store: Path, said: str) -> None:
    """Without lookback, without row memory, and without the nightly look."""
    where, broken = BREAKS[said]
    module, _, name = where.rpartition(".")
    with patch(where, broken(getattr(resolve_name(module), name))):
        assert any(said in one for one in lived(STORY, empty_store))
