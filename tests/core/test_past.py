"""A backfill's windows join end to end, and a later backfill of nearly the same time has the same ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.ledger import Stretch, merged
from bot.core.past import ENOUGH, Sampled, between, name, sampled, windows
from bot.core.plan import due_between
from sensors.model.policy import Cron, Every, Incremental, Now, Policy, Trailing
from sensors.model.window import Window
from tests.core.looking import policy
from tests.core.making import DAY, HOUR, MINUTE, NOON

EVENTS = policy(Incremental("sent_at"))


def stretches(made: Policy, past: Stretch) -> list[Stretch]:
    return [Stretch(w.start, w.end) for w in windows(made, past) if w.start]


@given(st.integers(0, 60 * 24 * 30), st.integers(1, 60 * 24 * 400))
def test_windows_of_events_join_end_to_end(start: int, minutes: int) -> None:
    past = Stretch(NOON + start * MINUTE, NOON + (start + minutes) * MINUTE)
    found = stretches(EVENTS, past)
    assert merged(found) == (past,)
    assert sum((s.length for s in found), timedelta()) == past.length


@pytest.mark.parametrize(("days", "size"), [(1, HOUR), (8, HOUR), (9, 6 * HOUR), (50, 6 * HOUR), (300, DAY)])
def test_more_time_is_looked_at_in_larger_windows(days: int, size: timedelta) -> None:
    found = stretches(EVENTS, Stretch(NOON, NOON + days * DAY))
    assert max(s.length for s in found) == size
    assert size == DAY or len(found) <= ENOUGH


def test_the_same_windows_come_again_when_now_has_moved_on() -> None:
    first = windows(EVENTS, Stretch(NOON + 7 * MINUTE, NOON + 9 * HOUR))
    later = windows(EVENTS, Stretch(NOON + 12 * MINUTE, NOON + 10 * HOUR))
    assert first[1:] == later[1:-1]


def test_a_size_may_be_said() -> None:
    assert len(windows(EVENTS, Stretch(NOON, NOON + HOUR), 10 * MINUTE)) == 6


def test_conditions_are_looked_at_as_of_each_due_time() -> None:
    hourly = policy(Trailing("sent_at", DAY, baseline=7 * DAY), schedule=Every(HOUR))
    found = windows(hourly, Stretch(NOON, NOON + 3 * HOUR))
    assert [w.end for w in found] == [NOON + n * HOUR for n in (1, 2, 3)]
    assert found[0] == Window(NOON + HOUR - DAY, NOON + HOUR, NOON + HOUR - 8 * DAY)


def test_the_world_as_it_is_has_no_past() -> None:
    assert windows(policy(Now()), Stretch(NOON, NOON + DAY)) == ()


def test_each_part_and_each_attempt_has_its_own_name() -> None:
    window = Window(NOON, NOON + HOUR)
    assert name(window) == "2026-01-05T12:00:00Z..2026-01-05T13:00:00Z"
    names = {name(window, part, attempt) for part in range(3) for attempt in range(3)}
    assert len(names) == 9


@pytest.mark.parametrize("most", [1, 5, 40, 200])
@pytest.mark.parametrize("expression", ["* * * * *", "20 */3 * * *", "30 2 * * 1-5"])
def test_due_times_that_are_too_many_are_those_that_lie_apart(expression: str, most: int) -> None:
    cron = Cron(expression, "America/New_York")
    start, end = NOON + 61 * DAY, NOON + 63 * DAY  # the clocks are put forward
    found = sampled(cron, start, end, most)
    every = list(due_between(cron, start, end))
    if len(every) <= most:
        assert found == Sampled(tuple(every))
        return
    assert found.step is not None
    kept: list[datetime] = []
    for due in every:
        kept += [due] if not kept or due - kept[-1] >= found.step else []
    assert found.dues == tuple(kept)


def test_a_minute_s_schedule_over_years_is_not_gone_through_minute_by_minute() -> None:
    found = sampled(Cron("* * * * *", "America/New_York"), NOON, NOON + 1100 * DAY, 720)
    assert (found.step, len(found.dues)) == (DAY, 1100)


# ------------------------------------------------------------------------------ as people write it

ZONES = st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu"]).map(ZoneInfo)
WALL = NOON.replace(tzinfo=None)
MOMENTS = st.integers(-(10**8), 10**8).map(lambda seconds: WALL + timedelta(seconds=seconds))
BESIDE = st.sampled_from(["..", " .. ", "...", "…", " "])


@given(MOMENTS, MOMENTS, BESIDE, ZONES)
def test_two_times_are_read_by_the_clock_of_the_one_who_writes_them(
    start: datetime, end: datetime, beside: str, zone: ZoneInfo
) -> None:
    found = between(f"{start.isoformat()}{beside}{end.isoformat()}", NOON.astimezone(zone))
    assert found
    for wall, moment in ((start, found.start), (end, found.end)):
        assert moment.tzinfo is UTC
        shown = moment.astimezone(zone).replace(tzinfo=None)
        assert shown == wall or timedelta() < shown - wall <= HOUR, "only of a time that its clocks leave out"


@given(st.integers(1, 300), st.integers(1, 300), ZONES)
def test_how_long_ago_is_the_same_everywhere(since: int, until: int, zone: ZoneInfo) -> None:
    now = NOON.astimezone(zone)
    assert between(f"{since}d", now) == Stretch(NOON - since * DAY, NOON)
    assert between(f"{since}d..now", now) == Stretch(NOON - since * DAY, NOON)
    assert between(f"{since}d..{until}h", now) == Stretch(NOON - since * DAY, NOON - until * HOUR)
    assert between(f"{since}d {until}h", now) == Stretch(NOON - since * DAY, NOON - until * HOUR)


@given(st.text("0123456789-:.TZdh… now+", max_size=40) | st.text(max_size=20), ZONES)
def test_any_text_is_a_time_or_none(text: str, zone: ZoneInfo) -> None:
    found = between(text, NOON.astimezone(zone))
    assert found is None or found.start.tzinfo is found.end.tzinfo is UTC


@pytest.mark.parametrize("text", ["0001-01-01..9999-12-31", "9999-12-31T23:59Z", "7d..", "..7d", "1..2..3"])
def test_the_ends_of_time_and_halves_break_nothing(text: str) -> None:
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
        found = between(text, NOON.astimezone(ZoneInfo(zone)))
        assert found is None or found.start <= found.end or text.startswith("9999")
