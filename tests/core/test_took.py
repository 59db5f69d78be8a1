"""How long people took, and how often that was soon enough."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.took import Step, taken
from sensors.model.policy import Severity

SPAN = st.timedeltas(timedelta(), timedelta(days=3))
SEVERITY = st.sampled_from(Severity)
STEPS = st.lists(st.builds(Step, SEVERITY, st.one_of(st.none(), SPAN), SPAN), max_size=12)
TARGET = st.dictionaries(SEVERITY, SPAN, max_size=5)
MINUTE = timedelta(minutes=1)


@given(STEPS, TARGET)
def test_each_counts_once_or_not_at_all(steps: list[Step], target: dict[Severity, timedelta]) -> None:
    found = taken(steps, target)
    aimed = [step for step in steps if step.severity in target]
    assert found.n == sum(step.took is not None for step in steps)
    assert (found.middle is None) == (found.n == 0)
    assert 0 <= found.in_time <= found.judged <= len(aimed)
    assert found.past <= found.judged - found.in_time
    assert found.past == sum(s.took is None and s.waited > target[s.severity] for s in aimed)


@given(STEPS, TARGET, TARGET)
def test_a_longer_target_is_never_reached_less_often(
    steps: list[Step], target: dict[Severity, timedelta], more: dict[Severity, timedelta]
) -> None:
    longer = {severity: span + more.get(severity, timedelta()) for severity, span in target.items()}
    assert taken(steps, longer).in_time >= taken(steps, target).in_time
    assert taken(steps, longer).past <= taken(steps, target).past


def test_what_waits_within_its_target_is_neither_late_nor_in_time() -> None:
    steps = [Step(Severity.high, None, 5 * MINUTE), Step(Severity.high, 5 * MINUTE, 5 * MINUTE)]
    found = taken(steps, {Severity.high: 5 * MINUTE})
    assert (found.in_time, found.judged, found.past, found.target) == (1, 1, 0, 5 * MINUTE)


def test_targets_that_differ_by_severity_are_no_single_one() -> None:
    both = {Severity.high: MINUTE, Severity.critical: 2 * MINUTE}
    assert taken([], both).target is None
    assert taken([], {**both, Severity.high: 2 * MINUTE}).target == 2 * MINUTE
