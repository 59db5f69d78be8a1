"""Files as somebody who means harm would write them: each is named in a sentence, and nothing breaks."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sensors.cases.values import from_json
from sensors.model.catalog import Problem
from sensors.sources import fingerprint
from sensors.yaml_marks import read
from tests.sensors.project import POLICY, SQL, Project

DEEP = "this is nested too deeply to be read"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 100_000 + "]" * 100_000,  # the C parser dies of it
        "a: " + "{a: " * 900 + "1" + "}" * 900,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 300)),
        "a:\n  " + "- " * 300 + "1\n",
    ],
)
def test_yaml_without_end_is_a_problem_of_its_file(text: str) -> None:
    assert [one.what for one in read("p.yml", text).problems] == [DEEP]


def test_json_without_end_is_no_json() -> None:
    assert from_json("[" * 50 + "]" * 50) is not None
    for text in ("[" * 60 + "]" * 60, "[" * 100_000 + "]" * 100_000):
        with pytest.raises(ValueError, match="too deeply"):
            from_json(text)


def test_a_long_file_is_read_in_the_time_of_its_length() -> None:
    """It took 91 seconds for so many tables while each value counted the lines again."""
    tables = "".join(f"s.t{n}:\n  columns: {{a: text}}\n" for n in range(10_000))
    started = time.monotonic()
    assert len(read("policies/_assets.yml", tables).data) == 10_000
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    "shaping",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'a'.center(10000000000) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 'a'|center(10000000000) }}",
        "{{ 'a'|indent(10000000000) }}",
        "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 21 + "{{ a }}",
    ],
)
def test_a_short_template_makes_no_long_query(project: Project, shaping: str) -> None:
    project.write(SQL, f"{shaping}\n{project.read(SQL)}")
    assert [one for one in project.said() if one.startswith(f"{SQL}:1:")]


def test_macros_that_call_one_another_are_named(project: Project) -> None:
    project.write(
        "sql/_macros/a.sql", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}"
    )
    project.write(SQL, project.read(SQL) + "AND {{ a() }}\n")
    assert [one.rpartition(" ")[2] for one in project.said() if "macros call one another" in one] == ["end"]


def test_a_file_whose_name_cannot_be_printed_is_named_and_the_others_are_read(project: Project) -> None:
    for name in (b"\xff.yml", b"a\nb.yml", b"\x1b[31m.yml"):
        (Path(os.fsdecode(os.fsencode(project.path) + b"/policies/" + name))).write_text("x: 1")
    said = [one for one in project.said() if "name holds what cannot be printed" in one]
    assert len(said) == 3
    assert all(one.isprintable() for one in said)
    assert project.load().policies
    assert fingerprint(project.path)


def test_a_link_to_a_folder_around_it_is_left_alone(project: Project) -> None:
    (project.path / "policies/round").symlink_to(project.path / "policies")
    (project.path / "policies/payments/here").symlink_to(".")
    assert [*project.load().policies] == ["payments.off_platform"]


def test_what_a_problem_quotes_moves_no_cursor_and_begins_no_line(project: Project) -> None:
    project.change(POLICY, "off_platform\n", '"a\\e[2Jb\\n::error::c\\u202ed"\n')
    (said,) = project.said()
    assert said == f'{POLICY}:2:12 violation: no violation "a [2Jb ::error::c d"'


def test_of_a_long_line_the_part_around_the_mistake_is_shown() -> None:
    shown, mark = Problem("p", 1, 5001, "w", source="a" * 5000 + "X" + "b" * 5000).marked()
    assert shown[mark.index("^")] == "X"
    assert len(shown) == 162
    assert Problem("p", 1, 3, "w", source="\tbX").marked() == (" bX", "  ^")
    assert Problem("p", 1, 1, "w", source="").marked() == ()
