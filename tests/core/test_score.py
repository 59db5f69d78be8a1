"""Precision and recall: what is counted, and intervals that hold what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.score import Share, Tally, judge


def test_each_row_is_one_of_four() -> None:
    labels = {"a": True, "b": True, "c": False, "d": False, "e": False}
    judged = judge(["a", "c", "x"], labels)
    assert judged.tally == Tally(tp=1, fp=1, fn=1, tn=2)
    assert (judged.false_positives, judged.false_negatives, judged.unlabelled) == (("c",), ("b",), 1)
    assert (judged.tally.precision.value, judged.tally.recall.value) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_intervals_are_wilson_s(part: int, whole: int, low: float, high: float) -> None:
    assert Share(part, whole).interval == pytest.approx((low, high), abs=0.0001)


def test_of_nothing_there_is_no_share_and_nothing_is_known() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, (0.0, 1.0))


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_lies_within_and_holds_its_share(one: tuple[int, int]) -> None:
    share = Share(*one)
    low, high = share.interval
    assert share.value is not None
    assert 0 <= low <= share.value <= high <= 1
    wider = Share(one[0] * 4, one[1] * 4).interval
    assert wider[1] - wider[0] < high - low


@given(st.dictionaries(st.integers(0, 40), st.booleans()), st.sets(st.integers(0, 50)))
def test_nothing_is_counted_twice_or_lost(labels: dict[int, bool], found: set[int]) -> None:
    judged = judge(found, labels)
    t = judged.tally
    assert t.tp + t.fp + t.fn + t.tn == len(labels)
    assert t.tp + t.fn == sum(labels.values())
    assert t.tp + t.fp + judged.unlabelled == len(found)
