"""The wall's clock jumps while the scheduler runs: what wakes us wakes us on, and nothing waits for hours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from bot import schedule
from bot.process.errors import StoreAway
from bot.schedule import Scheduler
from bot.watch.clockwatch import ClockWatch
from tests.shell.making import HELD, HOUR, MINUTE, NOON, SECOND, Clock, Node, World
from tests.shell.test_schedule import causes, wait
from tests.shell.trouble import HELD_NAME


class Wall(datetime):
    """The machine's clock, which a test may put forward and back."""

    off_by = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # plain ones for everybody
        return datetime.now(tz) + cls.off_by


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Wall]]:
    for place in ("apscheduler.schedulers.base", "apscheduler.executors.base", "bot.schedule"):
        monkeypatch.setattr(f"{place}.datetime", Wall)
    for chore in ("reload", "take_over", "sweep", "renew"):
        monkeypatch.setitem(schedule.CHORES, chore, 0.2)
    yield Wall
    Wall.off_by = timedelta()


@pytest.fixture
def node(world: World, wall: type[Wall]) -> Node:
    world.clock = lambda: wall.now(UTC)  # type: ignore[assignment]
    world.write("policies/payments/held.yml", HELD.replace("every: 1m", "every: 1s"))
    return world.node()


@pytest.mark.parametrize("by", [-3 * HOUR, 3 * HOUR], ids=["back", "forward"])
def test_when_the_clock_jumps_looks_and_chores_go_on_within_seconds(
    node: Node, wall: type[Wall], by: timedelta
) -> None:
    wall.off_by = max(timedelta(), -by)
    scheduler = Scheduler(node.engine, node.starting, None, workers=2)
    scheduler.start()
    try:
        wait(lambda: len(causes(node, HELD_NAME)) >= 2)
        before = causes(node, HELD_NAME)
        wall.off_by += by
        jumped = time.monotonic()
        scheduler.beats.clear()
        wait(lambda: {"sweep", "renew", "take_over", "watch"} <= set(scheduler.beats))
        wait(lambda: len(causes(node, HELD_NAME)) >= len(before) + 2)
        assert time.monotonic() - jumped < 8
        assert len(causes(node, HELD_NAME)) == len(set(causes(node, HELD_NAME)))
    finally:
        scheduler.stop()


def test_a_jump_is_told_once_and_told_again_while_nobody_could_see_to_it() -> None:
    clock, told, able = Clock(NOON), [], [False]

    def jumped(by: timedelta, _right: datetime | None) -> bool:
        told.append(round(by.total_seconds()))
        return able[0]

    watch = ClockWatch(clock, jumped)
    watch.look()
    clock.on(SECOND)  # it drifts
    watch.look()
    assert told == []
    clock.on(-HOUR)
    watch.look()
    clock.on(MINUTE)
    watch.look()
    able[0] = True
    watch.look()
    watch.look()
    assert told == [-3600, -3540, -3540]


def test_a_jump_while_the_store_is_away_is_set_right_when_it_is_back(
    node: Node, wall: type[Wall], monkeypatch: pytest.MonkeyPatch
) -> None:
    wall.off_by = 3 * HOUR
    scheduler = Scheduler(node.engine, node.starting, None, workers=2)
    scheduler.start()
    tries: list[datetime] = []
    real = node.store.set_right

    def away_at_first(now: datetime) -> int:
        tries.append(now)
        if len(tries) < 2:
            raise StoreAway("The store does not answer.")
        return real(now)

    monkeypatch.setattr(node.store, "set_right", away_at_first)
    try:
        wait(lambda: causes(node, HELD_NAME))
        wall.off_by = timedelta()
        wait(lambda: len(tries) == 2)
        known = len(causes(node, HELD_NAME))
        wait(lambda: len(causes(node, HELD_NAME)) > known)
    finally:
        scheduler.stop()
