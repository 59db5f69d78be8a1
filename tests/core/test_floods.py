"""More new keys than a policy may alert on are one alert for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.core.action import Resolve
from bot.core.alert import Condition, Disposition
from bot.core.reconcile import flood_key
from sensors.model.policy import Now, Threshold
from tests.core.looking import Runs, policy, row
from tests.core.making import ANA

STATE = policy(Now())
FALSE = Resolve(ANA, Disposition.false_positive)

Rows = list[dict[str, Any]]


def sellers(first: int, last: int) -> Rows:
    return [row(n, f"s_{n}") for n in range(first, last)]


def test_a_flood_opens_one_alert_for_all_new_keys_and_goes_on_with_the_known_ones() -> None:
    made = policy(max_alerts=3)
    runs = Runs(made)
    runs.run(row(0, "s_0"))
    found = runs.run(*sellers(0, 10), row(99, "s_0"))
    assert runs.counts == {"s_0": 2, flood_key(made.name): 9}
    assert runs.alerts[flood_key(made.name)].title == "Seller steers buyers away: 9 at once, more than 3"
    assert [one["id"] for one in found.evidence[flood_key(made.name)]] == list(range(9, 0, -1))
    again = runs.run(*sellers(0, 10))
    assert again.fired == ()


def test_the_rows_of_a_flood_are_those_of_the_new_keys_only() -> None:
    made = policy(Now(), max_alerts=3, threshold=Threshold(2))
    runs = Runs(made)
    runs.run(row(0, "s_0"), row(1, "s_0"))
    many = [one for n in range(4) for one in (row(10 * n + 10, f"s_{n + 1}"), row(10 * n + 11, f"s_{n + 1}"))]
    found = runs.run(row(0, "s_0"), row(1, "s_0"), *many, row(99, "s_lone"))
    shown = {one["seller_id"] for one in found.evidence[flood_key(made.name)]}
    assert shown == {"s_1", "s_2", "s_3", "s_4"}


def test_as_many_new_keys_as_allowed_are_no_flood() -> None:
    runs = Runs(policy(max_alerts=3))
    runs.run(*sellers(0, 3))
    assert len(runs.alerts) == 3


def test_a_key_in_a_flood_is_not_gone() -> None:
    """Resolved as a false positive, a condition holds until it clears: a flood around it is no clearing."""
    made = policy(Now(), max_alerts=3)
    runs = Runs(made)
    runs.run(row(0, "s_0"))
    runs.act(runs.alert("s_0").key, FALSE)
    runs.run(*sellers(0, 10))
    assert runs.alert("s_0").condition is Condition.firing
    runs.run(*sellers(0, 2))
    assert not runs.alert("s_0").is_open


def test_what_stays_resolved_makes_no_flood() -> None:
    runs = Runs(policy(Now()))
    runs.run(*sellers(0, 9))
    for key in runs.alerts:
        runs.act(key, FALSE)
    runs.policy = replace(runs.policy, max_alerts=3)
    runs.run(*sellers(0, 9))
    assert runs.counts == {}


def test_a_flood_of_conditions_that_was_resolved_stays_so_until_there_is_a_new_row() -> None:
    made = policy(Now(), max_alerts=3)
    runs = Runs(made)
    runs.run(*sellers(0, 10))
    runs.act(flood_key(made.name), Resolve(ANA, Disposition.true_positive))
    runs.run(*sellers(0, 10))
    assert not runs.alerts[flood_key(made.name)].is_open
    runs.run(*sellers(0, 11))
    assert runs.alerts[flood_key(made.name)].is_open


def test_a_flood_of_conditions_that_went_down_has_cleared() -> None:
    made = policy(Now(), max_alerts=3)
    runs = Runs(made)
    runs.run(*sellers(0, 10))
    runs.run(*sellers(0, 2))
    assert runs.alerts[flood_key(made.name)].condition is Condition.cleared
    assert set(runs.counts) == {"s_0", "s_1", flood_key(made.name)}
