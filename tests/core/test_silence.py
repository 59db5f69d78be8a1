"""When a policy has been silent for too long, and what is told of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.silence import ONE_BY_ONE, Heard, looked_since, reason, silent_sensors
from sensors.model.policy import After, Cron, Every, Schedule
from sensors.model.run import RunStatus
from tests.core.looking import TEAM, policy
from tests.core.making import DAY, HOUR, MINUTE, NOON


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Every(MINUTE), NOON - 15 * MINUTE),
        (Every(5 * MINUTE), NOON - 15 * MINUTE),
        (Every(HOUR), NOON - 3 * HOUR),
        (Every(DAY), NOON - 3 * DAY),
        (Cron("0 9 * * *"), NOON - 3 * HOUR),
        (Cron("50 11 * * *"), NOON - DAY - 10 * MINUTE),  # its time has only just come
        (After(("core.orders",)), None),
    ],
)
def test_how_far_back_a_good_look_may_lie(schedule: Schedule, expected: object) -> None:
    assert looked_since(policy(schedule=schedule), NOON) == expected


def test_a_policy_that_may_take_long_is_given_the_time() -> None:
    slow = policy(schedule=Every(MINUTE), timeout=20 * MINUTE)
    assert looked_since(slow, NOON) == NOON - 40 * MINUTE


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (None, "it has never been run"),
        (Heard(RunStatus.succeeded, NOON), "Patrol has not come to it since 2026-01-05 12:00 UTC"),
        (Heard(RunStatus.skipped, NOON, "core.chat is late"), "it waits: core.chat is late"),
        (Heard(RunStatus.timed_out, NOON, "too slow"), "it fails: too slow"),
        (Heard(RunStatus.running, NOON), "one look has gone on since 2026-01-05 12:00 UTC"),
    ],
)
def test_the_reason_is_what_its_newest_run_tells(heard: Heard | None, said: str) -> None:
    assert reason(heard) == said


def test_each_is_told_to_its_owner_by_name() -> None:
    found = policy(schedule=Every(MINUTE))
    (fire,) = silent_sensors("payments", {found.name: (found, "it waits: core.chat is late")}, TEAM, NOON)
    assert fire.title == (
        "payments.steering ought to look every 1 min and has had no good look for far longer:"
        " it waits: core.chat is late"
    )
    assert (fire.terms.team, fire.key_values) == ("payments", {"policy": "payments.steering"})


def test_many_at_once_are_one_alert_for_their_cause_is_one() -> None:
    many = {f"p.{n}": (policy(name=f"p.{n}"), "it has never been run") for n in range(ONE_BY_ONE + 1)}
    (fire,) = silent_sensors("payments", many, TEAM, NOON)
    assert fire.title.startswith(
        "11 policies of payments have had no good look for far too long. p.0: it has"
    )
    assert (fire.count, fire.key_values) == (11, {"team": "payments"})
    few = dict(list(many.items())[:ONE_BY_ONE])
    assert len(silent_sensors("payments", few, TEAM, NOON)) == ONE_BY_ONE


def test_its_words_do_not_change_while_time_goes_by() -> None:
    found = policy(schedule=Every(MINUTE))
    asked = {found.name: (found, "it has never been run")}
    now, later = (silent_sensors("payments", asked, TEAM, NOON + n * timedelta(hours=1))[0] for n in (0, 1))
    assert now.title == later.title
