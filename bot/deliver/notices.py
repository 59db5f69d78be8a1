"""What a channel is told that is of no one alert: posted as a card is, and looked for when in doubt."""

from __future__ import annotations

from bot.core import oncall
from bot.core.message import Message, MessageState, Move, next_move
from bot.deliver.looking import Looking
from bot.deliver.posting import Posting
from bot.slack import face
from bot.slack.blocks import Face
from bot.store.notices import Notice


class Notices:
    def __init__(self, posting: Posting, looking: Looking) -> None:
        self.posting = posting
        self.looking = looking
        self.store, self.view, self.clock = posting.store, posting.view, posting.clock

    def move(self, notice: Notice, message: Message | None) -> bool:
        match next_move(message, 0, self.clock()):
            case Move.post:
                there = message or Message(notice.delivery, 0, None, notice.channel)
                return self.posting.post(there, message, 0, lambda: self._face(notice))
            case Move.look if message:
                return self.looking.look(message)
            case Move.nothing if message and message.state is MessageState.posted:
                return self.store.notices.end(notice.id, self.clock())
        return False

    def _face(self, notice: Notice) -> Face:
        return face.announcement(notice.text, notice.to, oncall.names(self.view.catalog.teams))
