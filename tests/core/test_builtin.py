"""A policy that cannot be relied on is a violation like any other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.action import Clear, Fire
from bot.core.builtin import broken_file, broken_key, broken_sensor, file_key, mended
from bot.core.change import Change
from bot.core.retry import TICKS, TIMEOUTS, TRIES
from bot.core.step import step
from sensors.model.policy import Severity
from sensors.model.run import Looked, RunStatus
from tests.core.looking import TEAM, looked, policy
from tests.core.making import HOUR, MINUTE, NOON, ladder

GOOD = looked(policy(), [], NOON)
FAILED = replace(GOOD, status=RunStatus.failed, error="there is no table core.chat")
PASSING = replace(FAILED, transient=True, error="the warehouse does not answer")


def said(result: Looked, failures: int = 1, tries: int = 0) -> Fire:
    found = broken_sensor(result, failures, tries or failures, TEAM, NOON)
    assert isinstance(found, Fire)
    return found


def test_a_good_run_clears_it() -> None:
    assert broken_sensor(GOOD, 0, 0, TEAM, NOON) == Clear(NOON)
    assert mended(NOON) == Clear(NOON)


def test_a_failed_run_says_why_to_the_owner() -> None:
    found = said(FAILED)
    assert found.title == "payments.steering cannot look: there is no table core.chat"
    assert (found.key, found.terms.team) == (broken_key("payments.steering"), "payments")
    assert (found.severity, found.terms.clear) == (Severity.medium, "always")


def test_what_may_pass_by_itself_is_told_after_some_patience() -> None:
    assert broken_sensor(PASSING, TICKS - 1, TICKS - 1, TEAM, NOON) is None
    assert said(PASSING, TICKS).count == TICKS


def test_a_run_that_is_tried_again_and_again_is_told_before_its_next_tick() -> None:
    assert broken_sensor(PASSING, 1, TRIES - 1, TEAM, NOON) is None
    assert said(PASSING, 1, TRIES).title.endswith("cannot look: the warehouse does not answer")
    slow = replace(PASSING, status=RunStatus.timed_out, error="the query took longer than 5 min")
    assert broken_sensor(slow, 1, TIMEOUTS - 1, TEAM, NOON) is None
    assert "longer than 5 min" in said(slow, 1, TIMEOUTS).title


def test_rows_that_cannot_be_counted_are_told_and_how_they_look() -> None:
    found = said(replace(GOOD, bad_rows=("row 2 has no seller_id, which the key needs",)))
    assert (
        found.title
        == "payments.steering 1 row cannot be counted: row 2 has no seller_id, which the key needs"
    )
    two = said(replace(GOOD, bad_rows=("row 2 has no seller_id", "row 3 has no seller_id")))
    assert "2 rows cannot be counted" in two.title


def test_a_broken_file_is_another_key_than_a_broken_run() -> None:
    found = broken_file("payments.steering", "payments", "line 3: what is this", TEAM, NOON)
    assert found.key == file_key("payments.steering") != broken_key("payments.steering")
    assert found.title == "payments.steering does not load: line 3: what is this"
    assert (found.count, found.newest["why"]) == (1, "does not load: line 3: what is this")


def test_it_climbs_the_ladder_of_the_team() -> None:
    steps = ladder((0, "lead"))
    team = replace(TEAM, ladders={Severity.medium: steps}, acknowledged_for=HOUR)
    found = broken_sensor(FAILED, 1, 1, team, NOON)
    assert isinstance(found, Fire)
    assert (found.terms.ladder, found.terms.acknowledged_for) == (steps, HOUR)


def test_it_opens_once_closes_itself_and_opens_again() -> None:
    opened = step(None, said(FAILED), NOON)
    assert isinstance(opened, Change)
    alert = replace(opened.alert, id=7)
    assert not isinstance(step(alert, said(FAILED), NOON), Change)
    closed = step(alert, Clear(NOON + MINUTE), NOON + MINUTE)
    assert isinstance(closed, Change)
    assert not closed.alert.is_open
    again = step(closed.alert, replace(said(FAILED), as_of=NOON + HOUR), NOON + HOUR)
    assert isinstance(again, Change)
    assert again.alert.reopened == 1


@pytest.mark.parametrize("team", [None, TEAM])
def test_whatever_is_long_is_cut(team: object) -> None:
    found = broken_file("p", "payments", "x" * 999, team, NOON)  # type: ignore[arg-type]
    assert len(found.title) == 200
