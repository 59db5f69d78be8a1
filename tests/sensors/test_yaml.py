"""What an analyst mistypes in YAML, and the sentence that each mistake gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.yaml_marks import read, scalar

MISTYPED = [
    ("title: {{ x }}\n", 'p.yml:1:8 title: a value that begins with {{ needs quotes: "{{ … }}"'),
    ("title: {{ x }} asked\n", 'p.yml:1:8 a value that begins with {{ needs quotes: "{{ x }} asked"'),
    (
        "alert: {title: {{ x }} }\n",
        'p.yml:1:16 alert.title: a value that begins with {{ needs quotes: "{{ … }}"',
    ),
    ("title: Refunds: 3x\n", 'p.yml:1:15 ": " inside a text needs quotes around the text: "Refunds: 3x"'),
    ("cron: */5 * * * *\n", 'p.yml:1:7 a value that begins with * needs quotes: "*/5 * * * *"'),
    ("s: {cron: */5 * * * *}\n", 'p.yml:1:11 a value that begins with * needs quotes: "*/5 * * * *"'),
    ("owner: @patrol\n", 'p.yml:1:8 a value that begins with @ needs quotes: "@patrol"'),
    ("tags: [@patrol]\n", 'p.yml:1:8 a value that begins with @ needs quotes: "@patrol"'),
    ("like: %paypal%\n", 'p.yml:1:7 a value that begins with % needs quotes: "%paypal%"'),
    ("a:\n\tb: 1\n", "p.yml:2:1 a tab stands in the indentation; YAML takes only spaces"),
    ("a: 1\nb: 2\na: 3\n", "p.yml:3:1 a stands here twice, first in line 1; keep one"),
    ("a: {b: 1, b: 2}\n", "p.yml:1:11 a: b stands here twice, first in line 1; keep one"),
    ("a: 'x\nb: 2\n", "p.yml:1:4 the quote that begins here does not end as it should: 'x"),
    ("a: 'it's'\n", "p.yml:1:4 the quote that begins here does not end as it should: 'it's'"),
    (
        "key: [a, b\nc: 1\n",
        "p.yml:1:6 the bracket that opens here is not closed with ], or a comma is missing",
    ),
    (
        "key: {a: b\nc: 1\n",
        "p.yml:1:6 the bracket that opens here is not closed with }, or a comma is missing",
    ),
    (
        "a: 1\n b: 2\n",
        "p.yml:2:3 this line does not fit the lines above it: look at its indentation, colon and quotes",
    ),
    ("a: &x 1\nb: *x\n", "p.yml:1:4 b: &name and *name are not used here: write the value out again"),
    ("a: !!python/object x\n", "p.yml:1:4 a: the tag !python/object is not used here: write the plain value"),
    ("a: 1\n---\nb: 2\n", "p.yml:2:1 a second document begins here (---); a file holds one"),
    (
        "title: Order #5 came late\n",
        'p.yml:1:8 title: YAML takes "#5 came late" for a comment; put quotes around the text',
    ),
    ("a: \x07\n", "p.yml:1:4 a control character ('\\x07') stands here"),
]


@pytest.mark.parametrize(("text", "said"), MISTYPED, ids=[text.strip()[:24] for text, _ in MISTYPED])
def test_each_mistake_is_named_with_its_place_and_what_to_do(text: str, said: str) -> None:
    document = read("p.yml", text)
    assert [str(problem) for problem in document.problems] == [said]


def test_words_that_yaml_would_change_stay_what_was_typed() -> None:
    text = "a: no\nb: on\nc: 1:30\nd: 010\ne: 2026-01-05\nf: 1_000\ng: 0x1F\nh: Off\n"
    assert list(read("p.yml", text).data.values()) == [
        "no",
        "on",
        "1:30",
        "010",
        "2026-01-05",
        "1_000",
        "0x1F",
        "Off",
    ]


def test_numbers_truth_and_nothing_are_read_as_such_unless_quoted() -> None:
    text = "a: 7\nb: -1.5\nc: true\nd: null\ne:\nf: '7'\ng: \"true\"\nh: 1e3\n"
    assert list(read("p.yml", text).data.values()) == [7, -1.5, True, None, None, "7", "true", 1000.0]


def test_places_are_those_of_the_value_and_of_its_key() -> None:
    document = read("p.yml", "a: 1\nalert:\n  fields: [x, yy]\n")
    assert document.at(("alert", "fields", 1)) == (3, 15)
    assert document.at(("alert", "fields"), key=True) == (3, 3)
    assert document.at(("alert", "absent", "deeper")) == (3, 3)


@given(st.text(max_size=80))
def test_any_text_is_read_or_named_and_never_raises(text: str) -> None:
    document = read("p.yml", text)
    for problem in document.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in problem.what


@given(st.integers(-(10**30), 10**30))
def test_an_integer_is_read_back_as_it_was_written(number: int) -> None:
    assert scalar(str(number)) == number
