"""Values that everybody holds: canonical keys and row hashes, and windows that leave no gap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sensors.model.policy import Incremental, Now, Trailing
from sensors.model.violation import FoundRow, canonical, plain, row_hash, shown, violations_of
from sensors.model.window import INSTANT, Window, window_for

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.floats(), st.decimals(), st.binary(),
    st.datetimes(), st.dates(), st.times(), st.timedeltas(), st.lists(st.integers()),
)  # fmt: skip
ROWS = st.dictionaries(st.sampled_from("abcdef"), VALUES)


@given(ROWS)
def test_every_value_of_a_warehouse_has_a_canonical_form_that_hashes(row: dict[str, Any]) -> None:
    assert canonical(row) == canonical(dict(reversed(row.items())))
    assert row_hash(row, ()) == row_hash({name.upper(): value for name, value in row.items()}, ())
    assert len(row_hash(row, ())) == 32


@given(st.integers(-(10**15), 10**15))
def test_a_number_is_the_same_however_the_warehouse_types_it(number: int) -> None:
    forms = [number, float(number), Decimal(number), Decimal(f"{number}.00")]
    assert len({canonical({"a": form}) for form in forms}) == 1
    assert canonical({"a": str(number)}) != canonical({"a": number})


def test_decimals_differ_to_their_last_digit() -> None:
    long = "1234567890123456789012345678901.5"
    assert canonical({"a": Decimal(long + "0")}) == canonical({"a": Decimal(long)})
    assert canonical({"a": Decimal(long + "1")}) != canonical({"a": Decimal(long + "2")})


@given(st.datetimes(), st.integers(-12, 12))
def test_a_moment_is_the_same_in_every_zone(at: datetime, hours: int) -> None:
    aware = at.replace(tzinfo=UTC, year=2026)
    shifted = aware.astimezone(tz=timezone(timedelta(hours=hours)))
    assert (
        canonical({"a": aware}) == canonical({"a": shifted}) == canonical({"a": aware.replace(tzinfo=None)})
    )


def test_values_of_different_types_are_different() -> None:
    forms = [
        None,
        True,
        "true",
        "1",
        2,
        "2",
        NOON,
        NOON.isoformat(),
        date(2026, 1, 5),
        "2026-01-05",
        b"2",
        [],
        {},
    ]
    assert len({canonical({"a": form}) for form in forms}) == len(forms)
    assert [plain(x) for x in (float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"))] == [
        {"number": "nan"}, {"number": "inf"}, {"number": "NaN"}, {"number": "-Infinity"},
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9))))
def test_rows_fall_under_their_key_once_each_and_none_is_lost(pairs: list[tuple[int, int]]) -> None:
    rows = [
        FoundRow(row_hash({"k": k, "n": n}, ()), {"k": k, "n": n}, NOON + timedelta(hours=n))
        for k, n in pairs
    ]
    found = violations_of(rows, ("k",))
    assert {(v.key_values["k"], r.values["n"]) for v in found for r in v.rows} == set(pairs)
    assert sum(len(v.rows) for v in found) == len(set(pairs))
    for violation in found:
        times = [row.event_time for row in violation.rows if row.event_time]
        assert times == sorted(times)


def test_an_empty_key_is_the_whole_platform() -> None:
    (found,) = violations_of([FoundRow("a", {"n": 1}), FoundRow("b", {"n": 2})], ())
    assert found.key == "{}"
    assert len(found.rows) == 2


STEPS = st.lists(st.tuples(st.integers(1, 7200), st.integers(-3600, 3600)), min_size=1, max_size=30)


@given(STEPS, st.integers(0, 1800), st.integers(0, 600))
def test_incremental_windows_leave_no_gap_however_loads_and_ticks_come(
    steps: list[tuple[int, int]], lookback: int, delay: int
) -> None:
    """Each window begins no later than where the one before ended, and the watermark never goes back."""
    kind = Incremental("at", timedelta(seconds=lookback), timedelta(seconds=delay))
    due, watermark = NOON, None
    for tick, load in steps:
        due += timedelta(seconds=tick)
        window = window_for(kind, due, watermark, due + timedelta(seconds=load))
        assert window.end <= due or window.empty
        if watermark is not None:
            assert window.empty or (window.start is not None and window.start <= watermark <= window.end)
        if not window.empty:
            watermark = window.end


@given(st.integers(0, 10**6))
def test_the_newest_loaded_row_is_looked_at(seconds: int) -> None:
    newest = NOON - timedelta(seconds=seconds)
    window = window_for(Incremental("at"), NOON + timedelta(seconds=1), None, newest)
    assert window.start is not None
    assert window.start <= newest < window.end
    assert window.end == newest + INSTANT


def test_trailing_and_state_windows_are_as_of_the_data() -> None:
    kind = Trailing("at", timedelta(hours=24), timedelta(days=7))
    window = window_for(kind, NOON, None, NOON - timedelta(hours=2) - INSTANT)
    end = NOON - timedelta(hours=2)
    assert window == Window(end - timedelta(hours=24), end, end - timedelta(days=8))
    assert window_for(Now(), NOON, None, None) == Window(None, NOON)
    assert Window(None, NOON).binds() == {"window_end": NOON}


@given(st.integers(1, 10**7))
def test_a_half_keeps_the_start_and_is_never_empty(microseconds: int) -> None:
    window = Window(NOON, NOON + timedelta(microseconds=microseconds))
    half = window.halved()
    assert half.start == NOON
    assert half.end <= window.end


def test_people_see_a_price_with_its_cents() -> None:
    assert shown(Decimal("1.50")) == "1.50"
    assert shown(Decimal("20")) == "20"
    assert shown(1.5) == "1.5"
    assert shown(2.0) == 2
    assert shown(Decimal("NaN")) == "NaN"
