"""A drafted case reads back as it was meant, and nothing else in its file changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.cases.text import CaseText, block, flow, scalar
from sensors.yaml_append import NotAdded, with_case
from sensors.yaml_marks import read

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CASE = CaseText(
    "ALR-1, false positive",
    NOON,
    {"core.chat": ({"message_id": "m_1", "body": "pay # me: {x}"},), "core.sellers": ()},
    [{"seller_id": "s_1", "severity": "high"}],
    ("bo called it\nfalse: “no” # really",),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.datetimes(timezones=st.just(UTC))
    | st.dates(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=4,
)
rows = st.lists(st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=4), max_size=4)


@given(rows, st.text(min_size=1))
def test_rows_read_back_as_they_were_written(found: list[dict[str, Any]], name: str) -> None:
    case = CaseText(name, NOON, {"core.chat": tuple(found)}, found, (name,))
    document = read("x.yml", f"cases:\n{block(case, 2)}")
    assert document.problems == []
    assert document.data == {"cases": [case.data()]}
    assert read("x.yml", f"x: {flow(case.data())}\n").data == {"x": case.data()}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("paid", "paid"),
        ("not as described", "not as described"),
        ("no", '"no"'),
        ("2026-01-05T12:00:00Z", "2026-01-05T12:00:00Z"),
        ("a: b", '"a: b"'),
        ("", '""'),
        ("12", '"12"'),
        (12, "12"),
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ("a\u2028\x85\x00b", '"a\\u2028\\x85\\x00b"'),
    ],
)
def test_plain_words_stay_plain(value: Any, text: str) -> None:
    assert scalar(value) == text


def test_a_number_that_a_float_would_round_is_a_text() -> None:
    case = CaseText("n", NOON, {"t": ({"a": Decimal("12345678901234567890.12"), "d": date(2026, 1, 5)},)}, [])
    assert case.data()["given"]["t"] == [{"a": "12345678901234567890.12", "d": "2026-01-05"}]


FILES = {
    "no cases": "title: A\nkey: [a]  # why\n",
    "no newline at the end": "title: A",
    "comments at the end": "title: A\n\n# the end\n",
    "a list": "title: A\ncases:\n  - name: one\n    expect: []   # none\n\n# the end\n",
    "a list in the middle": "cases:\n  # about it\n  - {name: one}\n    # of one\n# of the rest\ntitle: A\n",
    "a list without indent": "cases:\n- name: one\n- name: two\n  at: now\ntitle: A\n",
    "a literal text": "cases:\n  - name: |\n      a\n\n      b\n\ntitle: A\n",
    "nothing in it": "cases:\ntitle: A\n",
    "empty brackets": "title: A\ncases: []  # none yet\nkey: [a]\n",
    "brackets": "cases: [{name: one}, {name: two}] # two\ntitle: A\n",
    "brackets over lines": "cases: [\n  {name: one},\n  {name: two},\n]\ntitle: A\n",
    "other line ends": "title: A\r\ncases:\r\n  - name: one\r\n",
    "a mark of its order": "\ufefftitle: A\ncases:\n  - name: one\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_case_is_added_at_the_end_of_the_list_and_nothing_else_changes(text: str) -> None:
    changed = with_case(text, CASE)
    had = read("", text.lstrip("\ufeff")).data
    has = read("", changed.lstrip("\ufeff")).data
    assert has["cases"] == [*(had.get("cases") or []), CASE.data()]
    assert {k: v for k, v in has.items() if k != "cases"} == {k: v for k, v in had.items() if k != "cases"}
    start = next((n for n, (a, b) in enumerate(zip(text, changed, strict=False)) if a != b), len(text))
    rest = len(text) - start
    assert text[:start] + changed[len(changed) - rest :] == text  # to the byte: one piece was put in
    assert ("\r\n" in text) == ("\r\n" in changed)
    assert "\r\n" not in text or "\n" not in changed.replace("\r\n", "")
    assert "# bo called it false: “no” # really" in changed


def test_two_cases_come_one_after_the_other() -> None:
    twice = with_case(with_case("title: A\n", CASE), CASE)
    assert len(read("", twice).data["cases"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{title: A}\n",
        "- a\n",
        "title: [\n",
        "cases: word\n",
        "cases: [{name: one} # why\n]\n",
        "cases: {a: 1}\n",
    ],
)
def test_a_file_that_takes_none_is_left_alone(text: str) -> None:
    with pytest.raises(NotAdded):
        with_case(text, CASE)
