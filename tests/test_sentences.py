"""Each sentence of docs/life-of-an-alert.md has the tests that hold it, and each row of tests/sentences/ its
sentence. Whether a test would fail if its sentence were false is for whoever writes the row to see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.figures import ROWS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "life-of-an-alert.md"
TABLE = ROOT / "tests" / "sentences"
# A sentence ends before a space and what may begin the next: a capital, or marks around a word.
END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*])")
MEASURED = re.compile(r"make figures ROW=(\w+)")
KEYS = {"says", "held_by"}


def sections(page: str) -> dict[str, list[str]]:
    """What the page says, by the part (a heading of the second rank) that says it: sentences, rows of tables
    without their heads, lines of code. The same page gives the same."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    return {slug(name): list(_said(text)) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def slug(heading: str) -> str:
    return re.sub(r"[^a-z]+", "_", heading.partition("(")[0].lower()).strip("_")


def _said(text: str) -> Iterator[str]:
    for piece in _pieces(text):
        yield from _rows(piece) if piece.startswith("|") else _sentences(piece)


def _pieces(text: str) -> Iterator[str]:
    """Tables, and whatever stands between blank lines or behind one mark of a list; code line by line."""
    for n, part in enumerate(re.split(r"^```\w*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)):
        if n % 2:
            yield from (f"`{line}`" for line in part.splitlines() if line.strip())
            continue
        for block in re.split(r"\n\s*\n|\n(?=- )", part):
            if block.strip() and not block.lstrip().startswith("#"):
                yield block.strip().removeprefix("- ")


def _rows(table: str) -> Iterator[str]:
    for line in table.splitlines()[2:]:
        cells = [" ".join(cell.split()) for cell in line.strip().strip("|").split("|")]
        yield " | ".join(cells).strip(" |")


def _sentences(text: str) -> Iterator[str]:
    if text.startswith("`") and text.endswith("`") and text.count("`") == 2:
        yield text
        return
    yield from (" ".join(one.split()) for one in END.split(" ".join(text.split())))


def rows(part: str) -> list[Mapping[str, Any]]:
    """The rows of a part of the page, as they are written."""
    path = TABLE / f"{part}.yml"
    return list(yaml.safe_load(path.read_text()) or ()) if path.exists() else []


@cache
def named_in(path: Path) -> frozenset[str]:
    """The names of its tests; those of a class stand behind its name."""
    found = ast.parse(path.read_text()).body
    inner = [(f"{one.name}::", part) for one in found if isinstance(one, ast.ClassDef) for part in one.body]
    return frozenset(
        f"{within}{one.name}"
        for within, one in [*(("", one) for one in found), *inner]
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
    )


def wrong(name: str) -> str:
    """Why that is no test of ours, or no measured figure; empty where it is one."""
    if measured := MEASURED.fullmatch(name):
        return "" if measured[1] in ROWS else f"{name}: there is no such row"
    path, _, test = name.partition("::")
    file = ROOT / path
    if not (path.startswith("tests/") and file.is_file()):
        return f"{name}: there is no such file"
    return "" if test in named_in(file) else f"{name}: there is no such test"


SAID = sections(PAGE.read_text())


@pytest.mark.parametrize("part", SAID)
def test_each_sentence_has_its_row_and_each_row_its_sentence(part: str) -> None:
    told = [str(row.get("says")) for row in rows(part)]
    missing = [one for one in SAID[part] if one not in told]
    assert missing == [], f"write the tests that hold it into tests/sentences/{part}.yml"
    assert [one for one in told if one not in SAID[part]] == [], "the page does not say it any more"
    assert told == SAID[part], "in the order of the page, each once"


@pytest.mark.parametrize("part", SAID)
def test_each_row_names_tests_that_there_are(part: str) -> None:
    for row in rows(part):
        held_by = row.get("held_by")
        assert set(row) == KEYS, row
        assert isinstance(held_by, list), row
        assert held_by, row
        assert [why for name in held_by if (why := wrong(str(name)))] == []
        assert len(set(held_by)) == len(held_by), row


def test_the_table_has_no_part_that_the_page_has_not() -> None:
    assert {path.stem for path in TABLE.glob("*.yml")} == set(SAID)
    assert sum(map(len, SAID.values())) > 100


def test_a_page_is_taken_apart_into_what_it_says() -> None:
    page = """# Title

Before the first part nothing is said.

## One: two (in short)

A first, `x.y` and 1.5 h. **A second** one?
It goes on… and ends! `code` begins the third.

- An item that
  goes on. And ends.
- Another

### Within

| a | b |
|---|---|
| one | `two` |
| three | |

```sh
ack [142]

list mine
```

## Three
"""
    assert sections(page) == {
        "one_two": [
            "A first, `x.y` and 1.5 h.",
            "**A second** one?",
            "It goes on… and ends!",
            "`code` begins the third.",
            "An item that goes on.",
            "And ends.",
            "Another",
            "one | `two`",
            "three",
            "`ack [142]`",
            "`list mine`",
        ],
        "three": [],
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tests/test_sentences.py::test_a_page_is_taken_apart_into_what_it_says", ""),
        ("tests/test_sentences.py::test_nothing", "no such test"),
        ("tests/test_sentences.py::wrong", "no such test"),
        ("tests/test_sentences.py", "no such test"),
        ("tests/test_nowhere.py::test_it", "no such file"),
        ("bot/core/step.py::step", "no such file"),
        ("make figures ROW=post", ""),
        ("make figures ROW=nothing", "no such row"),
    ],
)
def test_a_name_that_is_no_test_is_found(name: str, why: str) -> None:
    said = wrong(name)
    assert said.endswith(why)
    assert bool(said) == bool(why)
