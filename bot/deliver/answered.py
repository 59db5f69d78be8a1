"""Pages that were answered ask no more: their button goes, and what happened stands there instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.core.alert import Alert
from bot.core.change import StoredEffect
from bot.core.message import LEASE, Message
from bot.deliver.pacing import EDITS, EDITS_BY_PEOPLE, UPDATE_GAP
from bot.deliver.posting import Posting
from bot.deliver.refusals import WHOLE
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.slack import face
from bot.slack.blocks import Face


class Answered:
    def __init__(self, posting: Posting, drawn: Callable[[StoredEffect, Alert], Face]) -> None:
        self.posting = posting
        self._drawn = drawn
        self.store, self.slack = posting.store, posting.slack
        self.clock, self.pacing = posting.clock, posting.pacing

    def move(self, stored: StoredEffect, alert: Alert, message: Message) -> bool:
        if asks := face.asks(stored.effect, alert):  # what people did meanwhile is no answer to it
            return self.store.outbox.record(replace(message, shown_seq=asks), was=message)
        if message.ts is None or not self.pacing.turn(EDITS, UPDATE_GAP):
            return False
        now = self.clock()
        taken = replace(message, lease_until=now + LEASE)
        if not self.store.outbox.intend(taken, now, was=message):
            return False
        free = replace(taken, lease_until=None, attempts=taken.attempts + 1)
        over = replace(free, shown_seq=0, attempts=0, retry_at=None, error="")
        try:
            self.slack.update(message.channel, message.ts, self._drawn(stored, alert), message.delivery, 0)
        except SlackRefused as refused:
            if refused.code in WHOLE:
                self.pacing.refused(refused.code)
                return self.posting.later(taken, replace(free, attempts=taken.attempts), refused)
            return self.store.outbox.record(replace(over, error=str(refused)), was=taken)  # it stays as it is
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, EDITS, EDITS_BY_PEOPLE)
            return self.posting.later(taken, free, busy)
        except OutcomeUnknown as unknown:
            return self.posting.later(taken, free, unknown)  # doing so twice does no harm
        self.posting.well("")
        return self.store.outbox.record(over, was=taken)
