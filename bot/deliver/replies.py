"""What is said in an alert's thread: one effect after another, judged again when its turn has come."""

from __future__ import annotations

from dataclasses import replace

from bot.core import oncall
from bot.core.alert import Alert
from bot.core.change import EffectKind, StoredEffect
from bot.core.ladder import still_due
from bot.core.message import Message, MessageState, Move, next_move
from bot.deliver.files import Files
from bot.deliver.looking import Looking
from bot.deliver.posting import Posting
from bot.deliver.quiet import Quiet
from bot.slack import face
from bot.slack.blocks import Face


class Replies:
    def __init__(self, posting: Posting, looking: Looking, files: Files, quiet: Quiet) -> None:
        self.quiet = quiet
        self.posting = posting
        self.looking = looking
        self.files = files
        self.store, self.view, self.clock = posting.store, posting.view, posting.clock

    def move(self, stored: StoredEffect, alert: Alert, message: Message | None) -> bool:
        now = self.clock()
        if message is None and (why := still_due(stored.effect, alert)):
            return self.store.outbox.end(stored.id, "dropped", why, now)
        card = self.store.outbox.message(alert.id)
        if card is None or card.ts is None:
            return False
        if message is None and self._passed_over(stored, alert):
            return self.store.outbox.end(stored.id, "dropped", "nobody would have heard it", now)
        match next_move(message, 0, now):
            case Move.post:
                return self._post(stored, alert, message, card, card.ts)
            case Move.look if message:
                is_file = stored.effect.kind is EffectKind.file
                return self.files.look(message) if is_file else self.looking.look(message)
            case Move.nothing if message and message.state is MessageState.parked:
                return self.store.outbox.end(stored.id, "parked", message.error, now)
            case Move.nothing:
                return self.store.outbox.end(stored.id, "done", "", now)
        return False

    def _passed_over(self, stored: StoredEffect, alert: Alert) -> bool:
        """A page that nobody would hear makes way for that of the next step."""
        effect = stored.effect
        if effect.kind is not EffectKind.page or alert.step >= len(alert.terms.ladder):
            return False
        told = int(effect.data.get("step") or 0)
        return self.quiet.passes_over(alert.id, told, self.view.people(effect.to, alert))

    def _post(
        self, stored: StoredEffect, alert: Alert, message: Message | None, card: Message, thread: str
    ) -> bool:
        first = message or Message(f"effect-{stored.id}", alert.id, stored.id, card.channel)
        there = replace(first, channel=card.channel, thread_ts=thread)  # the card may have moved
        if stored.effect.kind is EffectKind.file:
            return self.files.post(stored, alert, there, message)
        seq = face.asks(stored.effect, alert)
        return self.posting.post(there, message, seq, lambda: self.drawn(stored, alert), stored)

    def drawn(self, stored: StoredEffect, alert: Alert) -> Face:
        """The line as it now is."""
        people, by = self.view.people(stored.effect.to, alert), stored.effect.data.get("by")
        to = tuple(person for person in people if person != by) or people
        number = stored.effect.data.get("job_run")
        run = self.store.jobs.get(number) if isinstance(number, int) and number else None
        return face.reply(stored.effect, alert, to, oncall.names(self.view.catalog.teams), run)
