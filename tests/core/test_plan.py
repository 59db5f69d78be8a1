"""When a policy is due: on a grid that all share, and by the clock on the wall, whatever is done to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.plan import EPOCH, due_now, last_due, next_due
from sensors.model.policy import After, Cron, Every, Schedule

CHANGES = {  # where clocks are put forward and back in 2026
    "America/New_York": ("2026-03-08T07:00Z", "2026-11-01T06:00Z"),
    "Europe/Berlin": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "Australia/Lord_Howe": ("2026-04-04T15:00Z", "2026-10-03T15:30Z"),
    "America/Santiago": ("2026-04-05T03:00Z", "2026-09-06T04:00Z"),
    "Africa/Casablanca": ("2026-02-15T02:00Z", "2026-03-22T02:00Z"),
    "Asia/Kolkata": ("2026-01-01T00:00Z",),
    "UTC": ("2026-01-01T00:00Z",),
}
ZONES = tuple(CHANGES)
MINUTES = ("0", "30", "59", "15,45", "*/20", "*", "1-5")
HOURS = ("9", "1", "2", "1-3", "*/2", "*", "0,12")
DAYS = ("* * *", "* * 1", "1 * *", "* * 0", "8 3 *", "1-7 * 0")

instants = st.integers(0, 366 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@st.composite
def crons(draw: st.DrawFn) -> tuple[Cron, datetime]:
    """A cron and a time, mostly within hours of a change of its zone's clocks."""
    zone = draw(st.sampled_from(ZONES))
    made = Cron(" ".join(draw(st.sampled_from(part)) for part in (MINUTES, HOURS, DAYS)), zone)
    change = datetime.fromisoformat(draw(st.sampled_from(CHANGES[zone])))
    near = st.integers(-4 * 3600, 4 * 3600).map(lambda seconds: change + timedelta(seconds=seconds))
    return made, draw(st.one_of(near, near, instants))


everys = st.builds(
    lambda interval, offset: Every(timedelta(seconds=interval), timedelta(seconds=offset)),
    st.integers(1, 200_000),
    st.integers(0, 200_000),
)
cases = st.one_of(crons(), crons(), st.tuples(everys, instants))


def due(schedule: Schedule, at: datetime, *, later: bool) -> datetime:
    found = next_due(schedule, at) if later else last_due(schedule, at)
    assert found is not None
    return found


def between(cron: Cron, start: datetime, end: datetime) -> list[datetime]:
    """All due times from start to end."""
    found, at = [], start
    while (at := due(cron, at, later=True)) <= end:
        found.append(at)
    return found


@settings(max_examples=300)
@given(cases)
def test_the_next_is_later_the_last_is_not_and_there_is_none_in_between(
    case: tuple[Schedule, datetime],
) -> None:
    made, at = case
    last, following = due(made, at, later=False), due(made, at, later=True)
    assert last <= at < following
    assert due(made, last, later=True) == following
    assert due(made, following, later=False) == following
    assert due(made, following - timedelta(microseconds=1), later=False) == last


@settings(max_examples=300)
@given(cases, st.integers(0, 3_600_000_000))
def test_it_is_the_same_whenever_a_process_looks(case: tuple[Schedule, datetime], later: int) -> None:
    made, at = case
    following = due(made, at, later=True)
    look = min(at + timedelta(microseconds=later), following - timedelta(microseconds=1))
    assert due(made, look, later=True) == following


@given(everys, instants)
def test_every_lies_on_the_grid_of_the_epoch(every: Every, at: datetime) -> None:
    found = due(every, at, later=True)
    assert (found - EPOCH - every.offset) % every.interval == timedelta()
    assert found.tzinfo is UTC


@given(crons())
def test_cron_never_comes_at_a_time_that_does_not_exist(case: tuple[Cron, datetime]) -> None:
    cron, at = case
    found = due(cron, at, later=True)
    zone = ZoneInfo(cron.timezone)
    wall = found.astimezone(zone)
    assert wall.astimezone(UTC) == found
    matches = due(Cron(cron.expression, "UTC"), wall.replace(tzinfo=UTC) - timedelta(seconds=1), later=True)
    skipped = (found - timedelta(seconds=1)).astimezone(zone).utcoffset() != wall.utcoffset()
    assert matches == wall.replace(tzinfo=UTC) or skipped


