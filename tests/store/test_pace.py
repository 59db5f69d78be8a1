"""Turns keep their distance, whoever asks; what Slack asks to wait, everybody waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from bot.store import Store
from tests.store.making import MINUTE, NOON

SECOND = timedelta(seconds=1)


def test_of_many_who_ask_at_once_one_has_the_turn_and_all_others_hear_when(store: Store) -> None:
    gap = timedelta(seconds=1.2)
    with ThreadPoolExecutor(8) as pool:
        told = sorted(pool.map(lambda _: store.pace.turn("C1", NOON, gap), range(40)))
    assert told == [NOON] + [NOON + gap] * 39


def test_a_turn_is_never_closer_to_the_last_than_the_gap(store: Store) -> None:
    taken = [
        at
        for n in range(40)
        if store.pace.turn("C1", at := NOON + n * timedelta(milliseconds=300), SECOND) == at
    ]
    assert taken == [NOON + n * timedelta(milliseconds=1200) for n in range(10)]


def test_each_line_has_turns_of_its_own_told_to_the_microsecond(store: Store) -> None:
    at = NOON + timedelta(microseconds=123_457)
    assert store.pace.turn("C1", at, SECOND) == at
    assert store.pace.turn("C1", at, SECOND) == at + SECOND
    assert store.pace.turn("C2", at, SECOND) == at


def test_a_rest_moves_the_next_turn_and_never_brings_it_nearer(store: Store) -> None:
    assert store.pace.turn("C1", NOON, SECOND) == NOON
    store.pace.rest("C1", NOON + MINUTE)
    store.pace.rest("C1", NOON + SECOND)
    assert store.pace.turn("C1", NOON + SECOND * 2, SECOND) == NOON + MINUTE
    assert store.pace.turn("C1", NOON + MINUTE, SECOND) == NOON + MINUTE
    store.pace.rest("C3", NOON + MINUTE)
    assert store.pace.turn("C3", NOON, SECOND) == NOON + MINUTE


def test_a_clock_that_was_far_ahead_holds_up_nobody_once_it_is_right(store: Store) -> None:
    ahead = NOON + timedelta(days=1)
    assert store.pace.turn("C1", ahead, SECOND) == ahead
    assert store.pace.turn("C1", NOON, SECOND) == NOON
    assert store.pace.turn("C1", NOON, SECOND) == NOON + SECOND


def test_moments_are_kept_by_name(store: Store) -> None:
    assert store.pace.noted("away") is None
    store.pace.note("away", NOON)
    store.pace.note("away", NOON - MINUTE)
    assert store.pace.noted("away") == NOON - MINUTE
