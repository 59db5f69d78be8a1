"""Keys, rows, durations, links and parameters: whatever a warehouse or a person gives, one spelling."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.context import House
from sensors.model.asset import Entity
from sensors.model.catalog import Catalog
from sensors.model.clock import parse_duration, parse_time, say_duration, utc
from sensors.model.example import example_of
from sensors.model.job import Job, Param
from sensors.model.policy import Grades, Severity
from sensors.model.run import Cause, CauseKind
from sensors.model.violation import FoundRow, canonical, row_hash, shown, violations_of
from tests.core.looking import policy
from tests.core.making import HOUR, MINUTE, NOON, fire, opened

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.binary(max_size=8),
    st.uuids(),
)
cells = st.recursive(
    leaves, lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=3), c, max_size=3)
)
rows = st.dictionaries(st.text("abcXYZ_", min_size=1, max_size=4), cells, max_size=4)


# ------------------------------------------------------------------- keys and rows


@settings(max_examples=50)
@given(rows)
def test_any_row_has_a_key_a_hash_and_a_face(row: dict[str, object]) -> None:
    assert json.loads(canonical(row)) is not None
    assert len(row_hash(row, ())) == 32
    json.dumps(shown(row))


@settings(max_examples=50)
@given(rows)
def test_neither_the_order_nor_the_case_of_names_matters(row: dict[str, object]) -> None:
    turned = {name.upper(): row[name] for name in reversed(list(row))}
    if len({name.lower() for name in row}) == len(row):
        assert canonical(turned) == canonical(row)


@pytest.mark.parametrize(
    ("same", "other"),
    [
        (1, 1.0),
        (1, Decimal("1.00")),
        (Decimal("0.10"), Decimal("0.1")),
        (0.5, Decimal("0.5")),
        (datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 5, 14, tzinfo=timezone(2 * HOUR))),
        (datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 5, 12)),  # noqa: DTZ001  sessions run in UTC
        ((1, 2), [1, 2]),
    ],
)
def test_the_same_value_has_one_spelling(same: object, other: object) -> None:
    assert canonical({"k": same}) == canonical({"k": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (None, "None"),
        (None, ""),
        (date(2026, 1, 5), "2026-01-05"),
        (time(12), "12:00:00"),
        ({"number": "0.5"}, 0.5),
        (b"a", "61"),
        (
            Decimal("0.12345678901234567890123456789012345671"),
            Decimal("0.12345678901234567890123456789012345672"),
        ),
    ],
)
def test_other_values_have_other_spellings(one: object, other: object) -> None:
    assert canonical({"k": one}) != canonical({"k": other})


@pytest.mark.parametrize(
    "odd", [float("inf"), float("nan"), Decimal("Infinity"), Decimal("NaN"), Decimal("sNaN")]
)
def test_numbers_that_are_none_can_be_kept_and_shown(odd: object) -> None:
    assert canonical({"k": odd})
    assert isinstance(shown(odd), str)


def test_half_a_character_can_be_hashed() -> None:
    assert len(row_hash({"k": "\ud800"}, ())) == 32


def test_a_row_is_the_same_by_its_row_key_or_by_all_of_it() -> None:
    one, other = {"id": 1, "body": "a"}, {"id": 1, "body": "b"}
    assert row_hash(one, ("id",)) == row_hash(other, ("id",))
    assert row_hash(one, ()) != row_hash(other, ())


def test_rows_are_grouped_by_key_each_once_and_oldest_first() -> None:
    def found(number: int, seller: str, at: datetime | None) -> FoundRow:
        return FoundRow(f"r{number}", {"seller_id": seller, "n": number}, at)

    late, early, timeless = found(1, "s_1", NOON), found(2, "s_1", NOON - HOUR), found(3, "s_1", None)
    groups = violations_of([late, found(4, "s_2", NOON), early, timeless, late], ("seller_id",))
    assert [group.key for group in groups] == ['{"seller_id":"s_1"}', '{"seller_id":"s_2"}']
    assert groups[0].rows == (timeless, early, late)
    assert groups[0].newest["n"] == 1
    assert violations_of([late], ())[0].key == "{}"


# -------------------------------------------------------------------------- clock


@given(st.text(max_size=30))
def test_no_text_is_too_odd_to_be_a_duration_or_a_time(text: str) -> None:
    parse_duration(text)
    parse_time(text)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", 15 * MINUTE),
        ("2h30m", 150 * MINUTE),
        ("2h 30m", 150 * MINUTE),
        ("1D", 24 * HOUR),
        ("1w", 168 * HOUR),
        ("0m", None),
        ("", None),
        ("2", None),
        ("h", None),
        ("2 hours", None),
        ("-2h", None),
        ("99999999999d", None),
        ("9" * 5000 + "h", None),
    ],
)
def test_durations_are_read(text: str, span: timedelta | None) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=45), "45 s"),
        (timedelta(seconds=59.6), "1 min"),
        (90 * MINUTE, "1 h 30 min"),
        (2 * HOUR, "2 h"),
        (75 * HOUR, "3 d 3 h"),
        (timedelta(), "0 s"),
        (-HOUR, "0 s"),
    ],
)
def test_durations_are_said(span: timedelta, said: str) -> None:
    assert say_duration(span) == said


@given(st.timedeltas(timedelta(), timedelta(days=4000)))
def test_a_duration_is_never_said_with_nothing(span: timedelta) -> None:
    assert say_duration(span).strip()


def test_times_are_utc_also_where_a_zone_is_named() -> None:
    assert parse_time("2026-01-05T12:00") == NOON
    assert parse_time("2026-01-05T14:00+02:00") == NOON
    assert parse_time("noon") is None
    assert utc(NOON.replace(tzinfo=None)) == NOON


# ------------------------------------------------------------------ links and jobs

SELLER = Entity("seller", "seller_id", "https://admin.example.com/sellers/{id}")


@pytest.mark.parametrize(
    "odd", [None, "", "a/b", "../admin", "..", ".", "a b", "é", "x" * 65, "a\n", "?x=1", "#"]
)
def test_an_id_that_does_not_look_like_one_is_no_link(odd: object) -> None:
    assert SELLER.url(odd) is None


def test_an_id_is_percent_encoded_into_a_fixed_address() -> None:
    assert SELLER.url("s_1.x") == "https://admin.example.com/sellers/s_1.x"
    assert replace(SELLER, pattern=".+").url("a/../b?c") == "https://admin.example.com/sellers/a%2F..%2Fb%3Fc"


def test_whom_a_policy_says_it_is_about_is_whose_page_comes_first() -> None:
    buyer = Entity("buyer", "buyer_id", "https://admin.example.com/buyers/{id}")
    alert = opened(fire(newest={"seller_id": "s_1", "buyer_id": "b_1"}))
    urls = []
    for about in ((), ("buyer_id",)):
        made = policy(name=alert.policy, entity=about or ("seller_id",))
        catalog = Catalog({alert.policy: made}, entities={"seller_id": SELLER, "buyer_id": buyer})
        urls.append([url.rpartition("/")[2] for _, url in House(catalog, "payments", NOON).links(alert)])
    assert urls == [["s_1", "b_1"], ["b_1", "s_1"]]


JOB = Job(
    "rescore",
    "http",
    "Rescore",
    "payments",
    params=(
        Param("seller_id", pattern=r"s_\d+"),
        Param("days", "integer", default=7),
        Param("why", required=False),
    ),
)


def test_parameters_come_from_the_person_then_the_row_then_the_default() -> None:
    assert JOB.fill({}, {"seller_id": "s_1"}) == ({"seller_id": "s_1", "days": 7}, [])
    assert JOB.fill({"days": "3"}, {"seller_id": "s_1", "days": 5})[0]["days"] == "3"
    assert JOB.fill({}, {"seller_id": "s_1", "days": 5})[0]["days"] == 5


def test_a_null_in_the_row_is_no_value() -> None:
    assert JOB.fill({}, {"seller_id": "s_1", "days": None}) == ({"seller_id": "s_1", "days": 7}, [])


def test_what_is_wrong_with_parameters_is_said() -> None:
    assert JOB.fill({}, {})[1] == ["seller_id is missing: write seller_id=…"]
    assert JOB.fill({"sid": "1"}, {"seller_id": "s_1"})[1] == ["sid is not a parameter of rescore"]
    assert "must look like s_1" in JOB.fill({"seller_id": "s_1; drop"}, {})[1][0]
    assert "days must be a whole number" in JOB.fill({"seller_id": "s_1", "days": "many"}, {})[1][0]


PIECES = (
    r"s_",
    r"\d+",
    r"[sb]_",
    r"[a-f0-9]{2,4}",
    "(EUR|USD)?",
    r"\w{1,3}",
    r"\.",
    "[A-Z]+",
    r"(?:-x){2}",
    "[^0-9]",
)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
def test_the_example_of_a_pattern_fits_it(pieces: list[str]) -> None:
    assert re.fullmatch("".join(pieces), example_of("".join(pieces)))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of Python's own, about sets in sets
@given(st.text("[](){}|?*+.\\d^$a1,:P<=!", max_size=12))
def test_of_any_pattern_there_is_an_example_that_fits_or_none(pattern: str) -> None:
    with suppress(re.error):
        re.compile(pattern)
        fits = example_of(pattern)
        assert fits == "" or re.fullmatch(pattern, fits)


@pytest.mark.parametrize(
    ("param", "value", "said"),
    [
        (Param("seller_id", pattern=r"[sb]_\d+"), "Ana", "must look like s_1, not 'Ana'"),
        (Param("word", pattern=r"[\w-]{1,8}"), "!", r"must match [\w-]{1,8}, not '!'"),
        (Param("note"), "a/b", "may hold only letters, digits, spaces and _ . : @ -, at most 200 of them"),
        (Param("share", "number"), "0,5", "must be a number, not '0,5'"),
        (Param("force", "boolean"), "maybe", "must be true or false"),
    ],
)
def test_what_does_not_fit_is_said_in_words(param: Param, value: str, said: str) -> None:
    assert said in (param.problem(value) or "")


# ------------------------------------------------------------------ grades and causes


@given(st.floats(allow_nan=False))
def test_a_grade_is_the_highest_whose_bound_is_reached(value: float) -> None:
    grades = Grades(((Severity.low, 1), (Severity.high, 3)))
    assert grades.of(value) is (Severity.high if value >= 3 else Severity.low)


def test_a_cause_is_read_as_it_is_written_and_only_some_move_the_watermark() -> None:
    for kind in CauseKind:
        cause = Cause(kind, "2026-01-05T12:00:00Z")
        assert Cause.parse(str(cause)) == cause
    assert [k.value for k in CauseKind if Cause(k, "").moves_watermark] == ["tick", "upstream"]
