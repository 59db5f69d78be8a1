"""When a policy in shadow has earned `live`, and when a live one is noisy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.action import Clear, Fire
from bot.core.alert import Disposition, FalseCause, Lane
from bot.core.builtin_earned import earned_live, noisy_policy
from bot.core.earned import Record, Rule, Verdict, figures, missing, noise, record
from bot.core.score import Share
from bot.core.version import alerts_the_same
from sensors.model.policy import Status
from tests.core.looking import TEAM, policy
from tests.core.making import DAY, HOUR, NOON

RULE = Rule()
TP, FP = Disposition.true_positive, Disposition.false_positive
COUNT = st.integers(0, 60)
quick = settings(deadline=None, max_examples=150, derandomize=True)


def found(right: int, wrong: int, days: int = 10, opened: int | None = None) -> Record:
    return Record(right, wrong, right + wrong if opened is None else opened, span=days * DAY)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (8, 10, 0.490, 0.943),
        (0, 10, 0.0, 0.278),
        (10, 10, 0.722, 1.0),
        (62, 100, 0.522, 0.709),
    ],
)
def test_wilsons_interval_is_the_known_one(right: int, of: int, low: float, high: float) -> None:
    assert Share(right, of).interval == (pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.001))


@pytest.mark.parametrize(
    ("record", "lacks"),
    [
        (found(8, 2), ()),
        (found(62, 38), ()),  # not often enough right, but surely more often than not
        (found(6, 1), ("3 more verdicts",)),
        (found(9, 0), ("1 more verdict",)),
        (found(7, 3), ("right 80% of the time",)),
        (found(8, 2, opened=300), ("at most 20 alerts a day",)),
        (found(8, 2, days=1), ("2 more days in shadow",)),
        (found(0, 0, days=0), ("10 more verdicts", "3 more days in shadow")),
    ],
)
def test_what_is_missing_for_live_is_said(record: Record, lacks: tuple[str, ...]) -> None:
    assert missing(record, RULE) == lacks


@quick
@given(COUNT, COUNT, COUNT, st.integers(0, 30))
def test_being_right_once_more_never_costs_what_was_earned(
    right: int, wrong: int, left: int, days: int
) -> None:
    """Whether the alert had no verdict before, or was called wrong."""
    before = found(right, wrong, days, right + wrong + left + 1)
    if missing(before, RULE):
        return
    assert missing(replace(before, right=right + 1), RULE) == ()
    if wrong:
        assert missing(replace(before, right=right + 1, wrong=wrong - 1), RULE) == ()


@quick
@given(COUNT, COUNT, st.integers(0, 30))
def test_nothing_is_earned_by_being_wrong(right: int, wrong: int, days: int) -> None:
    before = found(right + 1, wrong, days)
    if missing(before, RULE):
        assert missing(replace(before, right=right, wrong=wrong + 1), RULE)


@quick
@given(COUNT, COUNT)
def test_no_record_both_earns_live_and_is_noisy(right: int, wrong: int) -> None:
    low, high = Share(right, right + wrong).interval
    assert low <= (right / (right + wrong) if right + wrong else 0.5) <= high
    assert missing(found(right, wrong), RULE) or not noise(found(right, wrong))


def test_a_live_policy_is_noisy_when_it_is_surely_more_often_wrong_or_nobody_touches_its_alerts() -> None:
    assert noise(found(1, 11)) == "was right 1 of 12 times"
    assert noise(found(1, 8)) == ""  # too few
    assert noise(found(4, 6)) == ""  # it may be right half of the time
    alone = [Verdict(NOON - 4 * DAY)] * 16 + [Verdict(NOON - 4 * DAY, touched=True)] * 4
    assert noise(record(alone, NOON - 9 * DAY, NOON)) == "had 16 of 20 alerts that nobody touched"
    assert noise(record([replace(one, opened_at=NOON) for one in alone], NOON - 9 * DAY, NOON)) == ""


def test_a_record_counts_verdicts_of_thirty_days_and_the_causes() -> None:
    said = [
        Verdict(NOON - 40 * DAY, FP, FalseCause.rule, True),
        Verdict(NOON - DAY, TP, touched=True),
        Verdict(NOON - DAY, FP, FalseCause.data, True),
        Verdict(NOON - HOUR, FP, FalseCause.threshold, True),
        Verdict(NOON - HOUR, FP, FalseCause.threshold, True),
        Verdict(NOON, Disposition.benign, touched=True),
    ]
    made = record(said, NOON - 60 * DAY, NOON)
    assert (made.right, made.wrong, made.opened, made.span) == (1, 3, 5, timedelta(days=30))
    assert dict(made.causes) == {FalseCause.threshold: 2, FalseCause.data: 1}
    assert list(made.causes) == [FalseCause.threshold, FalseCause.data]
    assert figures(made) == "right 1 of 4, 0.2 alerts a day over 30 days"
    assert figures(found(9, 1)) == "right 9 of 10 (95% sure: 60%–98%), 1.0 alerts a day over 10 days"
    young = record([Verdict(NOON, TP, touched=True)], NOON - HOUR, NOON)
    assert figures(young) == "right 1 of 1, 1 alert in less than a day"


def test_it_is_told_quietly_and_only_while_it_holds() -> None:
    shadow, live = policy(status=Status.shadow), policy(status=Status.live)
    told = earned_live(shadow, found(9, 1), RULE, TEAM, NOON)
    assert isinstance(told, Fire)
    assert (told.lane, told.title) == (Lane.shadow, "payments.steering has earned live: right 9 of 10")
    assert "`status: live` in `policies/payments/steering.yml`" in told.newest["advice"]
    assert isinstance(earned_live(live, found(9, 1), RULE, TEAM, NOON), Clear)
    assert isinstance(earned_live(shadow, found(6, 1), RULE, TEAM, NOON), Clear)
    noisy = noisy_policy(live, replace(found(1, 11), causes={FalseCause.rule: 7}), TEAM, NOON)
    assert isinstance(noisy, Fire)
    assert noisy.terms.ladder[0].after == timedelta(days=7)  # nobody is paged at once
    assert "Blamed: rule 7×. Until it is mended, write `status: shadow` in" in noisy.newest["advice"]
    assert isinstance(noisy_policy(shadow, found(1, 11), TEAM, NOON), Clear)


BODY = (
    '{"dialect": "snowflake", "files": ["title: A\\nstatus: shadow\\nthreshold: {count: 3}\\n", "select 1"]}'
)


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        ("title: A", "title: B", True),
        ("count: 3", "count: 4", False),
        ("select 1", "select 2", False),
        ("status: shadow", "status: live", False),
    ],
)
def test_what_was_said_of_a_version_holds_while_it_finds_and_counts_alike(
    was: str, now: str, same: bool
) -> None:
    assert alerts_the_same(BODY, BODY.replace(was, now)) == same
