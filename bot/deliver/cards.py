"""An alert's card: posted where it belongs, then edited to what its alert now is, moved where it must be."""

from __future__ import annotations

from dataclasses import replace

from bot.core.action import MACHINE
from bot.core.alert import Alert
from bot.core.message import LEASE, LOOK_AGAIN, Message, Move, next_move
from bot.core.reply import Earlier
from bot.deliver.looking import Looking
from bot.deliver.pacing import EDITS, EDITS_BY_PEOPLE, PERSON_GAP, UPDATE_GAP
from bot.deliver.posting import Posting
from bot.deliver.quiet import Quiet
from bot.deliver.refusals import PLAINER, WHOLE
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.slack import face
from bot.slack.blocks import Face


class Cards:
    def __init__(self, posting: Posting, looking: Looking, quiet: Quiet) -> None:
        self.quiet = quiet
        self.posting = posting
        self.looking = looking
        self.store, self.view, self.slack = posting.store, posting.view, posting.slack
        self.clock, self.pacing, self.channels = posting.clock, posting.pacing, posting.channels

    def move(self, alert: Alert, message: Message | None) -> bool:
        match next_move(message, alert.face_seq, self.clock()):
            case Move.post if message is None and self._passed_over(alert):
                return True  # it shows what it then is
            case Move.post:
                first = message or Message(f"card-{alert.id}", alert.id, None, "")
                there = replace(first, channel=self._channel(alert, message))
                return self.posting.post(there, message, alert.face_seq, lambda: self._face(alert))
            case Move.look if message:
                return self.looking.look(message)
            case Move.update if message and message.ts:
                return self._update(alert, message, message.ts)
        return False

    def _passed_over(self, alert: Alert) -> bool:
        """Whether those whom the card would tell do not hear it, so that the next step is told instead. Asked
        when it is its turn."""
        if self.pacing.waits(self._channel(alert, None)):
            return False
        paged = self.view.paged(alert)
        return bool(paged) and self.quiet.passes_over(alert.id, alert.step, paged)

    def _channel(self, alert: Alert, message: Message | None) -> str:
        """Where it is to be posted now; a copy that may yet land late is watched for where it was sent."""
        if message and message.look_again_at and not self.channels.shut(message.channel):
            return message.channel
        return self.channels.way(alert)

    def _face(self, alert: Alert) -> Face:
        about = self.view.context(alert)
        return face.card(alert, replace(about, earlier=self._linked(about.earlier)))

    def _linked(self, earlier: tuple[Earlier, ...]) -> tuple[Earlier, ...]:
        """The alerts that the card names, with where their cards stand: not where a sensitive one does."""
        told = [one.id for one in earlier if not one.sensitive]
        cards = self.store.outbox.cards_of(told) if told else {}
        places = {n: self.slack.address(card.channel, card.ts) for n, card in cards.items() if card.ts}
        return tuple(replace(one, url=places.get(one.id, "")) for one in earlier)

    def _update(self, alert: Alert, message: Message, ts: str) -> bool:
        """Edits the card to what its alert now is. Doing so twice does no harm."""
        by_person = alert.last_event_by not in ("", MACHINE)
        line, gap = (EDITS_BY_PEOPLE, PERSON_GAP) if by_person else (EDITS, UPDATE_GAP)
        if not self.pacing.turn(line, gap):
            return False
        drawn, now = self._face(alert), self.clock()
        taken = replace(message, lease_until=now + LEASE)
        if not self.store.outbox.intend(taken, now, was=message):
            return False
        free = replace(taken, lease_until=None, attempts=taken.attempts + 1)
        try:
            self.slack.update(message.channel, ts, drawn, message.delivery, alert.face_seq)
        except SlackRefused as refused:
            return self._refused(taken, free, alert, refused)
        except SlackBusy as busy:
            self.pacing.busy(busy.seconds, EDITS, EDITS_BY_PEOPLE)
            return self.posting.later(taken, free, busy)
        except OutcomeUnknown as unknown:
            return self.posting.later(taken, replace(free, look_again_at=now + LOOK_AGAIN), unknown)
        return self._updated(taken, free, alert)

    def _updated(self, taken: Message, free: Message, alert: Alert) -> bool:
        self.posting.well("")
        self.posting.metrics.sent("update", "ok")
        again = self.clock() + LOOK_AGAIN if taken.look_again_at else None
        shown = replace(
            free, shown_seq=alert.face_seq, attempts=0, retry_at=None, look_again_at=again, error=""
        )
        return self.store.outbox.record(shown, was=taken)

    def _refused(self, taken: Message, free: Message, alert: Alert, refused: SlackRefused) -> bool:
        """A card that is gone, or whose channel is, is posted anew; one that is too fine is sent plain."""
        if refused.code in WHOLE:
            self.pacing.refused(refused.code)
            unmoved = replace(free, attempts=taken.attempts, error=str(refused))
            self.store.outbox.record(unmoved, was=taken)
            return False
        if anew := self.posting.anew(free, refused):
            return self.store.outbox.record(anew, was=taken)
        if refused.code in PLAINER and taken.ts:
            plain = face.card_plain(alert, self.view.context(alert))
            try:
                self.slack.update(taken.channel, taken.ts, plain, taken.delivery, alert.face_seq)
            except (SlackRefused, SlackBusy, OutcomeUnknown) as trouble:
                return self.posting.later(taken, free, trouble)
            return self._updated(taken, free, alert)
        return self.posting.later(taken, free, refused)
