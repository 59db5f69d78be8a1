"""Retries: what may pass is tried again and ever more rarely, what will not is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.retry import FIRST, KEEPS_ON, LONGEST, TIMEOUTS, lasts, retry_at
from sensors.model.policy import After, Cron, Every, Schedule
from sensors.model.run import Cause, CauseKind, Looked, Run, RunStatus
from sensors.model.window import Window
from tests.core.looking import looked, policy
from tests.core.making import DAY, HOUR, MINUTE, NOON

DAILY = Every(DAY, HOUR * 12)  # on the grid: at noon
SECOND = timedelta(seconds=1)


def failed(schedule: Schedule = DAILY, *, transient: bool = True) -> Looked:
    good = looked(policy(schedule=schedule), [], NOON)
    return replace(good, status=RunStatus.failed, error="away", transient=transient)


def run(attempt: int = 1, kind: CauseKind = CauseKind.tick) -> Run:
    window = Window(NOON - HOUR, NOON)
    return Run(1, "payments.steering", Cause(kind, "x"), NOON, window, "t", None, attempt)


def waits(result: Looked, count: int) -> list[timedelta]:
    """How long each of so many failures in a row waits for the next try, as far as there is one."""
    now, found = NOON, list[timedelta]()
    for attempt in range(1, count + 1):
        at = retry_at(run(attempt), result, now)
        if at is None:
            break
        found.append(at - now)
        now = at
    return found


def test_waits_double_up_to_ten_minutes() -> None:
    assert [w // SECOND for w in waits(failed(), 9)] == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_the_next_tick_ends_them() -> None:
    assert [w // SECOND for w in waits(failed(Every(MINUTE)), 9)] == [10, 20]
    assert waits(failed(Every(5 * SECOND)), 9) == []
    assert len(waits(failed(), 1_000)) < 160


@pytest.mark.parametrize("schedule", [After(("core.orders",)), Cron("0 12 1 * *")])
def test_without_a_next_tick_soon_they_end_where_it_is_a_day_or_the_next_one(schedule: Schedule) -> None:
    ends = NOON + sum(waits(failed(schedule), 10_000), timedelta())
    assert ends > NOON + KEEPS_ON - LONGEST
    if isinstance(schedule, After):
        assert ends < NOON + KEEPS_ON


def test_what_stays_wrong_is_not_tried_again() -> None:
    assert retry_at(run(), failed(transient=False), NOON) is None
    assert retry_at(run(), replace(failed(), status=RunStatus.succeeded), NOON) is None


@pytest.mark.parametrize("kind", [CauseKind.manual, CauseKind.range])
def test_who_asked_has_been_answered(kind: CauseKind) -> None:
    assert retry_at(run(kind=kind), failed(), NOON) is None


def test_a_query_that_is_too_slow_is_tried_twice_more() -> None:
    slow = replace(failed(), status=RunStatus.timed_out)
    assert len(waits(slow, 9)) == TIMEOUTS - 1
    assert not lasts(slow, 1, TIMEOUTS - 1)
    assert lasts(slow, 1, TIMEOUTS)


def test_a_run_that_began_long_after_it_was_due_is_not_tried_past_the_next_tick() -> None:
    assert retry_at(run(), failed(), NOON + DAY - 5 * SECOND) is None


@given(attempt=st.integers(1, 10**6), late=st.integers(0, 10**6))
def test_a_retry_is_later_than_now_never_far_and_never_past_the_next_tick(attempt: int, late: int) -> None:
    now: datetime = NOON + late * SECOND
    at = retry_at(run(attempt), failed(), now)
    assert at is None or now + FIRST <= at <= now + LONGEST
    assert at is None or at < NOON + DAY
