"""What people may do is told in the guide as it is, and holds through the desk."""

from __future__ import annotations

from pathlib import Path

from bot.core.access import guide

GUIDE = Path(__file__).parents[2] / "docs" / "policies.md"


def test_the_table_of_the_guide_is_the_table_of_the_code() -> None:
    assert guide() in GUIDE.read_text()
