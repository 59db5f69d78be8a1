"""Who stands in for whom: reckoned on top of the rotation, in the order in which it was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.cover import Cover
from bot.core.oncall import duties, following, on_call, people
from sensors.model.team import Rotation
from tests.core.making import DAY, HOUR, NOON
from tests.core.test_oncall import TEAM

TURNING = replace(TEAM, rotation=Rotation(("ana", "bo"), DAY, NOON))


def cover(n: int, person: str, instead_of: str | None, start: float, hours: float) -> Cover:
    since = NOON + start * HOUR
    return Cover(n, "payments", person, instead_of, since, since + hours * HOUR, "UANA", NOON)


def held(covers: list[Cover], *at: float) -> list[str]:
    return [" ".join(on_call(TURNING, NOON + hours * HOUR, covers)) for hours in at]


def test_a_cover_holds_for_its_time_and_only_in_the_place_of_that_one() -> None:
    for_ana = [cover(1, "UCY", "UANA", 20, 6)]
    assert held(for_ana, 19, 20, 23.9, 24, 25.9) == ["UANA", "UCY", "UCY", "UBO", "UBO"]


def test_who_takes_over_holds_whoever_s_turn_it_is() -> None:
    assert held([cover(1, "UCY", None, 20, 6)], 19, 20, 24, 25.9, 26) == ["UANA", "UCY", "UCY", "UCY", "UBO"]


def test_one_can_cover_for_who_covers_and_take_back_what_was_taken() -> None:
    chain = [cover(1, "UBO", "UANA", 1, 4), cover(2, "UCY", "UBO", 2, 1)]
    assert held(chain, 0, 1, 2, 3, 5) == ["UANA", "UBO", "UCY", "UBO", "UANA"]
    back = [cover(1, "UCY", None, 1, 4), cover(2, "UANA", None, 2, 1)]
    assert held(back, 1, 2, 3) == ["UCY", "UANA", "UCY"]


def test_what_was_ended_early_no_longer_holds_and_another_team_s_never() -> None:
    ended = replace(cover(1, "UCY", None, 1, 4), ended_at=NOON + 2 * HOUR)
    assert held([ended], 1, 2, 3) == ["UCY", "UANA", "UANA"]
    assert held([replace(cover(1, "UCY", None, 1, 4), team="chat")], 2) == ["UANA"]


def test_who_is_next_knows_of_covers() -> None:
    coming = following(TURNING, NOON, [cover(1, "UCY", "UANA", 2, 1)])
    assert coming is not None
    assert (coming.people, coming.start, coming.end) == (("UCY",), NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert people("oncall", TURNING, NOON + 2 * HOUR, [cover(1, "UCY", "UANA", 2, 1)]) == ("UCY",)


COVERS = st.lists(
    st.tuples(
        st.sampled_from(["UANA", "UBO", "UCY"]),
        st.sampled_from([None, "UANA", "UBO", "UCY"]),
        st.integers(-30, 60),
        st.integers(1, 40),
    ),
    max_size=5,
)


@given(COVERS)
def test_however_people_stand_in_there_is_always_one_and_the_week_shows_it(
    asked: list[tuple[str, str | None, int, int]],
) -> None:
    covers = [cover(n, *one) for n, one in enumerate(asked)]
    found = list(duties(TURNING, NOON, NOON + 4 * DAY, covers))
    assert (found[0].start, found[-1].end) == (NOON, NOON + 4 * DAY)
    for one in found:
        for moment in (one.start, one.start + (one.end - one.start) / 2, one.end - timedelta(seconds=1)):
            assert on_call(TURNING, moment, covers) == one.people
        assert len(one.people) == 1
