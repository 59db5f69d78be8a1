"""What policies cost, which are dearest, and when one is over its budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Acknowledge, Clear, Fire, Resolve
from bot.core.alert import Alert, Disposition, Work
from bot.core.change import Change
from bot.core.cost import WELL_WITHIN, Cost, over_budget, seconds, spent
from bot.core.step import step
from sensors.model.policy import Policy, Status
from tests.core.looking import TEAM, policy
from tests.core.making import DAY, HOUR, MINUTE, NOON

BUDGET = 10 * MINUTE
DEAR = policy(budget=BUDGET)
MINUTES = st.floats(0, 30, allow_nan=False)


def cost(minutes: float, runs: int = 10, name: str = DEAR.name) -> Cost:
    return Cost(name, 60 * minutes, runs, 1204)


def judged(
    alert: Alert | None, minutes: float | None, at: datetime, made: Policy = DEAR
) -> tuple[Alert | None, bool]:
    """What becomes of the alert, open or not, and whether anything did."""
    holder = alert if alert and alert.is_open else None
    action = over_budget(made, None if minutes is None else cost(minutes), holder, TEAM, at)
    outcome = step(alert, action, at) if action and (alert or isinstance(action, Fire)) else None
    return (outcome.alert, True) if isinstance(outcome, Change) else (alert, False)


@pytest.mark.parametrize(
    ("minutes", "says"),
    [(None, Clear), (0, Clear), (9, Clear), (9.1, type(None)), (10, type(None)), (10.01, Fire), (300, Fire)],
)
def test_it_is_over_when_it_took_more_and_no_more_when_it_is_well_within(
    minutes: float | None, says: type
) -> None:
    found = over_budget(DEAR, None if minutes is None else cost(minutes), None, TEAM, NOON)
    assert isinstance(found, says)


def test_the_owner_reads_the_figures_and_what_to_do() -> None:
    fire = over_budget(DEAR, cost(12.5, runs=288), None, TEAM, NOON)
    assert isinstance(fire, Fire)
    assert fire.title == (
        "payments.steering is over its budget: 12 min of warehouse time in 24 hours, 125% of 10 min"
    )
    assert fire.newest["advice"] == (
        "288 runs of 2.6 s on average gave 1,204 rows. It goes on as before. To spend less, let it look more"
        " rarely (`schedule`), at less time (`window`) or at fewer rows (its SQL); to allow more, raise"
        " `budget` in `policies/payments/steering.yml`."
    )
    assert (fire.terms.team, fire.key_values) == ("payments", {"policy": "payments.steering"})


@pytest.mark.parametrize(
    "made",
    [policy(), replace(DEAR, status=Status.draft), replace(DEAR, status=Status.retired)],
    ids=["none", "draft", "retired"],
)
def test_who_has_no_budget_or_does_not_run_is_not_over_it(made: Policy) -> None:
    assert over_budget(made, cost(300), None, TEAM, NOON) == Clear(NOON)


@given(st.lists(st.tuples(st.integers(0, 90), MINUTES), min_size=1, max_size=60))
def test_it_is_said_once_a_day_at_most_and_open_only_while_it_is_near_or_over(
    rounds: list[tuple[int, float]],
) -> None:
    """However the figures go up and down, from round to round."""
    alert, now, said = None, NOON, list[datetime]()
    for tens, minutes in rounds:
        now += tens * 10 * MINUTE
        was = alert
        alert, changed = judged(alert, minutes, now)
        if alert and alert.is_open:
            assert minutes > WELL_WITHIN * 10
            if changed and was and was.is_open:
                assert now - said[-1] >= DAY
            said += [now] if changed else []
        elif minutes > 10:
            raise AssertionError("it is over and nothing says so")


@given(MINUTES, st.timedeltas(timedelta(), 3 * DAY))
def test_who_has_resolved_it_hears_of_it_again_only_after_it_was_over(more: float, later: timedelta) -> None:
    alert, _ = judged(None, 12, NOON)
    assert alert
    for action in (Acknowledge("UANA"), Resolve("UANA", Disposition.benign, note="until Friday")):
        outcome = step(alert, action, NOON + HOUR)
        assert isinstance(outcome, Change)
        alert = outcome.alert
    still, changed = judged(alert, 10 + more, NOON + 2 * HOUR + later)
    assert (still, changed) == (alert, False)
    cleared, _ = judged(alert, 5, NOON + 3 * HOUR)
    again, _ = judged(cleared, 12, NOON + 4 * HOUR)
    assert again
    assert again.work is Work.open


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 1e6))), st.integers(1, 9))
def test_the_dearest_come_first_and_their_shares_are_of_all(
    given: list[tuple[str, float]], most: int
) -> None:
    costs = [Cost(name, took, 1) for name, took in dict(given).items()]
    found = spent(costs, most)
    assert len(found.dearest) == min(most, len(costs))
    left = [one.seconds for one in costs if one not in found.dearest]
    taken = [one.seconds for one in found.dearest]
    assert taken == sorted(taken, reverse=True)
    assert max(left, default=0) <= min(taken, default=0) or not left
    assert sum(map(found.share, costs)) == pytest.approx(1 if any(one.seconds for one in costs) else 0)


@pytest.mark.parametrize(
    ("span", "words"),
    [(0, "0.0 s"), (0.04, "less than 0.1 s"), (9.94, "9.9 s"), (12, "12 s"), (750, "12 min")],
)
def test_short_times_are_said_to_the_tenth(span: float, words: str) -> None:
    assert seconds(span) == words