@pytest.mark.parametrize(
    ("expression", "zone", "start", "walls"),
    [
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", ["08 03:00", "09 02:30"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", ["01 01:30", "02 01:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["29 03:00", "30 02:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["25 02:30", "26 02:30"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T06:00Z", ["04 02:30", "05 02:15"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T06:00Z", ["05 01:45", "06 01:45"]),
        ("15 */2 * * *", "Australia/Lord_Howe", "2026-04-04T13:20Z", ["05 02:15", "05 04:15"]),
        ("0 9 * * 1", "America/New_York", "2026-03-06T12:00Z", ["09 09:00", "16 09:00"]),
        ("0 2,3 * * *", "America/New_York", "2026-03-08T05:00Z", ["08 03:00", "09 02:00"]),
    ],
)
def test_where_clocks_change_a_fixed_time_comes_once(
    expression: str, zone: str, start: str, walls: list[str]
) -> None:
    at, found = datetime.fromisoformat(start), []
    for _ in walls:
        at = due(Cron(expression, zone), at, later=True)
        found.append(f"{at.astimezone(ZoneInfo(zone)):%d %H:%M}")
    assert found == walls


@pytest.mark.parametrize("zone", ZONES)
def test_a_daily_time_comes_once_on_every_day_of_five_years(zone: str) -> None:
    for expression in ("30 1 * * *", "30 2 * * *"):
        found = between(
            Cron(expression, zone), datetime(2026, 1, 2, tzinfo=UTC), datetime(2031, 1, 2, tzinfo=UTC)
        )
        days = [at.astimezone(ZoneInfo(zone)).date() for at in found]
        assert all(b - a == timedelta(days=1) for a, b in pairwise(days))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-01", 24)])
def test_an_hourly_job_runs_in_every_hour_that_there_is(day: str, hours: int) -> None:
    zone = ZoneInfo("America/New_York")
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    end = (start + timedelta(days=1)).astimezone(UTC)
    found = between(Cron("5 * * * *", "America/New_York"), start.astimezone(UTC), end)
    assert len(found) == hours
    assert {b - a for a, b in pairwise(found)} == {timedelta(hours=1)}


def test_mondays_are_mondays() -> None:
    assert (
        f"{due(Cron('0 9 * * 1'), datetime(2026, 1, 1, tzinfo=UTC), later=True):%a %d %H:%M}"
        == "Mon 05 09:00"
    )


def test_what_waits_for_an_upstream_has_no_time_of_its_own() -> None:
    waits = After(("core.orders",))
    assert next_due(waits, EPOCH) is None
    assert last_due(waits, EPOCH) is None


def test_a_day_that_comes_once_in_four_years_is_found_both_ways() -> None:
    cron = Cron("0 0 29 2 *")
    assert due(cron, datetime(2026, 1, 1, tzinfo=UTC), later=True) == datetime(2028, 2, 29, tzinfo=UTC)
    assert due(cron, datetime(2026, 1, 1, tzinfo=UTC), later=False) == datetime(2024, 2, 29, tzinfo=UTC)


# ---------------------------------------------------------------------- what is due now

MORNING = datetime(2026, 11, 23, 5, 13, 21, tzinfo=UTC)
DAILY = Cron("30 2 * * *", "America/New_York")


def test_an_interval_begins_at_once_and_a_cron_waits_for_its_next_time() -> None:
    assert due_now(Every(timedelta(minutes=5)), MORNING, None) == MORNING.replace(minute=10, second=0)
    assert due_now(DAILY, MORNING, None) is None


def test_a_missed_time_is_made_up_for_and_a_run_one_is_not_run_again() -> None:
    missed = last_due(DAILY, MORNING)
    assert missed
    assert due_now(DAILY, MORNING, missed - timedelta(days=3)) == missed
    assert due_now(DAILY, MORNING, missed) is None


def test_a_schedule_that_is_edited_brings_back_no_time_before_the_last_look() -> None:
    assert due_now(DAILY, MORNING, MORNING - timedelta(seconds=21)) is None
