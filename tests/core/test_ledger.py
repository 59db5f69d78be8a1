"""Stretches of time: merging them loses nothing and adds nothing, and a hole is what nobody looked at."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.ledger import Stretch, bar, common, cut, holes, merged, without
from tests.core.making import HOUR, MINUTE, NOON

MOMENTS = range(-3, 64)  # minutes around noon, wider than any stretch below


def at(minute: float) -> Stretch:
    """One minute."""
    return Stretch(NOON + minute * MINUTE, NOON + (minute + 1) * MINUTE)


def stretch(start: float, end: float) -> Stretch:
    return Stretch(NOON + start * MINUTE, NOON + end * MINUTE)


one = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: stretch(*pair))
many = st.lists(one, max_size=12)


def inside(moment: int, stretches: list[Stretch] | tuple[Stretch, ...]) -> bool:
    return any(s.start <= NOON + moment * MINUTE < s.end for s in stretches)


@given(many)
def test_merging_keeps_every_moment_and_adds_none(stretches: list[Stretch]) -> None:
    found = merged(stretches)
    assert [inside(m, found) for m in MOMENTS] == [inside(m, stretches) for m in MOMENTS]
    assert all(a.end < b.start for a, b in pairwise(found))
    assert not any(s.empty for s in found)


@given(many, many)
def test_merging_in_steps_is_merging_at_once(some: list[Stretch], others: list[Stretch]) -> None:
    assert merged([*merged(some), *others]) == merged([*some, *others])


@given(many)
def test_holes_and_what_was_looked_at_fill_the_time_between_the_first_and_the_last(
    stretches: list[Stretch],
) -> None:
    known, open_ones = merged(stretches), holes(stretches)
    whole = (Stretch(known[0].start, known[-1].end),) if known else ()
    assert merged([*known, *open_ones]) == whole
    assert common(known, open_ones) == ()


@given(many, st.integers(0, 60))
def test_holes_since_a_time_are_the_parts_after_it(stretches: list[Stretch], minute: int) -> None:
    after = stretch(minute, 10_000)
    assert holes(stretches, after.start) == common(holes(stretches), [after])


@given(one, many)
def test_what_is_left_of_a_stretch_is_in_it_and_in_no_other(whole: Stretch, covered: list[Stretch]) -> None:
    left = without(whole, covered)
    assert [inside(m, left) for m in MOMENTS] == [
        inside(m, [whole]) and not inside(m, covered) for m in MOMENTS
    ]


@given(many, many)
def test_common_moments_are_in_both(some: list[Stretch], others: list[Stretch]) -> None:
    both = common(some, others)
    assert [inside(m, both) for m in MOMENTS] == [inside(m, some) and inside(m, others) for m in MOMENTS]


@given(one, st.integers(1, 30), st.integers(0, 60))
def test_parts_join_end_to_end_and_lie_on_the_grid(whole: Stretch, minutes: int, shift: int) -> None:
    size, anchor = minutes * MINUTE, NOON + shift * MINUTE
    parts = tuple(cut(whole, size, anchor))
    assert merged(parts) == merged([whole])
    assert sum((p.length for p in parts), timedelta()) == whole.length
    assert all((a.end - anchor) % size == timedelta() for a in parts[:-1])
    assert all(p.length <= size for p in parts)


def test_windows_that_touch_or_overlap_leave_no_hole_and_an_instant_between_them_is_one() -> None:
    assert holes([stretch(0, 10), stretch(10, 20), stretch(15, 30)]) == ()
    assert holes([stretch(0, 10), stretch(10 + 1 / 60, 20)]) == (stretch(10, 10 + 1 / 60),)


def test_an_empty_window_looks_at_nothing() -> None:
    assert holes([stretch(0, 10), stretch(15, 15), stretch(20, 30)]) == (stretch(10, 20),)
    assert holes([]) == holes([stretch(0, 5)]) == ()


@pytest.mark.parametrize(
    ("covered", "shown"),
    [
        ([stretch(0, 60)], "██████"),
        ([stretch(0, 20), stretch(40, 60)], "██░░██"),
        ([stretch(0, 29), stretch(29.5, 60)], "██▒███"),
        ([stretch(15, 20), stretch(40, 45)], "·█░░█·"),
        ([], "······"),
    ],
)
def test_a_bar_shows_even_a_short_hole(covered: list[Stretch], shown: str) -> None:
    assert bar(Stretch(NOON, NOON + HOUR), covered, 6) == shown
