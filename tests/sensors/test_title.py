"""Titles over rows of hostile text: one short line, always, in bounded time."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.meta import find_undeclared_variables

from sensors.model.policy import AlertText, Every, Grades, Policy, Query, Severity
from sensors.title import PLAIN, Plain, environment, title, title_names, title_problem

from datetime import timedelta  # isort: skip

POLICY = Policy(
    name="chat.asks",
    title="Somebody asks",
    owner="chat",
    severity=Grades(((Severity.high, 1),)),
    schedule=Every(timedelta(minutes=5)),
    key=("who",),
    query=Query("SELECT 1", "snowflake", "sql/chat/asks.sql", ()),
    alert=AlertText("{{ who }} asked {{ count }} times"),
    content="",
    path="policies/chat/asks.yml",
)


def rendered(template: str, count: int = 3, **values: Any) -> str:
    return title(replace(POLICY, alert=AlertText(template)), values, count)


def test_columns_and_the_count_stand_in_the_title() -> None:
    assert rendered("{{ who }} asked {{ count }} times", who="Ana Cards") == "Ana Cards asked 3 times"


def test_values_are_said_as_people_say_them() -> None:
    at = datetime(2026, 1, 5, 14, 5, 59, tzinfo=UTC)
    assert rendered("{{ x }}", x=at) == "2026-01-05 14:05 UTC"
    assert rendered("{{ x }}", x=date(2026, 1, 5)) == "2026-01-05"
    assert rendered("{{ x }}", x=Decimal("12.50")) == "12.50"
    assert rendered("{{ x }}", x=0.1 + 0.2) == "0.3"
    assert rendered("{{ x }}", x=None) == "–"


def test_small_arithmetic_and_filters_are_there() -> None:
    assert (
        rendered("{{ (share * 100) | round(1) }} % of {{ name | upper }}", share=0.257, name="x")
        == "25.7 % of X"
    )
    assert rendered("{% if n > 2 %}many{% else %}few{% endif %}", n=3) == "many"


@pytest.mark.parametrize(
    "template",
    [
        "{{ absent }}",
        "{{ who + 1 }}",
        "{{ 1 / 0 }}",
        "{{ who | nope }}",
        "{{ who",
        "{% for x in who %}{% endfor %}",
    ],
)
def test_a_title_that_cannot_be_rendered_falls_back_on_the_policys(template: str) -> None:
    assert rendered(template, who="x") == "Somebody asks"


def test_lines_controls_and_directions_are_folded_away() -> None:
    hostile = "a\nb\r\n\tc\x00\x1b[31m\u202egnp.exe\u200b\u2028d"
    assert rendered("{{ who }}", who=hostile) == "a b c [31mgnp.exe d"


def test_heaps_of_marks_are_thinned_and_letters_with_marks_stay() -> None:
    assert len(rendered("{{ who }}", who="e" + "\u0301\u0302\u0303" * 40)) <= 5
    assert rendered("{{ who }}", who="Zoe\u0308") == "Zo\u00eb"


HOSTILE_TEMPLATES = [
    "{{ who * n }}",
    "{{ n * who }}",
    "{{ who % n }}",
    "{{ n ** n }}",
    "{{ who.format(n) }}",
    "{{ who | center(n) }}",
    "{{ n | round(n) }}",
    "{{ who | replace('x', who) }}",
    "{{ n * n * n * n }}",
    "{{ who | int * n }}",
]


@pytest.mark.parametrize("template", HOSTILE_TEMPLATES)
@pytest.mark.parametrize("n", [10**9, 10**38, 2.0**400])
@pytest.mark.parametrize("who", ["x" * 100_000, "%999999999d", "{0:>999999999}", "9" * 4000])
def test_no_row_makes_a_title_long_or_slow(template: str, n: float, who: str) -> None:
    began = time.perf_counter()
    text = rendered(template, who=who, n=n)
    assert time.perf_counter() - began < 1
    assert 0 < len(text) <= 200


VALUES = st.one_of(
    st.text(), st.integers(), st.floats(), st.decimals(), st.none(), st.datetimes(), st.binary(),
    st.lists(st.text()), st.dictionaries(st.text(), st.integers()),
)  # fmt: skip


@settings(max_examples=300)
@given(VALUES, VALUES, st.integers(0, 10**6))
def test_whatever_the_row_holds_the_title_is_one_printable_line(a: Any, b: Any, count: int) -> None:
    text = rendered("{{ who }} – {{ what | upper }} ({{ count }})", count=count, who=a, what=b)
    assert 0 < len(text) <= 200
    assert text == " ".join(text.split())
    assert not {unicodedata.category(c) for c in text} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    text.encode("utf-8")


def test_what_a_title_may_not_use_is_said() -> None:
    assert title_problem("{{ who }} asked {{ count }}") is None
    assert title_problem("{{ who | shout }}") == (
        "a title knows only the filters abs, default, d, float, int, length, count, lower, upper, title,"
        " capitalize, replace, round, string, trim, truncate, first, last"
    )
    assert (
        title_problem("{% for x in y %}{{ x }}{% endfor %}")
        == "a title takes {{ … }} and {% if %}, nothing else"
    )


PIECE = st.one_of(
    st.text(alphabet="ab {}%#\n.é", max_size=4),
    st.sampled_from(["{{ a }}", "{{b}}", "{{ count }}", "{{  a}}", "{{ true }}", "{{ self }}", "{{ not }}"]),
)
CELL = st.one_of(st.none(), st.text(max_size=5), st.floats(), st.integers(), st.dates(), st.decimals())


@given(pieces=st.lists(PIECE, max_size=5), a=CELL, b=CELL)
@settings(derandomize=True)
def test_a_title_of_text_and_columns_alone_is_said_as_the_template_engine_says_it(
    pieces: list[str], a: Any, b: Any
) -> None:
    text = "".join(pieces)
    if PLAIN.fullmatch(text):
        known = {"a": a, "b": b, "count": 3}
        assert Plain(text).render(known) == environment.from_string(text).render(known)
        assert title_names(text) == find_undeclared_variables(environment.parse(text)) - {"count"}
        assert title_problem(text) is None


@pytest.mark.parametrize("word", ["if", "in", "is", "and", "or", "else", "loop", "set", "caller", "varargs"])
def test_a_column_may_be_called_by_a_word_of_the_template_engine(word: str) -> None:
    text = f"{{{{ {word} }}}} {{{{ a }}}}"
    assert title_names(text) == find_undeclared_variables(environment.parse(text)) == {word, "a"}
