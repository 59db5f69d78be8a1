"""When a shift ends, who hands over to whom, and what."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge, SnoozeFor, Unknown
from bot.core.alert import Lane
from bot.core.cover import Cover
from bot.core.handoff import KEPT, LATE_AT_MOST, asked, burden, ended
from sensors.model.policy import Severity
from sensors.model.team import NOBODY, Hours, Override, Rotation
from tests.core.making import ANA, DAY, HOUR, MINUTE, NOON, conditions, done, fire, opened
from tests.core.test_oncall import TEAM

DAILY = replace(TEAM, rotation=Rotation(("ana", "bo"), DAY, NOON))
LONG_AGO = NOON - 30 * DAY


def test_at_the_end_of_a_turn_there_is_one_handoff_for_an_hour() -> None:
    at = NOON + DAY
    found = [ended(DAILY, LONG_AGO, at + n * MINUTE) for n in (-1, 0, 1, 60, 61)]
    assert [one and (one.leaving, one.taking) for one in found] == [
        None,
        (("UANA",), ("UBO",)),
        (("UANA",), ("UBO",)),
        (("UANA",), ("UBO",)),
        None,
    ]
    assert len({one.shift for one in found if one}) == 1
    assert timedelta(hours=1) == LATE_AT_MOST


def test_what_ended_before_patrol_was_there_is_none_of_its_shifts() -> None:
    assert ended(DAILY, NOON + DAY, NOON + DAY + MINUTE) is None
    assert ended(DAILY, NOON + DAY - MINUTE, NOON + DAY + MINUTE) is not None


def test_who_really_was_and_is_on_call_hands_over_and_takes_over() -> None:
    def cover(n: int, person: str, instead_of: str, start: float) -> Cover:
        return Cover(n, "payments", person, instead_of, NOON + start * HOUR, NOON + 30 * HOUR, "UANA", NOON)

    at = NOON + DAY
    found = ended(DAILY, LONG_AGO, at, [cover(1, "UCY", "UANA", 20)])
    assert found
    assert (found.leaving, found.taking) == (("UCY",), ("UBO",))
    both = [cover(1, "UCY", "UANA", 20), cover(2, "UCY", "UBO", 20)]
    assert ended(DAILY, LONG_AGO, at, both) is None  # nobody hands over to himself
    assert ended(DAILY, LONG_AGO, NOON + 20 * HOUR, both) is None  # nor is a cover a shift


def test_an_override_is_a_shift_and_the_end_of_the_hours_is_none() -> None:
    team = replace(DAILY, overrides=(Override("cy", NOON + 4 * HOUR, NOON + 6 * HOUR),))
    found = [ended(team, LONG_AGO, NOON + n * HOUR) for n in (4, 6)]
    assert [one and (one.leaving, one.taking) for one in found] == [
        (("UANA",), ("UCY",)),
        (("UCY",), ("UANA",)),
    ]
    office = replace(DAILY, hours=Hours(frozenset(range(7)), time(9), time(18), NOBODY))
    assert ended(office, LONG_AGO, NOON + 6 * HOUR) is None
    assert ended(office, LONG_AGO, NOON + DAY) is not None


def test_without_anybody_to_hand_over_to_there_is_none() -> None:
    for alone in (replace(TEAM, rotation=Rotation(("bo",))), TEAM):
        assert ended(alone, LONG_AGO, NOON + 7 * DAY) is None
        assert asked(alone, ANA, NOON) is None


def test_asked_for_shortly_before_the_end_it_is_that_of_the_shift() -> None:
    at_the_end = ended(DAILY, LONG_AGO, NOON + DAY)
    early, soon = (asked(DAILY, ANA, NOON + DAY - span) for span in (3 * HOUR, HOUR))
    assert at_the_end
    assert soon
    assert early
    assert soon.shift == at_the_end.shift != early.shift
    assert (early.leaving, early.taking) == (("UANA",), ("UBO",))


@given(st.integers(0, 10 * 365 * 24 * 60))
def test_whenever_one_looks_within_the_hour_the_same_shift_has_ended(minutes: int) -> None:
    """Two processes, or one that comes late, mean the same handoff."""
    now = NOON + minutes * MINUTE
    found = ended(DAILY, LONG_AGO, now)
    since = (now - NOON) % DAY
    if since <= LATE_AT_MOST:
        assert found
        assert found.shift == f"until {(now - since).isoformat()}"
        assert found.leaving != found.taking
    else:
        assert found is None


def test_what_is_handed_over_is_sorted_and_counted() -> None:
    waiting = [opened(fire(severity=severity)) for severity in (Severity.low, Severity.critical)]
    waiting = [replace(alert, id=n + 1) for n, alert in enumerate(waiting)]
    taken = replace(done(opened(), Acknowledge(ANA)).alert, id=3)
    asleep = [replace(done(opened(), SnoozeFor(ANA, NOON + n * HOUR)).alert, id=3 + n) for n in (2, 1)]
    late = replace(done(opened(fire(terms=conditions())), Unknown("late")).alert, id=6)
    shadow = replace(opened(fire(lane=Lane.shadow)), id=7)
    found = burden([*waiting, taken, *asleep, late, shadow])
    assert [one.alert for one in found.waiting] == [2, 6, 1]
    assert [one.alert for one in found.taken] == [3]
    assert [one.alert for one in found.snoozed] == [4, 5]
    assert [one.alert for one in found.late] == [6]
    assert found.more == 0
    many = burden([replace(waiting[0], id=n) for n in range(1, KEPT + 8)])
    assert (len(many.waiting), many.more) == (KEPT, 7)
