"""Patrol with one rule broken, to show that chaos can fail: `python -m bench.chaos_broken RULE serve …`.

Replaces one function each in this process only; nothing of it lies in bot/, and no setting leads here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.__main__ import main
from bot.core import message as messages
from bot.core.message import Message, Move
from bot.process.killpoint import reach
from bot.store import Store
from bot.store.saving import WatermarkMoved, move_watermarks
from bot.store.store import Saved
from bot.store.values import RunSave


def no_reconcile() -> None:
    """After an unknown outcome it posts again, as soon as the lease allows, without looking."""

    def after_intent(message: Message, now: datetime) -> Move:
        leased = message.sending_since and message.lease_until and now < message.lease_until
        return Move.wait if leased else Move.post

    messages._after_intent = after_intent


def split_watermark() -> None:
    """The watermarks are saved in transactions of their own, before the alerts."""
    whole = Store.save_all

    def save_all(self: Store, saves: Sequence[RunSave], now: datetime) -> list[Saved]:
        apart = [_apart(self, one) for one in saves]
        if any(one.incremental and one.changes for one in saves):
            reach("save.between")
        return whole(self, apart, now)

    Store.save_all = save_all  # type: ignore[method-assign]  # that is the point


def _apart(store: Store, saved: RunSave) -> RunSave:
    """The watermark is moved; what is left to save finds it where it must be."""
    if not saved.incremental:
        return saved
    run, end = saved.run, saved.window.end
    try:
        with store._database.write() as c:
            move_watermarks(store._database, c, [saved])
    except WatermarkMoved:
        return saved  # the save will say so
    there = max(run.from_watermark or end, end) if run.cause.moves_watermark else run.from_watermark
    return replace(saved, run=replace(run, from_watermark=there))


BREAK = {"no-reconcile": no_reconcile, "split-watermark": split_watermark}

if __name__ == "__main__":
    BREAK[sys.argv.pop(1)]()
    main()
