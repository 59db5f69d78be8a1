"""One message to Slack: the intent is written, it is sent once, the outcome is recorded. Never dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.core.change import StoredEffect
from bot.core.message import LEASE, LOOK_AGAIN, Message, MessageState
from bot.deliver.channels import CLOSED_REST, Channels
from bot.deliver.pacing import CHANNEL_GAP, LONGEST_WAIT, Pacing
from bot.deliver.refusals import (
    ELSEWHERE,
    GONE,
    PLAINER,
    SEEN_FROM_OUTSIDE,
    STILL_STANDS,
    WHOLE,
    of_place,
)
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.killpoint import reach
from bot.process.log import get
from bot.process.metrics import Metrics
from bot.process.unrecorded import Unrecorded
from bot.slack import face
from bot.slack.blocks import Face
from bot.slack.client import SlackClient
from bot.store import Store
from bot.view import View

log = get("deliver")

PATIENCE = 4  # tries of a reply that Slack refuses by itself, before it is parked
Draw = Callable[[], Face]


@dataclass(frozen=True)
class Sending:
    """A message under way: what it shows, of which state, and the effect that it carries, if any."""

    intent: Message
    drawn: Face
    seq: int
    stored: StoredEffect | None = None


class Posting:
    def __init__(
        self,
        store: Store,
        view: View,
        slack: SlackClient,
        clock: Callable[[], datetime],
        metrics: Metrics,
        pacing: Pacing,
        channels: Channels,
    ) -> None:
        self.store = store
        self.view = view
        self.slack = slack
        self.clock = clock
        self.metrics = metrics
        self.pacing = pacing
        self.channels = channels
        self.trouble = ""  # the last odd refusal, in words
        self.unrecorded = Unrecorded()
        self.ahead = timedelta()  # our clock of Slack's, as its last answer to a post showed

    def post(
        self, message: Message, was: Message | None, seq: int, draw: Draw, stored: StoredEffect | None = None
    ) -> bool:
        """Writes the intent, sends once, records. After an unknown outcome the next move is to look."""
        if not message.channel:
            self.trouble = f"ALR-{message.alert} has no channel: name one in policies/_teams.yml"
            return False
        if not self.pacing.turn(message.channel, CHANNEL_GAP):
            return False
        drawn, intent = draw(), self.intended(message)
        if not self.store.outbox.intend(intent, self.clock(), was=was):
            return False
        reach("send.before")
        return self._send(Sending(intent, drawn, seq, stored))

    def intended(self, message: Message) -> Message:
        now = self.clock()
        return replace(
            message,
            state=MessageState.sending,
            sending_since=now,
            lease_until=now + LEASE,
            absent_at=None,
            retry_at=None,
            attempts=message.attempts + 1,
        )

    def _send(self, one: Sending) -> bool:
        intent = one.intent
        try:
            ts = self.slack.post(
                intent.channel,
                one.drawn,
                intent.delivery,
                thread_ts=intent.thread_ts,
                broadcast=bool(one.stored and one.stored.effect.broadcast),
                seq=one.seq,
            )
        except SlackRefused as refused:
            return self._refused(one, refused)
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, intent.channel)
            return self.later(intent, nothing_sent(intent), busy)
        except OutcomeUnknown as unknown:
            return self.unknown(intent, unknown)
        reach("send.after")
        return self.posted(one, ts)

    def unknown(self, intent: Message, why: OutcomeUnknown) -> bool:
        """It stays as it is written: after the lease it is looked for."""
        log.warning("outcome unknown", delivery=intent.delivery, why=str(why))
        self.metrics.sent("post", "unknown")
        self.pacing.told(why)
        return False

    def posted(self, one: Sending, ts: str | None) -> bool:
        self.well(one.intent.channel)
        self.metrics.sent("post", "ok")
        intent, stored = one.intent, one.stored
        if (
            stored is None
            and (alert := self.store.alerts.get(intent.alert))
            and alert.face_seq == one.seq == 1
        ):
            self.metrics.row_to_post((self.clock() - alert.as_of).total_seconds())
        again = self.clock() + LOOK_AGAIN if intent.look_again_at else None
        posted = replace(intent, state=MessageState.posted, ts=ts, shown_seq=one.seq, look_again_at=again)
        posted = replace(posted, lease_until=None, attempts=0, error="")
        reach("record.before")
        if ts:
            self.ahead = max(timedelta(), self.clock() - datetime.fromtimestamp(float(ts), UTC))
        recorded = self.unrecorded.record(
            intent.delivery, lambda: self.store.outbox.record(posted, was=intent)
        )
        if recorded and stored:
            self.store.outbox.end(stored.id, "done", ts or "", self.clock())
        reach("record.after")
        return recorded

    def well(self, channel: str) -> None:
        """Something of ours went through there."""
        self.trouble = ""
        self.pacing.answered()
        self.channels.took(channel)

    # ----------------------------------------------------------------- refusals

    def _refused(self, one: Sending, refused: SlackRefused) -> bool:
        """Slack said no, so nothing stands: plainer, elsewhere, or later; never dropped."""
        if refused.code in PLAINER and one.drawn.blocks:
            log.error("refused by Slack; sent plain", delivery=one.intent.delivery, why=str(refused))
            return self._send(replace(one, drawn=self._plain(one.intent, one.drawn)))
        return self.put_by(one.intent, one.stored, refused)

    def put_by(self, intent: Message, stored: StoredEffect | None, refused: SlackRefused) -> bool:
        """What becomes of a message that Slack does not take as it is."""
        free = nothing_sent(intent)
        if refused.code in WHOLE:
            self.pacing.refused(refused.code)
            self.metrics.sent("post", type(refused).__name__)
            self.store.outbox.record(replace(free, error=str(refused)), was=intent)
            return False
        self.pacing.told(refused)
        by_itself = refused.code not in SEEN_FROM_OUTSIDE  # the channel may take others
        if stored and by_itself and intent.attempts >= PATIENCE:
            return self.park(intent, stored, refused)
        card = self.store.outbox.message(intent.alert) if stored else intent
        anew = self.anew(card, refused) if card else None
        if card and anew and (stored is None or card.state is MessageState.posted):
            self.store.outbox.record(anew, was=card)
            if stored is None:
                return True
            self.store.outbox.record(
                replace(free, error=str(refused)), was=intent
            )  # it goes where its card is going
            return False
        if refused.code in ELSEWHERE:
            return self._wait_there(intent, free, refused)
        return self.later(intent, free, refused)

    def _wait_there(self, intent: Message, free: Message, refused: SlackRefused) -> bool:
        """There is no other channel: all that is for it waits in its order, and is tried now and then."""
        self.metrics.sent("post", type(refused).__name__)
        if intent.notice is not None:
            self.channels.refused(intent.channel, self.store.notices.team_of(intent.notice), refused.code)
        self.pacing.rest(intent.channel, self.clock() + CLOSED_REST)
        self.store.outbox.record(replace(free, error=str(refused)), was=intent)
        return False

    def anew(self, card: Message, refused: SlackRefused) -> Message | None:
        """The card to be posted once more, here or elsewhere; None where neither helps, or it is none."""
        if card.notice is not None:
            return None
        channel = card.channel if refused.code in GONE else ""
        alert, code = self.store.alerts.get(card.alert), of_place(refused.code)
        if code in ELSEWHERE and alert:
            self.channels.refused(card.channel, alert.terms.team, code)
            way = self.channels.way(alert)
            channel = way if way != card.channel else ""
        if not channel:
            return None
        log.warning("posted anew", delivery=card.delivery, why=str(refused), channel=channel)
        if refused.code in STILL_STANDS and card.ts:
            self._take_away(card.channel, card.ts)
        return Message(card.delivery, card.alert, None, channel, attempts=card.attempts, error=str(refused))

    def _take_away(self, channel: str, ts: str) -> None:
        """The card that can no longer be edited, as far as Slack lets us."""
        try:
            self.slack.delete(channel, ts)
        except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
            log.warning("old card stays", channel=channel, ts=ts, why=str(trouble))

    def park(self, intent: Message, stored: StoredEffect, why: Exception) -> bool:
        """It is in nobody's way; it is said, and tried again later."""
        parked = replace(nothing_sent(intent), state=MessageState.parked, error=str(why))
        if not self.store.outbox.record(parked, was=intent):
            return False
        log.error("parked", delivery=intent.delivery, alert=intent.alert, why=str(why))
        return self.store.outbox.end(stored.id, "parked", str(why), self.clock())

    def _plain(self, intent: Message, drawn: Face) -> Face:
        """The same without what some workspaces do not take; then, if that too is refused, without any."""
        if drawn.plainer:
            return Face(drawn.text, drawn.plainer)
        alert = self.store.alerts.get(intent.alert) if intent.effect is None else None
        plain = face.card_plain(alert, self.view.context(alert)) if alert else None
        return plain if plain and plain.blocks != drawn.blocks else Face(drawn.text, [])

    def later(self, taken: Message, free: Message, why: Exception) -> bool:
        """Not now: when Slack says so, else after a pause that doubles. Log and /healthz say it."""
        self.metrics.sent("post", type(why).__name__)
        if isinstance(why, SlackBusy):  # the whole line waits, so that this one keeps its place
            log.warning("not sent", delivery=taken.delivery, why=str(why))
            self.store.outbox.record(replace(free, retry_at=None, error=str(why)), was=taken)
            return False
        self.pacing.told(why)
        at = self.clock() + min(timedelta(seconds=2 ** min(free.attempts, 9)), LONGEST_WAIT)
        self.trouble = f"{taken.delivery} in {taken.channel}: {why}"
        log.warning("not sent", delivery=taken.delivery, why=str(why), again_at=f"{at:%H:%M:%S}")
        self.store.outbox.record(replace(free, retry_at=at, error=str(why)), was=taken)
        return False


def nothing_sent(intent: Message) -> Message:
    """The message after a clear no: nothing of it can be at Slack."""
    return replace(intent, sending_since=None, lease_until=None)
