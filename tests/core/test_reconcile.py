"""From rows to alerts: every row is counted once, however the runs fall."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.action import Clear, Resolve
from bot.core.alert import Alert, Condition, Disposition, Lane
from bot.core.reconcile import KEPT_ROWS, masked, unknown_keys
from sensors.model.policy import AlertText, Grades, Now, Severity, Status, Threshold
from tests.core.looking import Runs, policy, row
from tests.core.making import ANA, DAY, HOUR, MINUTE, NOON, acknowledged, conditions, resolved

THREE_A_DAY = policy(threshold=Threshold(3, DAY))
STATE = policy(Now())
FALSE = Resolve(ANA, Disposition.false_positive)

Rows = list[dict[str, Any]]
some_rows = st.lists(
    st.tuples(st.integers(0, 72 * 60), st.sampled_from(["s_1", "s_2"]), st.sampled_from("abc")), max_size=25
).map(lambda found: [row(n, s, NOON + at * MINUTE, value=v) for n, (at, s, v) in enumerate(found)])


def split(rows: Rows, seed: int) -> list[Rows]:
    """The rows in any order, over any number of runs, some of them looked at twice."""
    random = Random(seed)
    mixed = random.sample(rows, len(rows))
    runs: list[Rows] = [[] for _ in range(random.randint(1, 6))]
    for one in mixed:
        random.choice(runs).append(one)
        if random.random() < 0.3:
            random.choice(runs).append(one)
    return runs


# ------------------------------------------------------------------------ events


@given(some_rows, st.integers(0, 999))
def test_the_same_rows_over_any_runs_give_the_same_count_as_in_one(rows: Rows, seed: int) -> None:
    once, often = Runs(THREE_A_DAY), Runs(THREE_A_DAY)
    once.run(*rows)
    for part in split(rows, seed):
        often.run(*part)
    assert often.counts == once.counts


@given(some_rows, st.integers(0, 999))
def test_the_same_holds_for_distinct_values(rows: Rows, seed: int) -> None:
    made = policy(threshold=Threshold(2, 6 * HOUR, distinct="value"))
    once, often = Runs(made), Runs(made)
    once.run(*rows)
    for part in split(rows, seed):
        often.run(*part)
    assert often.counts == once.counts


@given(some_rows, st.integers(0, 999))
def test_rows_that_were_seen_never_fire_again(rows: Rows, seed: int) -> None:
    runs = Runs(policy(threshold=Threshold(2, DAY)))
    for part in split(rows, seed):
        runs.run(*part)
    before = dict(runs.alerts)
    again = runs.run(*rows)
    assert (again.fired, again.remember) == ((), ())
    assert runs.alerts == before


@given(some_rows)
def test_what_was_resolved_is_not_reopened_by_its_own_rows(rows: Rows) -> None:
    runs = Runs(policy())
    runs.run(*rows)
    for key in runs.alerts:
        runs.act(key, Resolve(ANA, Disposition.true_positive))
    runs.run(*rows)
    assert runs.counts == {}


def test_three_rows_in_three_runs_are_three() -> None:
    runs = Runs(THREE_A_DAY)
    for number in (1, 2):
        runs.run(row(number))
        assert runs.counts == {}
    runs.run(row(3))
    assert runs.counts == {"s_1": 3}
    assert runs.alert().title == "s_1 did it 3 times"


def test_rows_that_lie_further_apart_than_within_do_not_add_up() -> None:
    runs = Runs(THREE_A_DAY)
    runs.run(row(1, at=NOON), row(2, at=NOON + HOUR), row(3, at=NOON + DAY))
    assert runs.counts == {}
    runs.run(row(4, at=NOON + DAY - MINUTE))
    assert runs.counts == {"s_1": 3}


def test_a_late_row_is_counted_where_it_belongs() -> None:
    runs = Runs(THREE_A_DAY)
    runs.run(row(1), row(3))
    runs.run(row(2))
    assert runs.counts == {"s_1": 3}


def test_a_row_long_after_says_how_many_there_are_in_all_and_never_fewer() -> None:
    runs = Runs(THREE_A_DAY)
    runs.run(*(row(n) for n in range(7)))
    runs.run(row(9, at=NOON + 3 * DAY))
    assert runs.counts == {"s_1": 7}
    assert runs.alert().title == "s_1 did it 7 times"


def test_rows_without_a_time_count_as_of_when_they_were_seen() -> None:
    runs = Runs(THREE_A_DAY)
    for number in range(3):
        runs.run({**row(number), "sent_at": None})
    assert runs.counts == {"s_1": 3}


def test_nothing_that_is_no_value_counts_as_a_distinct_one() -> None:
    runs = Runs(policy(threshold=Threshold(2, DAY, distinct="buyer")))
    runs.run(row(1, buyer="b_1"), row(2, buyer=None), row(3, buyer="b_1"))
    assert runs.counts == {}
    runs.run(row(4, buyer="b_2"))
    assert runs.counts == {"s_1": 2}


def test_without_within_the_rows_of_an_open_alert_add_up() -> None:
    runs = Runs(policy())
    runs.run(row(1), row(2))
    runs.run(row(2), row(3))
    assert runs.counts == {"s_1": 3}


# --------------------------------------------------------------- false positives


def test_a_false_positive_silences_its_own_rows_and_no_others() -> None:
    runs = Runs(THREE_A_DAY)
    runs.run(row(1), row(2), row(3))
    key = runs.alert().key
    runs.act(key, FALSE)
    runs.run(row(3), row(4), row(5))
    assert runs.counts == {}
    runs.run(row(6))
    assert runs.counts == {"s_1": 3}
    assert "last called false positive" in runs.alert().last_event


def test_rows_called_false_stay_silent_when_the_alert_is_open_again() -> None:
    runs = Runs(THREE_A_DAY)
    runs.run(*(row(n) for n in range(5)))
    runs.act(runs.alert().key, FALSE)
    runs.run(*(row(n) for n in range(10, 13)))
    assert runs.counts == {"s_1": 3}
    runs.run(row(13))
    assert runs.counts == {"s_1": 4}


# --------------------------------------------------------------------- conditions


def test_a_condition_fires_as_long_as_it_is_there_and_clears_when_it_is_gone() -> None:
    runs = Runs(STATE)
    runs.run(row(1), row(2, "s_2"))
    found = runs.run(row(1))
    assert [type(action) for _, action in found.actions] == [type(found.fired[0]), Clear]
    assert runs.alert("s_1").condition is Condition.firing
    assert runs.alert("s_2").condition is Condition.cleared
    runs.run(row(2, "s_2"))
    assert runs.alert("s_2").condition is Condition.firing


def test_a_condition_that_fell_under_its_threshold_has_cleared() -> None:
    runs = Runs(policy(Now(), threshold=Threshold(2)))
    runs.run(row(1), row(2))
    runs.run(row(1))
    assert runs.alert().condition is Condition.cleared


def test_a_result_that_was_cut_off_clears_nothing() -> None:
    runs = Runs(STATE)
    runs.run(row(1), row(2, "s_2"))
    runs.run(row(1), truncated=True)
    assert runs.alert("s_2").condition is Condition.firing


def test_a_failed_run_leaves_unknown_what_was_held_open_as_a_condition() -> None:
    def held(alert: Alert) -> tuple[str, ...]:
        return unknown_keys({"k": alert})

    state = conditions()
    assert held(acknowledged(terms=state)) == ("k",)
    assert held(acknowledged()) == ()
    assert held(resolved(terms=state)) == ()
    assert held(replace(acknowledged(terms=state), condition=Condition.unknown)) == ()


@given(st.lists(st.sets(st.sampled_from(["s_1", "s_2", "s_3"])), max_size=6))
def test_conditions_are_what_the_last_run_says(looks: list[set[str]]) -> None:
    runs = Runs(STATE)
    for there in looks:
        runs.run(*(row(n, seller) for n, seller in enumerate(sorted(there))))
        for alert in runs.alerts.values():
            firing = alert.key_values["seller_id"] in there
            assert alert.condition is (Condition.firing if firing else Condition.cleared)


# --------------------------------------------------------------- grades and lanes


def test_the_count_is_graded_and_so_may_a_column_be() -> None:
    graded = Grades(((Severity.low, 1), (Severity.high, 3)))
    runs = Runs(policy(severity=graded))
    runs.run(row(1))
    assert runs.alert().severity is Severity.low
    runs.run(row(2), row(3))
    assert runs.alert().severity is Severity.high
    by_amount = Runs(policy(severity=replace(graded, by="amount")))
    by_amount.run(row(1, amount=7))
    assert by_amount.alert().severity is Severity.high


@pytest.mark.parametrize("value", [None, "a lot", float("nan"), True, "", [1]])
def test_what_cannot_be_graded_is_of_the_lowest_grade(value: object) -> None:
    runs = Runs(policy(severity=Grades(((Severity.low, 1), (Severity.high, 3)), by="amount")))
    runs.run(row(1, amount=value))
    assert runs.alert().severity is Severity.low


def test_a_shadow_policy_opens_shadow_alerts() -> None:
    runs = Runs(policy(status=Status.shadow))
    runs.run(row(1))
    assert runs.alert().lane is Lane.shadow


# ------------------------------------------------------------------------- masking

SECRET = "hunter2-secret"
GUARDED = AlertText(
    "{{ seller_id }} wrote {{ body }} from {{ card }}", columns={"body": "mask", "card": "hide"}
)


@given(st.text("xyz0189@.", min_size=3, max_size=30), st.booleans())
def test_neither_masked_nor_hidden_values_leave_the_row(secret: str, many: bool) -> None:
    runs = Runs(policy(alert=GUARDED, max_alerts=1))
    rows = [row(n, f"s_{n}", body=secret, card=secret) for n in range(3 if many else 1)]
    found = runs.run(*rows)
    for fire in found.fired:
        assert secret not in repr((fire.title, fire.newest))
        assert secret not in repr(found.evidence)
        assert "card" not in fire.newest


@pytest.mark.parametrize("value", ["a", "ab", "abc", 7, 12, 123456, True, False, 3.5, ["a"], {"a": 1}, ""])
def test_a_short_value_is_not_shown_whole_by_its_mask(value: object) -> None:
    kept = masked(policy(alert=GUARDED), {"body": value})["body"]
    assert kept.endswith("•••")
    assert len(kept) - 3 <= len(str(value)) // 3
    assert not isinstance(value, bool | int | float) or kept == "•••"


def test_nothing_stays_nothing_and_a_long_value_shows_how_it_begins() -> None:
    shown = masked(policy(alert=GUARDED), {"body": None, "seller_id": "s_1"})
    assert shown == {"body": None, "seller_id": "s_1"}
    assert masked(policy(alert=GUARDED), {"body": SECRET}) == {"body": "hu•••"}


def test_a_flood_does_not_tell_the_values_of_masked_keys() -> None:
    made = policy(max_alerts=1, alert=replace(GUARDED, columns={"seller_id": "mask"}))
    found = Runs(made).run(*(row(n, f"{SECRET}{n}") for n in range(3)))
    (flood,) = found.fired
    assert SECRET not in repr((flood.newest, flood.title, found.evidence))


# ------------------------------------------------------------------------ evidence


def test_evidence_is_newest_first_and_bounded() -> None:
    runs = Runs(policy())
    found = runs.run(*(row(n) for n in range(KEPT_ROWS + 20)))
    (rows,) = found.evidence.values()
    assert [one["id"] for one in rows] == list(range(KEPT_ROWS + 19, 19, -1))


def test_evidence_of_events_is_only_what_is_new_and_of_conditions_all_there_is() -> None:
    events, state = Runs(policy()), Runs(STATE)
    for runs in (events, state):
        runs.run(row(1))
    assert [r["id"] for r in next(iter(events.run(row(1), row(2)).evidence.values()))] == [2]
    assert [r["id"] for r in next(iter(state.run(row(1), row(2)).evidence.values()))] == [2, 1]


def test_an_alert_that_opens_shows_what_an_earlier_look_had_counted_too() -> None:
    runs = Runs(THREE_A_DAY)
    for n in (1, 2):
        assert runs.run(*(row(one) for one in range(1, n + 1))).evidence == {}
    (shown,) = runs.run(row(1), row(2), row(3)).evidence.values()
    assert [one["id"] for one in shown] == [3, 2, 1]
    (more,) = runs.run(row(1), row(2), row(3), row(4)).evidence.values()
    assert [one["id"] for one in more] == [4]


def test_a_title_reckons_with_numbers_and_times_that_are_shown() -> None:
    reckoned = "{{ owed | round(1) }} and {{ owed / 2 }} at {{ sent_at }}, {{ hid }}"
    runs = Runs(policy(alert=AlertText(reckoned, columns={"hid": "mask"})))
    runs.run(row(1, at=NOON, owed=Decimal("600.25"), hid=Decimal(7)))
    assert runs.alert().title == "600.2 and 300.125 at 2026-01-05 12:00 UTC, •••"


def test_the_title_comes_from_the_newest_row() -> None:
    runs = Runs(policy(alert=AlertText("{{ body }} ({{ count }})")))
    runs.run(row(2, body="later"), row(1, body="earlier"))
    assert runs.alert().title == "later (2)"
    assert timedelta() < runs.alert().as_of - NOON
