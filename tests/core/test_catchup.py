"""What was missed is made up for as the policy says: in one run, in each, or passed over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catchup import MOST, Tick, due_ticks, merged, same_schedule, tick_window
from bot.core.plan import due_between
from sensors.model.policy import After, Cron, Every, Incremental, Now, Policy, Schedule, Trailing
from sensors.model.window import INSTANT, Window, window_for
from tests.core.looking import policy
from tests.core.making import DAY, HOUR, MINUTE, NOON, SECOND

KIND = Incremental("sent_at", lookback=15 * MINUTE, delay=2 * MINUTE)
HOURLY = Every(HOUR)


def made(catchup: str, schedule: Schedule = HOURLY) -> Policy:
    return policy(KIND, schedule=schedule, catchup=catchup)


def dues(which: Policy, at: datetime, last: datetime | None) -> list[datetime]:
    return [tick.due for tick in due_ticks(which, at, last).ticks]


LATE = NOON + 5 * HOUR + 10 * MINUTE


def test_merge_runs_the_newest_over_all() -> None:
    assert due_ticks(made("merge"), LATE, NOON).ticks == (Tick(NOON + 5 * HOUR),)


def test_each_runs_every_missed_time_in_order_over_what_had_come_until_then() -> None:
    found = due_ticks(made("each"), LATE, NOON)
    assert [t.due for t in found.ticks] == [NOON + n * HOUR for n in (1, 2, 3, 4, 5)]
    assert {t.begins for t in found.ticks} == {None}
    assert found.story == "4 due times were missed: each is run"


def test_each_has_an_end_and_says_so() -> None:
    found = due_ticks(made("each"), NOON + 300 * HOUR, NOON)
    assert [t.due for t in found.ticks] == [NOON + n * HOUR for n in range(201, 301)]
    assert found.story == (
        "more than 99 due times were missed: the newest 100 are run each, the first over all before"
    )
    assert len(due_ticks(made("each"), NOON + MOST * HOUR, NOON).ticks) == MOST
    assert "99 due times were missed: each" in due_ticks(made("each"), NOON + MOST * HOUR, NOON).story


def test_skip_runs_what_was_due_before_and_the_newest_over_its_own_time() -> None:
    found = due_ticks(made("skip"), LATE, NOON)
    begins = NOON + 4 * HOUR - 2 * MINUTE
    assert found.ticks == (Tick(NOON, rest=True), Tick(NOON + 5 * HOUR, begins))
    assert "from 2026-01-05 12:00:00 UTC to 2026-01-05 16:00:00 UTC is passed over" in found.story
    assert [t.stamp for t in found.ticks] == ["2026-01-05T12:00:00Z+rest", "2026-01-05T17:00:00Z"]


@pytest.mark.parametrize("catchup", ["merge", "each", "skip"])
def test_nothing_was_missed_between_two_times_that_follow_each_other(catchup: str) -> None:
    found = due_ticks(made(catchup), NOON + HOUR + MINUTE, NOON)
    assert (found.ticks, found.story) == ((Tick(NOON + HOUR),), "")
    assert due_ticks(made(catchup), NOON + 59 * MINUTE, NOON).ticks == ()
    assert due_ticks(made(catchup), LATE, None).ticks == (Tick(NOON + 5 * HOUR),)


@pytest.mark.parametrize("window", [Now(), Trailing("sent_at", HOUR)])
def test_conditions_are_looked_at_as_they_are_now(window: Now | Trailing) -> None:
    found = due_ticks(policy(window, schedule=HOURLY, catchup="each"), LATE, NOON)
    assert found.ticks == (Tick(NOON + 5 * HOUR),)


def test_what_waits_for_an_upstream_misses_nothing() -> None:
    assert due_ticks(made("each", After(("core.orders",))), LATE, NOON).ticks == ()


def test_missed_times_where_clocks_are_put_back_come_once() -> None:
    nightly = Cron("30 1 * * *", "America/New_York")
    start = datetime.fromisoformat("2026-10-30T05:30:00+00:00")
    found = dues(made("each", nightly), start + 3 * DAY + 2 * HOUR, start)
    assert [f"{d:%d %H:%M}" for d in found] == ["31 05:30", "01 05:30", "02 06:30"]


@given(st.integers(1, 5000), st.integers(0, 400), st.sampled_from([MINUTE, 7 * MINUTE, HOUR, DAY]))
def test_each_run_joins_the_one_before(minutes: int, behind: int, every: timedelta) -> None:
    which = made("each", Every(every))
    last = next(due_between(which.schedule, NOON, NOON + 2 * every))
    at = last + minutes * MINUTE
    watermark = last - behind * MINUTE
    reached = watermark
    for tick in due_ticks(which, at, last).ticks:
        window = tick_window(KIND, tick.due, reached, None, tick.begins)
        if not window.empty:
            assert window.start == reached - KIND.lookback - INSTANT
            reached = max(reached, window.end)
    newest = max([*due_between(which.schedule, last, at)], default=None)
    assert reached == (max(watermark, newest - KIND.delay) if newest else watermark)


def test_after_a_skip_the_window_begins_where_the_missed_time_ends() -> None:
    begins, due = NOON + 4 * HOUR, NOON + 5 * HOUR
    window = tick_window(KIND, due, NOON, None, begins)
    assert window == Window(begins - 15 * MINUTE - INSTANT, due - 2 * MINUTE)
    loaded = tick_window(KIND, due, NOON, begins + MINUTE, begins)
    assert (loaded.start, loaded.end) == (window.start, begins + MINUTE + INSTANT)


def test_a_skip_before_the_data_have_come_moves_on_all_the_same() -> None:
    begins = NOON + 4 * HOUR
    assert tick_window(KIND, NOON + 5 * HOUR, NOON, NOON + HOUR, begins) == Window(begins, begins)
    assert tick_window(KIND, NOON + 5 * HOUR, NOON, NOON, begins) == Window(begins, begins)


def test_what_was_looked_at_later_than_the_skip_is_not_looked_at_again() -> None:
    watermark = NOON + 4 * HOUR + 30 * MINUTE
    window = tick_window(KIND, NOON + 5 * HOUR, watermark, None, NOON + 4 * HOUR)
    assert window == window_for(KIND, NOON + 5 * HOUR, watermark, None)


def test_without_a_skip_the_window_is_the_policys() -> None:
    for kind in (KIND, Now(), Trailing("sent_at", DAY)):
        assert tick_window(kind, NOON, NOON - HOUR, NOON - SECOND) == window_for(
            kind, NOON, NOON - HOUR, NOON - SECOND
        )


def test_merged_is_one_run_over_all() -> None:
    for catchup in ("each", "skip"):
        assert merged(due_ticks(made(catchup), LATE, NOON)).ticks == (Tick(NOON + 5 * HOUR),)


def body(text: str) -> str:
    return json.dumps({"dialect": "duckdb", "files": [text, "SELECT 1"]})


def test_a_schedule_is_the_same_only_letter_for_letter() -> None:
    text = "title: x\nschedule: {every: 1m}\nwindow: {}\n"
    assert same_schedule(body(text), body(text.replace("title: x", "status: live")))
    assert not same_schedule(body(text), body(text.replace("1m", "5m")))
    assert not same_schedule("", body(text))
    long = 'schedule:\n  cron: "0 9 * * *"\n  timezone: UTC\nkey: []\n'
    assert same_schedule(body(long), body(long.replace("key: []", "key: [a]")))
    assert not same_schedule(body(long), body(long.replace("UTC", "Europe/Berlin")))
