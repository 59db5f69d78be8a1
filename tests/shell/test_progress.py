"""A bar only where a person waits."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator

import pytest

from bot.cli import progress as bars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("soon", "shown"), [(0.0, True), (60.0, False)])
def test_a_bar_is_drawn_only_for_what_takes_long(
    monkeypatch: pytest.MonkeyPatch, soon: float, shown: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(bars, "SOON_S", soon)
    monkeypatch.setenv("TERM", "xterm")
    letters = bars.progress(taking_its_time("abc", terminal if shown else None), 3, "cases")
    assert list(letters) == ["a", "b", "c"]
    assert ("cases" in terminal.getvalue()) == shown


def test_of_many_works_the_time_since_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    began = time.monotonic() - 3
    assert list(bars.progress(taking_its_time("a", terminal), 1, "2 of 50: a", since=began)) == ["a"]
    assert "2 of 50: a" in terminal.getvalue()


def taking_its_time(letters: str, terminal: Terminal | None) -> Iterator[str]:
    """The first comes only when the bar stands there."""
    until = time.monotonic() + 10
    while terminal is not None and not terminal.getvalue() and time.monotonic() < until:
        time.sleep(0.01)
    yield from letters


def test_scripts_see_none(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = io.StringIO()
    monkeypatch.setattr(sys, "stderr", paper)
    monkeypatch.setattr(bars, "SOON_S", 0.0)
    assert list(bars.progress([1, 2], 2, "cases")) == [1, 2]
    assert paper.getvalue() == ""
