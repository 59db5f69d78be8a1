"""Patrol is killed (SIGKILL) at each named point and started again: one message stands for each violation."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bot.process.killpoint import POINTS

SELLERS = ("s_1", "s_2", "s_3")


@pytest.fixture
def killed(make_town: Callable[..., Any]) -> dict[str, Any]:
    """A town for each point, all at once: most of the time is spent waiting for leases to run out."""
    towns = {point: make_town(point) for point in POINTS}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda point: _live_through(towns[point], point), POINTS))
    return towns


def _live_through(town: Any, point: str) -> None:
    for seller in SELLERS:
        town.says(seller)
    hit = town.folder / "hit"
    victim = town.patrol(PATROL_KILL_AT=f"{point}:2", PATROL_KILL_LOG=str(hit))
    assert victim.wait(60) == -signal.SIGKILL, town.log[-2000:]
    assert hit.read_text().split() == [point]
    town.says("s_4")  # while nobody looks
    town.patrol()


def _all_stand(town: Any) -> bool:
    return set(town.standing()) == {*SELLERS, "s_4"}


@pytest.mark.slow
def test_one_message_stands_for_each_violation_wherever_patrol_was_killed(
    killed: dict[str, Any], wait: Callable[..., Any]
) -> None:
    for point, town in killed.items():
        wait(lambda town=town: _all_stand(town), f"after {point}: {town.standing()}")
    for point, town in killed.items():
        town.says("s_5")  # once this one stands, whatever was still to come has come
        wait(lambda town=town: town.standing()["s_5"], f"after {point} nothing more came")
        assert town.standing() == dict.fromkeys((*SELLERS, "s_4", "s_5"), 1), point
        town.asks_to_end()  # it would look each second until the last one is done


def test_the_points_are_those_around_claim_save_send_and_record() -> None:
    assert {point.split(".")[0] for point in POINTS} == {"claim", "save", "send", "record"}
    assert len(POINTS) == 8
