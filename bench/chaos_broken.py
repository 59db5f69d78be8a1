"""Patrol with one rule broken, to show that chaos can fail: `python -m bench.chaos_broken RULE serve …`.

Replaces one function each in this process only; nothing of it lies in bot/, and no setting leads here.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime

from bot.__main__ import main
from bot.core import message as messages
from bot.core.alert import Alert
from bot.core.message import Message, Move
from bot.killpoint import reach
from bot.store import Store
from bot.store.runs import move_watermark
from bot.store.values import RunSave


def no_reconcile() -> None:
    """After an unknown outcome it posts again, as soon as the lease allows, without looking."""

    def after_intent(message: Message, now: datetime) -> Move:
        leased = message.sending_since and message.lease_until and now < message.lease_until
        return Move.wait if leased else Move.post

    messages._after_intent = after_intent


def split_watermark() -> None:
    """The watermark is saved in a transaction of its own, before the alerts."""
    whole = Store.save

    def save(self: Store, saved: RunSave, now: datetime) -> tuple[Alert, ...]:
        if not saved.incremental:
            return whole(self, saved, now)
        run, end = saved.run, saved.window.end
        with self._database.write() as c:
            moved = move_watermark(self._database, c, run, end)
        if not moved:
            return whole(self, saved, now)  # which says so
        if saved.changes:
            reach("save.between")
        there = max(run.from_watermark or end, end) if run.cause.moves_watermark else run.from_watermark
        return whole(self, replace(saved, run=replace(run, from_watermark=there)), now)

    Store.save = save  # type: ignore[method-assign]  # that is the point


BREAK = {"no-reconcile": no_reconcile, "split-watermark": split_watermark}

if __name__ == "__main__":
    BREAK[sys.argv.pop(1)]()
    main()
