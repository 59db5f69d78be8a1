"""A file of rows opens in a spreadsheet, says what the rows say, and runs nothing."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.sheet import FORMULA, sheet
from tests.slack.hostile import HOSTILE


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def cell(value: Any) -> str:
    return read(sheet(["a"], [{"a": value}]))[1][0]


def test_the_rows_stand_under_their_columns_and_what_is_absent_is_empty() -> None:
    rows = [{"a": 1, "b": 'x,"y"\nz'}, {"b": "жёлтый 🟡"}]
    assert read(sheet(["a", "b"], rows)) == [["a", "b"], ["1", 'x,"y"\nz'], ["", "жёлтый 🟡"]]


@pytest.mark.parametrize("begins", FORMULA)
def test_text_that_a_spreadsheet_would_run_is_quoted(begins: str) -> None:
    assert cell(f"{begins}cmd|' /C calc'!A0").startswith("'")
    assert cell(f"  {begins}1+1").startswith("'")
    assert read(sheet([f"{begins}a"], []))[0][0].startswith("'")


def test_numbers_stay_numbers_and_times_are_told() -> None:
    assert (cell(-5), cell(-2.5), cell(True)) == ("-5", "-2.5", "true")
    assert cell(datetime(2026, 1, 5, 12, tzinfo=UTC)) == "2026-01-05T12:00:00+00:00"
    assert cell({"a": [1, "é"]}) == '{"a": [1, "é"]}'
    assert cell(Decimal("1.50")) == "1.50"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_one_cell(text: str) -> None:
    assert len(read(sheet(["a", "b"], [{"a": text, "b": "end"}]))[-1]) == 2


@given(st.text())
def test_whatever_text_comes_no_cell_begins_as_a_formula(text: str) -> None:
    content = sheet(["a"], [{"a": text}]).decode("utf-8-sig")
    first = content.split("\r\n", 1)[1].lstrip('"')
    assert not first.lstrip(" ").startswith(FORMULA[:5]) or first.strip() == ""
