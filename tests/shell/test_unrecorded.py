"""What could not be written down is written later, in its order; what cannot be written ever is let go."""

from __future__ import annotations

import pytest

from bot.process.errors import StoreAway
from bot.process.unrecorded import Unrecorded


def test_writes_that_met_no_store_are_made_up_for_in_their_order() -> None:
    kept, written, away = Unrecorded(), [], [True]

    def write(name: str) -> bool:
        if away[0]:
            raise StoreAway("The store does not answer.")
        written.append(name)
        return True

    for name in ("card-2", "card-1"):
        with pytest.raises(StoreAway):
            kept.record(name, lambda name=name: write(name))
    with pytest.raises(StoreAway):
        kept.catch_up()
    assert written == []
    away[0] = False
    kept.catch_up()
    kept.catch_up()
    assert written == ["card-2", "card-1"]
    assert kept.record("card-3", lambda: write("card-3"))


def test_a_write_that_breaks_holds_up_no_other() -> None:
    kept, written = Unrecorded(), []
    kept.keep("broken", lambda: 1 / 0)
    kept.keep("sound", lambda: written.append("sound"))
    kept.catch_up()
    assert written == ["sound"]
