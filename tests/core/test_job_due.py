"""When a job starts by itself, and when it is late: over any schedule, looked at whenever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Clear, Fire
from bot.core.job_due import (
    Going,
    due_of,
    due_start,
    late_job,
    lateness,
    paused,
    schedule_of,
    tick_key,
    waits,
)
from bot.core.order import Order, OrderKind
from bot.core.plan import due_between
from sensors.model.job import Job
from sensors.model.policy import Cron, Every, Schedule
from tests.core.making import ANA, HOUR, MINUTE, NOON

schedules: st.SearchStrategy[Schedule] = st.sampled_from(
    [
        Every(HOUR),
        Every(7 * MINUTE),
        Cron("0 2 * * *"),
        Cron("30 2 * * *", "Europe/Berlin"),
        Cron("*/20 * * * *"),
    ]
)
looks = st.lists(st.timedeltas(timedelta(seconds=1), timedelta(hours=30)), min_size=1, max_size=30)
JOB = Job("build", "http", "Build", "payments", schedule=Every(HOUR), late_after=HOUR)


@given(schedules, looks)
def test_each_due_time_is_started_once_at_most_and_the_newest_always(
    schedule: Schedule, steps: list[timedelta]
) -> None:
    now, last, started = NOON, None, list[datetime]()
    for step in steps:
        before, now = now, now + step
        due = due_start(schedule, NOON, last, now)
        came = list(due_between(schedule, before, now))
        assert due == (came[-1] if came else None), "what was missed is one start, of the newest time"
        if due:
            last = due_of(tick_key("build", due), "build")
            assert last == due, "its key says which it was"
            started.append(due)
    assert started == sorted(set(started))
    assert all(due > NOON for due in started)


def test_a_key_of_another_job_says_nothing() -> None:
    assert due_of(tick_key("build", NOON), "buil") is None
    assert due_of("upstream-build-1", "build") is None
    assert due_of(None, "build") is None


def test_orders_of_a_job_change_when_it_starts_for_a_while() -> None:
    pause = Order("job:build", OrderKind.pause, NOON + HOUR, ANA, "", NOON)
    pace = Order("job:build", OrderKind.every, NOON + HOUR, ANA, "", NOON, 5 * MINUTE)
    other = Order("build", OrderKind.pause, NOON + HOUR, ANA, "", NOON)
    assert schedule_of(JOB, [other], NOON) == Every(HOUR), "a policy of the same name is another thing"
    assert schedule_of(JOB, [pace], NOON) == Every(5 * MINUTE)
    assert schedule_of(JOB, [pause, pace], NOON) is None
    assert paused(JOB, [pause], NOON)
    assert schedule_of(JOB, [pause, pace], NOON + HOUR) == Every(HOUR)


@pytest.mark.parametrize(
    ("going", "why"),
    [
        (Going(NOON - 9 * HOUR, NOON - HOUR), ""),
        (
            Going(NOON - 9 * HOUR, NOON - 2 * HOUR),
            "it was due at 2026-01-05 10:00 UTC and has not",
        ),
        (Going(NOON - 9 * HOUR, NOON - 2 * HOUR, good_at=NOON - 3 * HOUR), "it was due at"),
        (Going(NOON - 9 * HOUR, NOON - 2 * HOUR, good_at=NOON - 2 * HOUR), ""),
        (Going(NOON - HOUR, NOON - 2 * HOUR), ""),
        (Going(NOON - 9 * HOUR, running_since=NOON - HOUR), ""),
        (Going(NOON - 9 * HOUR, running_since=NOON - 2 * HOUR), "it has been running since 2026-01-05 10:00"),
    ],
)
def test_what_is_late(going: Going, why: str) -> None:
    found = lateness(JOB, going, NOON)
    assert found.startswith(why)
    assert bool(found) == bool(why)


@given(st.timedeltas(timedelta(), timedelta(days=3)), st.timedeltas(timedelta(), timedelta(days=3)))
def test_while_nothing_changes_it_stays_late_in_the_same_words(one: timedelta, more: timedelta) -> None:
    going = Going(NOON - HOUR, NOON)
    first, later = (lateness(JOB, going, NOON + at) for at in (one, one + more))
    assert not first or first == later


def test_it_is_told_with_what_hangs_on_it_and_closes_by_itself() -> None:
    going = Going(NOON, failed="no memory", trouble="away")
    refs = tuple(f"policy:a.p{n}" for n in range(7))
    fire = late_job(JOB, "it was due", going, refs, None, NOON)
    assert isinstance(fire, Fire)
    assert fire.title == "build is late: it was due"
    advice = fire.newest["advice"]
    assert "Its last run failed: no memory." in advice
    assert "7 things hang on it: `policy:a.p0`" in advice
    assert advice.count("policy:") == 5
    assert "and 2 more" in advice
    assert waits(()) == ""
    assert isinstance(late_job(JOB, "", going, (), None, NOON), Clear)
