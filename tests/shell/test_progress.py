"""A bar only where a person waits."""

from __future__ import annotations

import io
import sys

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
    assert list(bars.progress(iter("abc"), 3, "cases")) == ["a", "b", "c"]
    assert ("cases" in terminal.getvalue()) == shown


def test_scripts_see_none(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = io.StringIO()
    monkeypatch.setattr(sys, "stderr", paper)
    monkeypatch.setattr(bars, "SOON_S", 0.0)
    assert list(bars.progress([1, 2], 2, "cases")) == [1, 2]
    assert paper.getvalue() == ""
