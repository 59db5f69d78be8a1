"""A hole is what a policy was meant to look at and did not; a pause by design is none."""

from __future__ import annotations

from datetime import timedelta

from bot.core.gaps import account, backfill
from bot.core.ledger import Stretch
from sensors.model.policy import Cron, Every, Trailing
from tests.core.looking import policy
from tests.core.making import DAY, HOUR, MINUTE, NOON

EVENTS = policy()


def hours(start: float, end: float) -> Stretch:
    return Stretch(NOON + start * HOUR, NOON + end * HOUR)


def test_what_lies_between_two_looks_is_a_hole() -> None:
    looked = (hours(0, 2), hours(5, 6))
    found = account(EVENTS, looked, looked)
    assert (found.until, found.holes) == (NOON + 6 * HOUR, (hours(2, 5),))


def test_a_backfill_fills_a_hole_in_part_or_whole() -> None:
    looked = (hours(0, 2), hours(5, 6))
    assert account(EVENTS, looked, [*looked, hours(2, 4)]).holes == (hours(4, 5),)
    assert account(EVENTS, looked, [*looked, hours(1, 5)]).holes == ()


def test_a_backfill_of_a_time_before_the_beginning_makes_no_hole() -> None:
    looked = (hours(0, 2),)
    found = account(EVENTS, looked, [*looked, hours(-100, -90)])
    assert (found.holes, found.looked) == ((), looked)


def test_a_policy_that_never_looked_has_no_holes() -> None:
    found = account(EVENTS, (), [hours(-9, -8)])
    assert (found.until, found.holes) == (None, ())


def test_a_hole_is_told_only_as_far_as_it_reaches_after_since() -> None:
    looked = (hours(0, 2), hours(5, 6))
    assert account(EVENTS, looked, looked, NOON + 4 * HOUR).holes == (hours(4, 5),)
    assert account(EVENTS, looked, looked, NOON + 5 * HOUR).holes == ()


def test_a_trailing_window_that_is_always_looked_at_has_holes_after_an_outage() -> None:
    hourly = policy(Trailing("sent_at", HOUR), schedule=Every(HOUR))
    looked = (hours(0, 2), hours(5, 6))
    assert account(hourly, looked, looked).holes == (hours(2, 5),)


def test_what_a_short_trailing_window_leaves_out_by_design_is_no_hole() -> None:
    daily = policy(Trailing("sent_at", HOUR), schedule=Every(DAY, offset=12 * HOUR))
    looked = (hours(-1, 0), hours(23, 24), hours(71, 72))
    assert account(daily, looked, looked).holes == (hours(47, 48),)


def test_a_trailing_window_over_office_days_misses_no_weekend() -> None:
    office = policy(Trailing("sent_at", DAY), schedule=Cron("0 12 * * 1-5"))
    friday = NOON + 4 * DAY
    looked = (Stretch(NOON - DAY, friday), Stretch(friday + 2 * DAY, friday + 3 * DAY))
    assert account(office, looked, looked).holes == ()


def test_the_command_rounds_outwards_to_seconds() -> None:
    hole = Stretch(NOON + timedelta(microseconds=1), NOON + MINUTE + timedelta(microseconds=1))
    assert backfill("a.b", hole) == "patrol backfill a.b 2026-01-05T12:00:00Z 2026-01-05T12:01:01Z"
    assert backfill("a.b", hours(0, 1)) == "patrol backfill a.b 2026-01-05T12:00:00Z 2026-01-05T13:00:00Z"
