"""Makes Slack show what the store says: cards by their counters, then effects in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.core import oncall
from bot.core.action import MACHINE
from bot.core.alert import Alert
from bot.core.change import EffectKind, StoredEffect
from bot.core.ladder import still_due
from bot.core.message import LEASE, LOOK_AGAIN, Message, MessageState, Move, next_move
from bot.errors import OutcomeUnknown, PatrolError, SlackBusy, SlackRefused
from bot.killpoint import reach
from bot.log import get
from bot.metrics import METRICS, Metrics
from bot.slack import face
from bot.slack.blocks import Face
from bot.slack.client import Found, SlackClient
from bot.store import Store
from bot.unrecorded import Unrecorded
from bot.view import View

log = get("deliver")

CHANNEL_GAP = timedelta(seconds=1)  # between two posts in a channel, by whatever process
UPDATE_GAP = timedelta(seconds=2)  # of the workspace's 50 updates a minute the machine takes 30 …
PERSON_GAP = timedelta(milliseconds=200)  # … so that people's clicks find room at once
EDITS, EDITS_BY_PEOPLE = "updates", "updates:people"
SKEW = timedelta(minutes=5)  # between our clock and Slack's
LONGEST_WAIT = timedelta(minutes=10)
SAID_BY_SLACK = (EffectKind.reply, EffectKind.page, EffectKind.tell)
# What Slack says of a message that can no longer be edited or replied to: it is posted anew.
GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})
ELSEWHERE = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})
PLAINER = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
# Where Slack does not let us look, nothing can be found: then it is sent again, rather than never.
UNSEEN = GONE | ELSEWHERE | {"missing_scope"}
HELD_BACK = timedelta(minutes=1)  # what cannot be drawn


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
        self._held_back: dict[str, datetime] = {}
        self._unrecorded = Unrecorded()
        self._ahead = timedelta()  # our clock of Slack's, as its last answer to a post showed

    def clock_jumped(self) -> None:
        """The times that this process keeps are of another clock."""
        self._slots.clear()
        self._held_back.clear()

    def once(self) -> int:
        """Sends what may be sent now; how many messages moved."""
        moved = 0
        self._unrecorded.catch_up()
        for alert, message in self.store.outbox.cards(self.clock()):
            moved += self._guarded(f"card-{alert.id}", partial(self._card, alert, message))
        for stored, alert, message in self.store.outbox.effects(self.clock(), kinds=SAID_BY_SLACK):
            moved += self._guarded(f"effect-{stored.id}", partial(self._effect, stored, alert, message))
        for sent in self.store.outbox.look_again(self.clock()):
            moved += self._guarded(sent.delivery, partial(self._look, sent))
        return moved

    def _guarded(self, delivery: str, move: Callable[[], bool]) -> bool:
        """One message that breaks something here holds up no other."""
        now = self.clock()
        if self._held_back.get(delivery, now) > now:
            return False
        try:
            return move()
        except PatrolError:
            raise
        except Exception as broken:
            log.exception("not sent", delivery=delivery)
            self.trouble = f"{delivery}: {type(broken).__name__} inside Patrol, see the log"
            self._held_back[delivery] = now + HELD_BACK
            return False

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
        line, gap = (EDITS_BY_PEOPLE, PERSON_GAP) if by_person else (EDITS, UPDATE_GAP)
        if not self._turn(line, gap):
            return False
        drawn, now = self._face(alert), self.clock()
        taken = replace(message, lease_until=now + LEASE)
        if not self.store.outbox.intend(taken, now, was=message):
            return False
        free = replace(taken, lease_until=None, attempts=taken.attempts + 1)
        try:
            self.slack.update(message.channel, ts, drawn, message.delivery, alert.face_seq)
        except SlackRefused as refused:
            return self._update_refused(taken, free, alert, refused)
        except SlackBusy as busy:
            self._slots[line] = now + timedelta(seconds=busy.seconds)
            return self._later(taken, free, busy)
        except OutcomeUnknown as unknown:
            return self._later(taken, replace(free, look_again_at=now + LOOK_AGAIN), unknown)
        return self._updated(taken, free, alert)

    def _updated(self, taken: Message, free: Message, alert: Alert) -> bool:
        self.trouble = ""
        self.metrics.sent("update", "ok")
        again = self.clock() + LOOK_AGAIN if taken.look_again_at else None
        shown = replace(
            free, shown_seq=alert.face_seq, attempts=0, retry_at=None, look_again_at=again, error=""
        )
        return self.store.outbox.record(shown, was=taken)

    def _update_refused(self, taken: Message, free: Message, alert: Alert, refused: SlackRefused) -> bool:
        """A card that is gone, or whose channel is, is posted anew; one that is too fine is sent plain."""
        if anew := self._anew(free, refused):
            return self.store.outbox.record(anew, was=taken)
        if refused.code in PLAINER and taken.ts:
            plain = face.card_plain(alert, self.view.context(alert))
            try:
                self.slack.update(taken.channel, taken.ts, plain, taken.delivery, alert.face_seq)
            except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
                return self._later(taken, free, trouble)
            return self._updated(taken, free, alert)
        return self._later(taken, free, refused)

    def _anew(self, card: Message, refused: SlackRefused) -> Message | None:
        """The card to be posted once more, here or in its team's channel; None where neither helps."""
        channel = card.channel if refused.code in GONE else ""
        if refused.code in ELSEWHERE:
            alert = self.store.alerts.get(card.alert)
            team = self.view.team_of(alert) if alert else None
            channel = team.channel if team and team.channel != card.channel else ""
        if not channel:
            return None
        log.warning("posted anew", delivery=card.delivery, why=str(refused), channel=channel)
        return Message(card.delivery, card.alert, None, channel, attempts=card.attempts, error=str(refused))

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
                first = message or Message(f"effect-{stored.id}", alert.id, stored.id, card.channel)
                there = replace(first, channel=card.channel, thread_ts=card.ts)  # the card may have moved
                return self._post(there, message, 0, lambda: self._reply(stored, alert), stored)
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
        drawn, now = draw(), self.clock()
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
        return self._send(intent, drawn, seq, stored)

    def _send(self, intent: Message, drawn: Face, seq: int, stored: StoredEffect | None) -> bool:
        broadcast = bool(stored and stored.effect.broadcast)
        try:
            ts = self.slack.post(
                intent.channel,
                drawn,
                intent.delivery,
                thread_ts=intent.thread_ts,
                broadcast=broadcast,
                seq=seq,
            )
        except SlackRefused as refused:
            return self._post_refused(intent, drawn, seq, stored, refused)
        except SlackBusy as busy:
            self._slots[intent.channel] = self.clock() + timedelta(seconds=busy.seconds)
            return self._later(intent, replace(intent, sending_since=None, lease_until=None), busy)
        except OutcomeUnknown as unknown:
            log.warning("outcome unknown", delivery=intent.delivery, why=str(unknown))
            self.metrics.sent("post", "unknown")
            return False
        reach("send.after")
        return self._posted(intent, ts, seq, stored)

    def _posted(self, intent: Message, ts: str, seq: int, stored: StoredEffect | None) -> bool:
        self.trouble = ""
        self.metrics.sent("post", "ok")
        if stored is None and (alert := self.store.alerts.get(intent.alert)) and alert.face_seq == seq == 1:
            self.metrics.row_to_post((self.clock() - alert.as_of).total_seconds())
        again = self.clock() + LOOK_AGAIN if intent.look_again_at else None
        posted = replace(intent, state=MessageState.posted, ts=ts, shown_seq=seq, look_again_at=again)
        posted = replace(posted, lease_until=None, attempts=0, error="")
        reach("record.before")
        self._ahead = max(timedelta(), self.clock() - datetime.fromtimestamp(float(ts), UTC))
        recorded = self._unrecorded.record(
            intent.delivery, lambda: self.store.outbox.record(posted, was=intent)
        )
        if recorded and stored:
            self.store.outbox.end(stored.id, "done", ts, self.clock())
        reach("record.after")
        return recorded

    def _post_refused(
        self, intent: Message, drawn: Face, seq: int, stored: StoredEffect | None, refused: SlackRefused
    ) -> bool:
        """Slack said no, so nothing stands: plainer, elsewhere, or later; never dropped."""
        free = replace(intent, sending_since=None, lease_until=None)
        if refused.code in PLAINER and drawn.blocks:
            log.error("refused by Slack; sent plain", delivery=intent.delivery, why=str(refused))
            return self._send(intent, self._plain(intent, drawn), seq, stored)
        if intent.effect is None and refused.code in ELSEWHERE and (anew := self._anew(free, refused)):
            return self.store.outbox.record(anew, was=intent)
        card = self.store.outbox.message(intent.alert) if stored else None
        if card and card.state is MessageState.posted and (anew := self._anew(card, refused)):
            self.store.outbox.record(anew, was=card)  # the reply goes where its card is going
        return self._later(intent, free, refused)

    def _plain(self, intent: Message, drawn: Face) -> Face:
        """The same without the newer kinds of block; then, if that too is refused, without any."""
        alert = self.store.alerts.get(intent.alert) if intent.effect is None else None
        plain = face.card_plain(alert, self.view.context(alert)) if alert else None
        return plain if plain and plain.blocks != drawn.blocks else Face(drawn.text, [])

    def _later(self, taken: Message, free: Message, why: Exception) -> bool:
        """Not now: when Slack says so, else after a pause that doubles. Log and /healthz say it."""
        wait = timedelta(seconds=2 ** min(free.attempts, 9))
        if isinstance(why, SlackBusy):
            wait = timedelta(seconds=why.seconds)
        at = self.clock() + min(wait, LONGEST_WAIT)
        self.trouble = f"{taken.delivery} in {taken.channel}: {why}"
        log.warning("not sent", delivery=taken.delivery, why=str(why), again_at=f"{at:%H:%M:%S}")
        self.metrics.sent("post", type(why).__name__)
        self.store.outbox.record(replace(free, retry_at=at, error=str(why)), was=taken)
        return False

    # ------------------------------------------------------------------ looking

    def _look(self, message: Message) -> bool:
        """After an unknown outcome: is it there? Found, it is adopted; copies are deleted."""
        try:
            found = self._find(message)
            kept = next((one for one in found if one.ts == message.ts), next(iter(found), None))
            for copy in found:
                if copy is not kept:
                    self._delete(message, copy.ts)
        except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
            return self._later(message, replace(message, attempts=message.attempts + 1), trouble)
        now, free = self.clock(), replace(message, attempts=0, retry_at=None, error="")
        if message.state is MessageState.posted:
            shown = kept.seq if kept else message.shown_seq  # an edit that came late shows an earlier state
            return self.store.outbox.record(replace(free, shown_seq=shown, look_again_at=None), was=message)
        if kept:
            log.info("found after all", delivery=message.delivery, ts=kept.ts)
            adopted = replace(free, state=MessageState.posted, ts=kept.ts, shown_seq=kept.seq)
            return self.store.outbox.record(replace(adopted, lease_until=None, absent_at=None), was=message)
        if message.absent_at is None:
            self.store.outbox.record(replace(free, absent_at=now), was=message)
            return False
        log.info("absent twice: sent again", delivery=message.delivery)
        again = replace(free, sending_since=None, lease_until=None, absent_at=None)
        return self.store.outbox.record(replace(again, look_again_at=now + LOOK_AGAIN), was=message)

    def _find(self, message: Message) -> list[Found]:
        oldest = (message.sending_since or self.clock()) - SKEW - self._ahead
        try:
            return self.slack.find(
                message.channel, message.delivery, oldest=oldest, thread_ts=message.thread_ts
            )
        except SlackRefused as refused:
            if refused.code not in UNSEEN:
                raise
            log.warning("cannot look", delivery=message.delivery, why=str(refused))
            return []

    def _delete(self, message: Message, ts: str) -> None:
        """A copy that Slack does not let us delete stays: it holds up nothing."""
        try:
            self.slack.delete(message.channel, ts)
            log.warning("copy deleted", delivery=message.delivery, ts=ts)
        except SlackRefused as refused:
            log.error("copy not deleted", delivery=message.delivery, ts=ts, why=str(refused))

    # ------------------------------------------------------------------- pacing

    def _turn(self, name: str, gap: timedelta) -> bool:
        """Whether it is our turn: a slot is reserved from the store once, and kept until its time comes. One
        that was not used when it came has passed: others may have taken theirs since."""
        now = self.clock()
        kept = self._slots.get(name)
        at = kept if kept and now < kept + gap else self.store.outbox.slot(name, now, gap)
        if at > now:
            self._slots[name] = at
            return False
        self._slots.pop(name, None)
        return True
