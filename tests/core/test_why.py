"""How many rows count together: what `why` says is what `reconcile` counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.reconcile import Seen, count_of
from bot.core.why import most_within, of_memory
from sensors.model.policy import Threshold
from sensors.model.violation import FoundRow, Violation
from tests.core.looking import policy
from tests.core.making import HOUR, MINUTE, NOON

ROWS = st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["a", "b", None])), min_size=1, max_size=12)


def seen(rows: list[tuple[int, str | None]]) -> list[Seen]:
    return [
        Seen("payments.steering", "k", f"{n}", NOON + minute * MINUTE, value, NOON + 600 * MINUTE)
        for n, (minute, value) in enumerate(rows)
    ]


@given(ROWS, st.integers(1, 200), st.booleans())
def test_as_many_count_together_as_a_run_would_count_that_finds_them_all(
    rows: list[tuple[int, str | None]], within: int, distinct: bool
) -> None:
    threshold = Threshold(1, timedelta(minutes=within), "who" if distinct else None)
    made = policy(threshold=threshold)
    found = tuple(
        FoundRow(f"{n}", {"who": value}, NOON + minute * MINUTE) for n, (minute, value) in enumerate(rows)
    )
    counted = count_of(made, Violation("k", {}, found), {}, None, NOON + 600 * MINUTE)
    assert most_within(threshold, seen(rows)) == counted


def test_the_sentence_says_how_many_are_missing() -> None:
    made = policy(threshold=Threshold(3, HOUR))
    two = seen([(0, None), (30, None)])
    assert of_memory(made, two) == (
        "2 rows of it are remembered, the newest of ⟦t:1767616200⟧; at most 2 count together within 1 h,"
        " its threshold is 3. A row that was seen counts once."
    )
    assert of_memory(made, []) == "No row of it is remembered."
    far = [replace(one, event_time=NOON + n * 2 * HOUR) for n, one in enumerate(seen([(0, None)] * 3))]
    assert "at most 1 count together" in of_memory(made, far)
