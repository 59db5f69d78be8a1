"""Windows follow the data: every row that arrives within reach is looked at, whatever the schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.model.policy import Incremental, Now, Trailing
from sensors.model.window import INSTANT, Window, window_for
from tests.core.making import DAY, HOUR, MINUTE, NOON, SECOND

REACH = Incremental("sent_at", lookback=15 * MINUTE, delay=2 * MINUTE)


@dataclass(frozen=True)
class Row:
    at: datetime
    arrives: datetime


def history(random: Random, lookback: timedelta) -> list[Row]:
    """Rows of a table that is loaded in batches, each row late by no more than the lookback."""
    load = random.choice((SECOND, MINUTE, HOUR, 7 * HOUR))
    rows, at = [], NOON + timedelta(seconds=random.randint(0, 60))
    for _ in range(random.randint(5, 60)):
        at += random.choice((timedelta(), INSTANT, SECOND, 3 * MINUTE, 2 * HOUR))
        late = lookback * random.random()
        batch = NOON + -((NOON - at) // load) * load  # the load that takes it, if it is in time
        rows.append(Row(at, max(at, min(at + late, batch))))
    return rows


def runs(
    kind: Incremental, rows: list[Row], every: timedelta, until: datetime
) -> tuple[list[Window], set[Row]]:
    """The windows of all runs, and the rows that they found."""
    windows: list[Window] = []
    found: set[Row] = set()
    watermark, due = NOON, NOON
    while due < until:
        due += every
        there = [row for row in rows if row.arrives <= due]
        window = window_for(kind, due, watermark, max((row.at for row in there), default=NOON))
        windows.append(window)
        if not window.empty and window.start:
            watermark = max(watermark, window.end)
            found.update(row for row in there if window.start <= row.at < window.end)
    return windows, found


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([5 * MINUTE, HOUR, DAY]), st.integers(0, 90))
def test_every_row_that_comes_within_lookback_is_looked_at(seed: int, every: timedelta, minutes: int) -> None:
    random = Random(seed)
    lookback, delay = minutes * MINUTE, random.choice((timedelta(), 2 * MINUTE, HOUR))
    rows = history(random, lookback)
    last = max(row.arrives for row in rows) + 2 * DAY
    rows.append(Row(last, last))  # the data go on
    _, found = runs(Incremental("sent_at", lookback, delay), rows, every, last + delay + 2 * every)
    assert set(rows) - found == set()


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([5 * MINUTE, HOUR]))
def test_the_watermark_follows_the_data_and_never_the_clock(seed: int, every: timedelta) -> None:
    rows = history(Random(seed), 15 * MINUTE)
    newest = max(row.at for row in rows)
    windows, _ = runs(REACH, rows, every, max(r.arrives for r in rows) + DAY)
    looked = [w for w in windows if not w.empty]
    assert all(w.end <= newest + INSTANT for w in looked)
    assert all(a.end < b.end for a, b in pairwise(looked))


def test_the_newest_row_is_looked_at_and_then_there_is_nothing_new() -> None:
    newest = NOON + 3 * MINUTE
    window = window_for(REACH, NOON + HOUR, NOON, newest)
    assert window.start is not None
    assert window.start <= newest < window.end
    assert window_for(REACH, NOON + 2 * HOUR, window.end, newest).empty


def test_a_row_that_shares_the_newest_ones_instant_is_looked_at_next_time() -> None:
    newest = NOON + 3 * MINUTE
    first = window_for(Incremental("sent_at"), NOON + HOUR, NOON, newest)
    following = window_for(Incremental("sent_at"), NOON + HOUR, first.end, newest + SECOND)
    assert following.start is not None
    assert following.start <= newest < following.end


def test_what_is_younger_than_the_delay_waits() -> None:
    assert window_for(REACH, NOON + HOUR, NOON, NOON + HOUR).end == NOON + 58 * MINUTE
    assert window_for(REACH, NOON + HOUR, NOON, None).end == NOON + 58 * MINUTE
    assert window_for(REACH, NOON + MINUTE, NOON, NOON + MINUTE).empty


def test_data_that_went_back_are_not_looked_at_again() -> None:
    window = window_for(REACH, NOON + HOUR, NOON, NOON - HOUR)
    assert window.empty


def test_the_first_run_looks_back_an_hour_or_its_lookback() -> None:
    assert window_for(REACH, NOON, None, None) == Window(NOON - 62 * MINUTE, NOON - 2 * MINUTE)
    long = window_for(Incremental("sent_at", DAY), NOON, None, None)
    assert long == Window(NOON - DAY, NOON)


def test_a_trailing_window_ends_with_the_data_and_its_baseline_lies_before() -> None:
    kind = Trailing("sent_at", DAY, baseline=7 * DAY)
    end = NOON - HOUR + INSTANT
    assert window_for(kind, NOON, None, NOON - HOUR) == Window(end - DAY, end, end - 8 * DAY)
    assert window_for(kind, NOON, None, None) == Window(NOON - DAY, NOON, NOON - 8 * DAY)
    assert window_for(kind, NOON, None, NOON + HOUR).end == NOON


def test_the_world_as_it_is_has_no_start_and_is_never_empty() -> None:
    window = window_for(Now(), NOON, NOON + DAY, NOON - DAY)
    assert window == Window(None, NOON)
    assert not window.empty
    assert window.halved() == window
    assert window.binds() == {"window_end": NOON}


def test_a_window_is_halved_to_its_earlier_part() -> None:
    whole = Window(NOON, NOON + HOUR, NOON - DAY)
    assert whole.halved() == Window(NOON, NOON + 30 * MINUTE, NOON - DAY)
    assert whole.binds() == {
        "window_start": NOON,
        "window_end": NOON + HOUR,
        "baseline_start": NOON - DAY,
    }
