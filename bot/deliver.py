"""Makes Slack show what the store says: cards by their counters, then effects in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import oncall
from bot.core.action import MACHINE
from bot.core.alert import Alert
from bot.core.change import EffectKind, StoredEffect
from bot.core.ladder import still_due
from bot.core.message import LEASE, Message, MessageState, Move, next_move
from bot.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.killpoint import reach
from bot.log import get
from bot.metrics import METRICS, Metrics
from bot.slack import face
from bot.slack.blocks import Face
from bot.slack.client import SlackClient
from bot.store import Store
from bot.view import View

log = get("deliver")

CHANNEL_GAP = timedelta(seconds=1)  # between two posts in a channel, by whatever process
UPDATE_GAP = timedelta(seconds=2)  # of the workspace's 50 updates a minute the machine takes 30 …
PERSON_GAP = timedelta(milliseconds=200)  # … so that people's clicks find room at once
SKEW = timedelta(minutes=5)  # between our clock and Slack's
LONGEST_WAIT = timedelta(minutes=10)
SAID_BY_SLACK = (EffectKind.reply, EffectKind.page, EffectKind.tell)
GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message"})
ELSEWHERE = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})


class Deliverer:
    """One in a process; several processes share the work through the store."""

    def __init__(
        self,
        store: Store,
        view: View,
        slack: SlackClient,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
    ) -> None:
        self.store = store
        self.view = view
        self.slack = slack
        self.clock = clock
        self.metrics = metrics or METRICS
        self.trouble = ""  # the last refusal, in words, for /healthz
        self._slots: dict[str, datetime] = {}

    def once(self) -> int:
        """Sends what may be sent now; how many messages moved."""
        moved = sum(self._card(alert, message) for alert, message in self.store.outbox.cards(self.clock()))
        waiting = self.store.outbox.effects(self.clock(), kinds=SAID_BY_SLACK)
        return moved + sum(self._effect(*one) for one in waiting)

    # ------------------------------------------------------------------- cards

    def _card(self, alert: Alert, message: Message | None) -> bool:
        match next_move(message, alert.face_seq, self.clock()):
            case Move.post:
                channel = message.channel if message else self.view.channel_of(alert)
                first = message or Message(f"card-{alert.id}", alert.id, None, channel)
                return self._post(first, message, alert.face_seq, lambda: self._face(alert))
            case Move.look if message:
                return self._look(message)
            case Move.update if message and message.ts:
                return self._update(alert, message, message.ts)
        return False

    def _face(self, alert: Alert) -> Face:
        return face.card(alert, self.view.context(alert))

    def _update(self, alert: Alert, message: Message, ts: str) -> bool:
        """Edits the card to what its alert now is. Doing so twice does no harm."""
        by_person = alert.last_event_by not in ("", MACHINE)
        if not self._turn(
            "updates:people" if by_person else "updates", PERSON_GAP if by_person else UPDATE_GAP
        ):
            return False
        now = self.clock()
        taken = replace(message, lease_until=now + LEASE)
        if not self.store.outbox.intend(taken, now, was=message):
            return False
        free = replace(taken, lease_until=None)
        try:
            self.slack.update(message.channel, ts, self._face(alert), message.delivery, alert.face_seq)
        except SlackRefused as refused:
            return self._update_refused(taken, free, alert, refused)
        except (SlackBusy, OutcomeUnknown) as trouble:
            return self._later(taken, free, trouble)
        self.trouble = ""
        self.metrics.sent("update", "ok")
        shown = replace(free, shown_seq=alert.face_seq, attempts=0, retry_at=None, error="")
        return self.store.outbox.record(shown, was=taken)

    def _update_refused(self, taken: Message, free: Message, alert: Alert, refused: SlackRefused) -> bool:
        """A card that somebody deleted is posted anew; one that Slack finds too fine is sent plain."""
        if refused.code in GONE:
            anew = replace(free, state=MessageState.sending, ts=None, sending_since=None, shown_seq=-1)
            return self.store.outbox.record(anew, was=taken)
        if refused.code == "invalid_blocks" and taken.ts:
            plain = face.card_plain(alert, self.view.context(alert))
            try:
                self.slack.update(taken.channel, taken.ts, plain, taken.delivery, alert.face_seq)
            except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
                return self._later(taken, free, trouble)
            return self.store.outbox.record(replace(free, shown_seq=alert.face_seq), was=taken)
        return self._later(taken, free, refused)

    # ----------------------------------------------------------------- effects

    def _effect(self, stored: StoredEffect, alert: Alert, message: Message | None) -> bool:
        now = self.clock()
        if message is None and (why := still_due(stored.effect, alert)):
            return self.store.outbox.end(stored.id, "dropped", why, now)
        card = self.store.outbox.message(alert.id)
        if card is None or card.ts is None:
            return False
        match next_move(message, 0, now):
            case Move.post:
                first = message or Message(
                    f"effect-{stored.id}", alert.id, stored.id, card.channel, thread_ts=card.ts
                )
                return self._post(first, message, 0, lambda: self._reply(stored, alert), stored)
            case Move.look if message:
                return self._look(message)
            case Move.nothing:
                return self.store.outbox.end(stored.id, "done", "", now)
        return False

    def _reply(self, stored: StoredEffect, alert: Alert) -> Face:
        to = self.view.people(stored.effect.to, alert)
        return face.reply(stored.effect, alert, to, oncall.names(self.view.catalog.teams))

    # ----------------------------------------------------------------- posting

    def _post(
        self,
        message: Message,
        was: Message | None,
        seq: int,
        draw: Callable[[], Face],
        stored: StoredEffect | None = None,
    ) -> bool:
        """Writes the intent, sends once, records. After an unknown outcome the next move is to look."""
        if not message.channel:
            self.trouble = f"ALR-{message.alert} has no channel: name one in policies/_teams.yml"
            return False
        if not self._turn(message.channel, CHANNEL_GAP):
            return False
        now = self.clock()
        intent = replace(
            message,
            state=MessageState.sending,
            sending_since=now,
            lease_until=now + LEASE,
            absent_at=None,
            retry_at=None,
            attempts=message.attempts + 1,
        )
        if not self.store.outbox.intend(intent, now, was=was):
            return False
        reach("send.before")
        try:
            ts = self.slack.post(
                message.channel,
                draw(),
                message.delivery,
                thread_ts=message.thread_ts,
                broadcast=bool(stored and stored.effect.broadcast),
                seq=seq,
            )
        except SlackRefused as refused:
            return self._post_refused(intent, refused)
        except SlackBusy as busy:
            return self._later(intent, replace(intent, sending_since=None, lease_until=None), busy)
        except OutcomeUnknown as unknown:
            log.warning("outcome unknown", delivery=message.delivery, why=str(unknown))
            self.metrics.sent("post", "unknown")
            return False
        reach("send.after")
        return self._posted(intent, ts, seq, stored)

    def _posted(self, intent: Message, ts: str, seq: int, stored: StoredEffect | None) -> bool:
        self.trouble = ""
        self.metrics.sent("post", "ok")
        if stored is None and (alert := self.store.alerts.get(intent.alert)) and alert.face_seq == seq == 1:
            self.metrics.row_to_post((self.clock() - alert.as_of).total_seconds())
        posted = replace(
            intent, state=MessageState.posted, ts=ts, shown_seq=seq, lease_until=None, attempts=0, error=""
        )
        reach("record.before")
        recorded = self.store.outbox.record(posted, was=intent)
        if recorded and stored:
            self.store.outbox.end(stored.id, "done", ts, self.clock())
        reach("record.after")
        return recorded

    def _post_refused(self, intent: Message, refused: SlackRefused) -> bool:
        """Slack said no, so nothing stands: elsewhere, plainer, or later; never dropped."""
        free = replace(intent, sending_since=None, lease_until=None)
        alert = self.store.alerts.get(intent.alert)
        team = self.view.team_of(alert) if alert else None
        if refused.code in ELSEWHERE and team and team.channel != intent.channel and not intent.thread_ts:
            log.warning("posted elsewhere", delivery=intent.delivery, why=str(refused), channel=team.channel)
            return self.store.outbox.record(replace(free, channel=team.channel), was=intent)
        if refused.code == "invalid_blocks" and alert and intent.effect is None:
            return self._post_plain(intent, free, alert)
        return self._later(intent, free, refused)

    def _post_plain(self, intent: Message, free: Message, alert: Alert) -> bool:
        log.error("card refused by Slack; sent plain", alert=alert.id)
        plain = face.card_plain(alert, self.view.context(alert))
        try:
            ts = self.slack.post(intent.channel, plain, intent.delivery, seq=alert.face_seq)
        except (SlackRefused, SlackBusy) as trouble:
            return self._later(intent, free, trouble)
        except OutcomeUnknown:
            return False
        return self._posted(intent, ts, alert.face_seq, None)

    def _later(self, taken: Message, free: Message, why: Exception) -> bool:
        """Not now: when Slack says so, else after a pause that doubles. Log and /healthz say it."""
        wait = timedelta(seconds=2 ** min(taken.attempts, 9))
        if isinstance(why, SlackBusy):
            wait = timedelta(seconds=why.seconds)
        at = self.clock() + min(wait, LONGEST_WAIT)
        self.trouble = f"{taken.delivery} in {taken.channel}: {why}"
        log.warning("not sent", delivery=taken.delivery, why=str(why), again_at=f"{at:%H:%M:%S}")
        self.metrics.sent("post", type(why).__name__)
        attempts = taken.attempts + (taken.state is MessageState.posted)
        self.store.outbox.record(replace(free, retry_at=at, error=str(why), attempts=attempts), was=taken)
        return False

    # ------------------------------------------------------------------ looking

    def _look(self, message: Message) -> bool:
        """After an unknown outcome: is it there? Found, it is adopted; later copies are deleted."""
        oldest = (message.sending_since or self.clock()) - SKEW
        try:
            found = self.slack.find(
                message.channel, message.delivery, oldest=oldest, thread_ts=message.thread_ts
            )
            for copy in found[1:]:
                self.slack.delete(message.channel, copy.ts)
                log.warning("copy deleted", delivery=message.delivery, ts=copy.ts)
        except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
            self._later(message, message, trouble)
            return False
        now = self.clock()
        if found:
            log.info("found after all", delivery=message.delivery, ts=found[0].ts)
            adopted = replace(
                message,
                state=MessageState.posted,
                ts=found[0].ts,
                shown_seq=found[0].seq,
                lease_until=None,
                absent_at=None,
            )
            return self.store.outbox.record(adopted, was=message)
        if message.absent_at is None:
            self.store.outbox.record(replace(message, absent_at=now), was=message)
            return False
        log.info("absent twice: sent again", delivery=message.delivery)
        again = replace(message, sending_since=None, lease_until=None, absent_at=None)
        return self.store.outbox.record(again, was=message)

    # ------------------------------------------------------------------- pacing

    def _turn(self, name: str, gap: timedelta) -> bool:
        """Whether it is our turn: a slot is reserved from the store once, and kept until its time comes."""
        now = self.clock()
        at = self._slots.get(name) or self.store.outbox.slot(name, now, gap)
        if at > now:
            self._slots[name] = at
            return False
        self._slots.pop(name, None)
        return True
