"""An expected alert is one that fired and agrees in all that is said of it; each is taken once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.expect import agrees, compared


def bag(alerts: list[Any]) -> list[Any]:
    return sorted((alert["seller_id"], alert["count"]) for alert in alerts)


alerts = st.fixed_dictionaries(
    {"seller_id": st.sampled_from(["s_1", "s_2", "s_3"]), "count": st.integers(1, 3)},
)


@settings(derandomize=True)
@given(fired=st.lists(alerts, max_size=6), data=st.data())
def test_what_fired_is_found_whatever_the_order_and_however_little_is_said(
    fired: list[dict[str, Any]], data: st.DataObject
) -> None:
    expected = [
        {name: value for name, value in alert.items() if data.draw(st.booleans())}
        for alert in data.draw(st.permutations(fired))
    ]
    assert all(pair.same for pair in compared(expected, fired))


@settings(derandomize=True)
@given(expected=st.lists(alerts, max_size=5), fired=st.lists(alerts, max_size=5))
def test_every_alert_stands_on_the_table_once_and_all_is_well_only_if_they_are_the_same(
    expected: list[dict[str, Any]], fired: list[dict[str, Any]]
) -> None:
    pairs = compared(expected, fired)
    assert [p.expected for p in pairs if p.expected is not None] == expected
    got = [p.got for p in pairs if p.got is not None]
    assert bag(got) == bag(fired)
    same = bag(expected) == bag(fired)
    assert all(pair.same for pair in pairs) == same


def test_the_one_that_differs_least_is_shown_beside_it() -> None:
    fired = [{"seller_id": "s_2", "count": 4}, {"seller_id": "s_1", "count": 5}]
    (first, second) = compared([{"seller_id": "s_1", "count": 6}], fired)
    assert (first.got, first.differing, first.same) == (fired[1], ("count",), False)
    assert (second.expected, second.got, second.same) == (None, fired[0], False)
    (missing,) = compared([{"count": 1}], [])
    assert (missing.got, missing.same) == (None, False)
    assert compared([], []) == ()


def test_a_greedy_choice_is_mended() -> None:
    """The first could have either; the second only one of them."""
    fired = [{"seller_id": "s_1", "count": 3}, {"seller_id": "s_2", "count": 3}]
    for expected in ([{"count": 3}, {"seller_id": "s_1"}], [{"count": 3}, {"seller_id": "s_2"}]):
        assert all(pair.same for pair in compared(expected, fired))


NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (3, 3, True),
        (160, Decimal("160.00"), True),
        (160.5, Decimal("160.50"), True),
        ("160.50", Decimal("160.5"), True),
        (0.3, 0.1 + 0.2, True),
        (0.31, 0.1 + 0.2, False),
        (3, 4, False),
        (True, 1, False),
        ("many", 3, False),
        (None, 3, False),
        (None, None, True),
        ("", None, False),
        (True, True, True),
        ("true", True, True),
        (1, True, False),
        ("s_1", "s_1", True),
        (17, "17", True),
        (None, "None", False),
        (True, "True", False),
        ("2026-01-05T12:00:00Z", NOON, True),
        ("2026-01-05T13:00:00+01:00", NOON, True),
        ("2026-01-05 12:00", NOON.replace(tzinfo=None), True),
        ("noon", NOON, False),
        ("2026-01-05", date(2026, 1, 5), True),
        (["a", 1], ["a", 1], True),
        (["a"], ["b"], False),
        ({"a": [1.5]}, '{"a": [1.5]}', True),
        ({"a": 1}, "{no json", False),
        ({"a": 1}, {"a": 1}, True),
        ("nan", float("nan"), False),
    ],
)
def test_values_agree_as_people_read_them(expected: Any, got: Any, same: bool) -> None:
    assert agrees({"it": got}, "it", expected) is same


def test_what_the_alert_has_not_is_no_null() -> None:
    assert not agrees({}, "it", None)
