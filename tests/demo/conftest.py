"""A marketplace in a folder of the test's own, its clock moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.demo.market import Market

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
Open = Callable[..., Market]


@pytest.fixture(name="open_market")
def _open_market(tmp_path: Path) -> Iterator[Open]:
    """Opens a market; all are closed at the end."""
    opened: list[Market] = []

    def open_one(
        now: datetime = NOON, *, folder: str = "market", seed: int = 7, calm: bool = True, fresh: bool = False
    ) -> Market:
        opened.append(Market(tmp_path / folder, seed, now, calm=calm, fresh=fresh))
        return opened[-1]

    yield open_one
    for market in opened:
        market.close()
