"""Exactly one person is on call at any time, and hands over at the same time of the wall's clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.oncall import changes, duties, following, names, now_and_next, on_call, people
from bot.core.rotation import turn
from sensors.model.clock import exists, instant
from sensors.model.team import NOBODY, Hours, Member, Override, Role, Rotation, Team
from tests.core.making import DAY, HOUR, MINUTE, NOON

# Lord Howe's clocks move by half an hour; Santiago's jump over midnight; two are south of the equator.
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata")
TEN_YEARS = 3653 * DAY
ANA, BO = Member("ana", "UANA"), Member("bo", "UBO")
CY = Member("cy", "UCY", frozenset({Role.lead}))
TEAM = Team("payments", "C1", "C2", (ANA, BO, CY))


def wall(text: str, zone: str) -> datetime:
    """The moment at which the clocks of the zone say so."""
    return instant(datetime.fromisoformat(text), ZoneInfo(zone))


def turning(zone: str, anchor: str, length: timedelta = 7 * DAY, *members: str) -> Team:
    """A team whose turns began at `anchor` on the wall of the zone."""
    turns = Rotation(members or ("ana", "bo", "cy"), length, wall(anchor, zone), zone)
    return replace(TEAM, rotation=turns)


def named(team: Team, at: datetime) -> str:
    (slack,) = on_call(team, at)
    return names({"": team})[slack]


def handoffs(team: Team, start: datetime, end: datetime, look: timedelta) -> list[datetime]:
    """When who is on call changed, to the minute, found by looking alone."""
    found, at, now = [], start, named(team, start)
    while at < end:
        following = named(team, at + look)
        if following != now:
            low, high = at, at + look
            while high - low > MINUTE:
                middle = low + (high - low) // 2
                low, high = (middle, high) if named(team, middle) == now else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
            now = following
        at += look
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_over_ten_years_every_handoff_is_on_monday_at_nine_on_the_wall(zone: str) -> None:
    start = wall("2026-01-05T15:00", zone)
    team = turning(zone, "2026-01-05T09:00")
    found = handoffs(team, start, start + TEN_YEARS, DAY)
    assert {f"{at.astimezone(ZoneInfo(zone)):%a %H:%M}" for at in found} == {"Mon 09:00"}
    assert len(found) == TEN_YEARS // (7 * DAY)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("length", "hour"), [(7 * DAY, "00:00"), (DAY, "02:15"), (12 * HOUR, "08:00")])
def test_ten_years_of_turns_in_order_fair_and_without_a_gap(zone: str, length: timedelta, hour: str) -> None:
    start = wall(f"2026-01-05T{hour}", zone)
    end = instant(start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + TEN_YEARS, ZoneInfo(zone))
    team = turning(zone, f"2026-01-05T{hour}", length)
    found = list(duties(team, start, end))
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == after.start for one, after in pairwise(found))
    assert [one.people for one in found] == [
        (("UANA",), ("UBO",), ("UCY",))[n % 3] for n in range(len(found))
    ]
    for one in found:
        on_the_wall = one.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        meant = datetime.fromisoformat(f"2026-01-05T{hour}") + (turn_number(team, one.start) * length)
        assert on_the_wall == meant or not exists(meant, ZoneInfo(zone))
        assert abs((one.end - one.start) - length) <= HOUR or one is found[-1]
    shares = Counter[str]()
    for one in found:
        shares[one.people[0]] += round((one.end - one.start).total_seconds())
    assert max(shares.values()) - min(shares.values()) <= (length + 20 * HOUR).total_seconds()


def turn_number(team: Team, at: datetime) -> int:
    assert team.rotation
    return turn(team.rotation, at).number


MOMENTS = st.integers(0, 10 * 365 * 86_400).map(lambda s: NOON + timedelta(seconds=s))
LENGTHS = st.sampled_from([HOUR, 8 * HOUR, DAY, 36 * HOUR, 7 * DAY])
OFFICE = Hours(frozenset(range(5)), time(9), time(18), NOBODY)
NIGHTS = Hours(frozenset({4, 5}), time(22), time(6), "lead")


@given(MOMENTS, st.sampled_from(ZONES), LENGTHS, st.sampled_from([None, OFFICE, NIGHTS]))
def test_who_is_next_is_who_one_comes_to_by_stepping(
    at: datetime, zone: str, length: timedelta, hours: Hours | None
) -> None:
    holiday = Override("cy", at + 3 * HOUR, at + 5 * HOUR)
    team = replace(turning(zone, "2026-01-05T01:30", length), hours=hours, overrides=(holiday,))
    now_on, coming = on_call(team, at), following(team, at)
    assert coming is not None
    moment = at
    while (step := changes(team, moment)) is not None and on_call(team, step) == now_on:
        assert on_call(team, moment + (step - moment) / 2) == now_on
        moment = step
    assert step == coming.start == now_and_next(team, at)[0].end
    assert on_call(team, step) == coming.people != now_on
    assert on_call(team, step - timedelta(seconds=1)) == now_on


@given(MOMENTS, st.sampled_from(ZONES), LENGTHS)
def test_outside_hours_it_is_the_declared_nobody_and_else_one_person(
    at: datetime, zone: str, length: timedelta
) -> None:
    team = replace(turning(zone, "2026-01-05T09:00", length), hours=OFFICE)
    clock = at.astimezone(ZoneInfo(zone))
    at_work = clock.weekday() < 5 and time(9) <= clock.time() < time(18)
    assert len(on_call(team, at)) == at_work
    assert people("oncall", team, at) == (on_call(team, at) or ("UCY",))  # never nobody is told: the lead


@pytest.mark.parametrize("anchor", ["2026-01-05T01:30", "2026-01-05T02:30", "2026-01-05T02:00"])
@pytest.mark.parametrize("zone", ZONES)
def test_where_clocks_change_at_the_handoff_there_is_one_handoff_still(zone: str, anchor: str) -> None:
    assert exists(datetime.fromisoformat(anchor), ZoneInfo(zone))
    team = turning(zone, anchor, DAY)
    for month in (3, 4, 10, 11):
        start = datetime(2026, month, 1, 0, 7, tzinfo=UTC)
        found = handoffs(team, start, start + 30 * DAY, HOUR)
        days = [at.astimezone(ZoneInfo(zone)).date() for at in found]
        assert all(b - a == DAY for a, b in pairwise(days))
        assert len(days) >= 29


@given(st.integers(-400, 4000), st.integers(0, 86_399), st.sampled_from(ZONES), st.integers(1, 40))
def test_there_is_always_somebody_also_before_the_rotation_began(
    days: int, seconds: int, zone: str, hours: int
) -> None:
    team = turning(zone, "2026-01-05T09:00", hours * HOUR)
    assert named(team, NOON + timedelta(days=days, seconds=seconds)) in ("ana", "bo", "cy")


def test_turns_go_round_in_their_order() -> None:
    team = turning("UTC", "2026-01-05T09:00")
    assert [named(team, NOON + n * 7 * DAY) for n in range(4)] == ["ana", "bo", "cy", "ana"]
    assert named(team, NOON - 4 * HOUR) == "cy"


def test_without_a_rotation_it_is_the_first_member() -> None:
    assert on_call(TEAM, NOON) == ("UANA",)
    assert on_call(replace(TEAM, members=()), NOON) == ()


def test_without_an_anchor_turns_are_counted_from_a_monday() -> None:
    berlin = replace(TEAM, rotation=Rotation(timezone="Europe/Berlin", handoff=time(8)))
    found = list(duties(berlin, NOON, NOON + 30 * DAY))
    starts = [one.start.astimezone(ZoneInfo("Europe/Berlin")) for one in found[1:]]
    assert {f"{start:%a %H:%M}" for start in starts} == {"Mon 08:00"}
    assert len({one.people for one in found}) == 3  # nobody is named: all members take turns


def test_references_are_people() -> None:
    assert people("oncall", TEAM, NOON) == ("UANA",)
    assert people("team", TEAM, NOON) == ("UANA", "UBO", "UCY")
    assert people("lead", TEAM, NOON) == ("UCY",)
    assert people("bo", TEAM, NOON) == ("UBO",)
    assert people("U0STRANGER", TEAM, NOON) == ("U0STRANGER",)
    assert people("nobody", TEAM, NOON) == ()


def test_a_team_without_a_lead_is_its_own_lead() -> None:
    assert people("lead", replace(TEAM, members=(ANA, BO)), NOON) == ("UANA", "UBO")


def test_a_handover_that_clocks_jump_over_is_at_the_jump_and_one_that_comes_twice_the_first_time() -> None:
    team = turning("America/New_York", "2026-01-05T02:30", DAY)
    spring, autumn = datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    assert [one.start for one in duties(team, spring, spring + DAY)][1:] == [spring + 7 * HOUR]  # 03:00 EDT
    early = turning("America/New_York", "2026-01-05T01:30", DAY)
    assert [one.start for one in duties(early, autumn, autumn + DAY)][1:] == [autumn + 5.5 * HOUR]  # EDT


def test_turns_as_short_as_the_jump_are_left_out_with_it() -> None:
    half = turning("America/New_York", "2026-01-05T00:00", HOUR / 2, "ana", "bo")
    before = datetime(2026, 3, 8, 6, 45, tzinfo=UTC)  # 01:45 EST; 02:00 and 02:30 are never said
    found = [(one.start, one.people[0]) for one in duties(half, before, before + HOUR)]
    assert found == [
        (before, "UBO"),
        (before + 15 * MINUTE, "UANA"),  # 03:00 EDT
        (before + 45 * MINUTE, "UBO"),
    ]


def test_an_override_goes_before_turn_and_hours_and_of_two_the_later() -> None:
    bo = Override("bo", NOON, NOON + 2 * HOUR)
    cy = Override("cy", NOON + HOUR, NOON + 3 * HOUR)
    team = replace(turning("UTC", "2026-01-05T09:00"), overrides=(bo, cy))
    found = [(one.people, one.why) for one in duties(team, NOON - HOUR, NOON + 4 * HOUR)]
    assert found == [
        (("UANA",), "turn"),
        (("UBO",), "override"),
        (("UCY",), "override"),
        (("UANA",), "turn"),
    ]
    closed = replace(team, hours=Hours(frozenset({6}), time(9), time(10), NOBODY))
    assert on_call(closed, NOON) == ("UBO",)
    assert on_call(closed, NOON + 4 * HOUR) == ()


def test_hours_over_midnight_belong_to_the_day_they_begin_on() -> None:
    nights = replace(turning("UTC", "2026-01-05T09:00"), hours=NIGHTS)  # Friday and Saturday
    friday = NOON + 4 * DAY
    held = [on_call(nights, friday + n * HOUR) for n in (0, 10, 17, 18, 34, 41, 42)]
    assert held == [("UCY",), ("UANA",), ("UANA",), ("UCY",), ("UANA",), ("UANA",), ("UCY",)]


def test_where_it_stays_the_same_person_nobody_is_next() -> None:
    alone = replace(TEAM, rotation=Rotation(("bo",)))
    assert following(alone, NOON) is None
    assert following(TEAM, NOON) is None
    held, coming = now_and_next(alone, NOON)
    assert (held.people, coming) == (("UBO",), None)


def test_where_nobody_has_the_turn_the_lead_is_called() -> None:
    gone = replace(TEAM, rotation=Rotation(("dee",)))
    assert people("oncall", gone, NOON) == ("UCY",)


def test_somebody_named_by_slack_is_told_although_his_team_is_gone() -> None:
    assert people("UANA", None, NOON) == ("UANA",)
    assert people("oncall", None, NOON) == ()


def test_everybody_has_a_name() -> None:
    assert names({"payments": TEAM}) == {"UANA": "ana", "UBO": "bo", "UCY": "cy"}
