"""Exactly one person is on call at any time, and hands over at the same time of the wall's clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.oncall import names, on_call, people
from sensors.model.team import Member, Role, Rotation, Team
from tests.core.making import DAY, HOUR, MINUTE, NOON

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")
ANA, BO = Member("ana", "UANA"), Member("bo", "UBO")
CY = Member("cy", "UCY", frozenset({Role.lead}))
TEAM = Team("payments", "C1", "C2", (ANA, BO, CY))


def turning(zone: str, anchor: str, length: timedelta = 7 * DAY, *members: str) -> Team:
    """A team whose turns began at `anchor` on the wall of the zone."""
    turns = Rotation(members or ("ana", "bo", "cy"), length, datetime.fromisoformat(f"{anchor}+00:00"), zone)
    return replace(TEAM, rotation=turns)


def named(team: Team, at: datetime) -> str:
    member = on_call(team, at)
    assert member is not None
    return member.name


def handoffs(team: Team, start: datetime, end: datetime, look: timedelta) -> list[datetime]:
    """When who is on call changed, to the minute."""
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
@pytest.mark.parametrize(("length", "look"), [(7 * DAY, 12 * HOUR), (DAY, 6 * HOUR)])
def test_over_ten_years_every_handoff_is_at_nine_on_the_wall(
    zone: str, length: timedelta, look: timedelta
) -> None:
    start = datetime(2026, 1, 5, 15, tzinfo=UTC)
    team = turning(zone, "2026-01-05T09:00", length)
    found = handoffs(team, start, start + 3653 * DAY, look)
    walls = [at.astimezone(ZoneInfo(zone)) for at in found]
    assert {f"{wall:%H:%M}" for wall in walls} == {"09:00"}
    assert len(found) == 3653 * DAY // length
    if length == 7 * DAY:
        assert {f"{wall:%a}" for wall in walls} == {"Mon"}


@pytest.mark.parametrize("anchor", ["2026-01-05T01:30", "2026-01-05T02:30", "2026-01-05T02:00"])
@pytest.mark.parametrize("zone", ZONES)
def test_where_clocks_change_at_the_handoff_there_is_one_handoff_still(zone: str, anchor: str) -> None:
    team = turning(zone, anchor, DAY)
    for month in (3, 4, 10, 11):
        start = datetime(2026, month, 1, 0, 7, tzinfo=UTC)
        found = handoffs(team, start, start + 30 * DAY, 10 * MINUTE)
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
    assert on_call(TEAM, NOON) == ANA
    assert on_call(replace(TEAM, members=()), NOON) is None
    unanchored = replace(TEAM, rotation=Rotation(("bo", "cy")))
    assert on_call(unanchored, NOON) == BO


def test_references_are_people() -> None:
    assert people("oncall", TEAM, NOON) == ("UANA",)
    assert people("team", TEAM, NOON) == ("UANA", "UBO", "UCY")
    assert people("lead", TEAM, NOON) == ("UCY",)
    assert people("bo", TEAM, NOON) == ("UBO",)
    assert people("U0STRANGER", TEAM, NOON) == ("U0STRANGER",)
    assert people("nobody", TEAM, NOON) == ()


def test_a_team_without_a_lead_is_its_own_lead() -> None:
    assert people("lead", replace(TEAM, members=(ANA, BO)), NOON) == ("UANA", "UBO")


def test_where_nobody_has_the_turn_the_lead_is_called() -> None:
    gone = replace(TEAM, rotation=Rotation(("dee",)))
    assert people("oncall", gone, NOON) == ("UCY",)


def test_somebody_named_by_slack_is_told_although_his_team_is_gone() -> None:
    assert people("UANA", None, NOON) == ("UANA",)
    assert people("oncall", None, NOON) == ()


def test_everybody_has_a_name() -> None:
    assert names({"payments": TEAM}) == {"UANA": "ana", "UBO": "bo", "UCY": "cy"}
