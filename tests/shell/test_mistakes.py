"""Thirty and more policies as newcomers break them: all that check says of each, and the page of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.check import problems
from bot.process.settings import load as load_settings
from sensors.catalog import load
from tests.shell.mistakes import GOOD, SLIPS, Slip, broken, page

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"


def said(folder: Path, files: dict[str, str]) -> tuple[str, ...]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    settings = load_settings(folder, {})
    return tuple(str(p) for p in problems(load(folder, dialect=settings.dialect), settings))


def test_the_policy_that_they_are_made_of_is_right(tmp_path: Path) -> None:
    assert said(tmp_path, GOOD) == ()


@pytest.mark.parametrize("slip", SLIPS, ids=[slip.meant for slip in SLIPS])
def test_a_slip_is_named_with_its_place_and_nothing_else_is(tmp_path: Path, slip: Slip) -> None:
    assert broken(slip) != GOOD
    assert said(tmp_path, broken(slip)) == slip.said


def test_there_are_more_than_thirty_and_no_two_are_said_alike() -> None:
    assert len(SLIPS) >= 30
    assert len({slip.said for slip in SLIPS}) == len({slip.meant for slip in SLIPS}) == len(SLIPS)


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.shell.mistakes > docs/mistakes.md"
