"""After an unknown outcome: is it there? Found it is adopted, copies are deleted, absent twice it is free."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.message import LOOK_AGAIN, Message, MessageState
from bot.deliver.pacing import LOOK_GAP, LOOKS
from bot.deliver.posting import Posting
from bot.deliver.refusals import UNSEEN, WHOLE
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
from bot.slack.client import Found

log = get("deliver")

SKEW = timedelta(minutes=5)  # between our clock and Slack's


class Looking:
    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.store, self.slack = posting.store, posting.slack
        self.clock, self.pacing = posting.clock, posting.pacing

    def look(self, message: Message) -> bool:
        if not self.pacing.turn(LOOKS, LOOK_GAP):
            return False
        try:
            found = self._find(message)
            kept = next((one for one in found if one.ts == message.ts), next(iter(found), None))
            for copy in found:
                if copy is not kept:
                    self.delete(message, copy.ts)
        except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
            return self.not_now(message, trouble)
        self.pacing.answered()
        free = replace(message, attempts=0, retry_at=None, error="")
        if message.state is MessageState.posted:
            shown = kept.seq if kept else message.shown_seq  # an edit that came late shows an earlier state
            return self.store.outbox.record(replace(free, shown_seq=shown, look_again_at=None), was=message)
        if kept:
            log.info("found after all", delivery=message.delivery, ts=kept.ts)
            adopted = replace(free, state=MessageState.posted, ts=kept.ts, shown_seq=kept.seq)
            return self.store.outbox.record(replace(adopted, lease_until=None, absent_at=None), was=message)
        return self.absent(message, free)

    def not_now(self, message: Message, trouble: Exception) -> bool:
        """Slack does not let us look just now."""
        if isinstance(trouble, SlackBusy):
            self.pacing.busy(trouble.seconds, LOOKS)
            return self.posting.later(message, message, trouble)
        if isinstance(trouble, SlackRefused) and trouble.code in WHOLE:
            self.pacing.refused(trouble.code)
            return False
        return self.posting.later(message, replace(message, attempts=message.attempts + 1), trouble)

    def absent(self, message: Message, free: Message) -> bool:
        now = self.clock()
        if message.absent_at is None:
            self.store.outbox.record(replace(free, absent_at=now), was=message)
            return False
        log.info("absent twice: sent again", delivery=message.delivery)
        again = replace(free, sending_since=None, lease_until=None, absent_at=None)
        return self.store.outbox.record(replace(again, look_again_at=now + LOOK_AGAIN), was=message)

    def _find(self, message: Message) -> list[Found]:
        oldest = (message.sending_since or self.clock()) - SKEW - self.posting.ahead
        try:
            return self.slack.find(
                message.channel, message.delivery, oldest=oldest, thread_ts=message.thread_ts
            )
        except SlackRefused as refused:
            if refused.code not in UNSEEN:
                raise
            log.warning("cannot look", delivery=message.delivery, why=str(refused))
            return []

    def delete(self, message: Message, ts: str) -> None:
        """A copy that Slack does not let us delete stays: it holds up nothing."""
        try:
            self.slack.delete(message.channel, ts)
            log.warning("copy deleted", delivery=message.delivery, ts=ts)
        except SlackRefused as refused:
            log.error("copy not deleted", delivery=message.delivery, ts=ts, why=str(refused))
