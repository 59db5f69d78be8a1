"""A message in Slack that shows an alert or carries an effect, and what to do about it next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sensors.model.clock import say_duration

LEASE = timedelta(seconds=20)  # longer than one whole request to Slack may take
LOOK_APART = timedelta(seconds=3)  # between the two looks that must both find nothing
LATE = timedelta(minutes=15)  # what could not be told for so long is told by a digest
LONG_QUEUE_S = 30  # seconds that the last of a queue waits before it is said
LOOK_AGAIN = timedelta(minutes=1)  # after a success that followed an unknown outcome: the first may land late


class MessageState(StrEnum):
    sending = "sending"  # the intent is written; whether Slack has it is not known until it answers
    posted = "posted"
    parked = "parked"  # refused in a way that trying again does not mend


@dataclass(frozen=True)
class Message:
    """What the store knows of one message. `delivery` travels in its metadata and finds it again."""

    delivery: str  # "card-12", "effect-40" or "notice-7"
    alert: int  # 0: of no one alert
    effect: int | None  # None: the alert's card
    channel: str
    thread_ts: str | None = None
    ts: str | None = None
    state: MessageState = MessageState.sending
    shown_seq: int = -1  # face_seq that a card shows of its alert; of a page above 0 while it asks
    sending_since: datetime | None = None
    lease_until: datetime | None = None
    absent_at: datetime | None = None  # when a first look did not find it
    attempts: int = 0
    retry_at: datetime | None = None
    look_again_at: datetime | None = None  # an attempt of unknown outcome may have landed by then
    file_id: str | None = None  # a file that is at Slack, whether it is shown or not
    error: str = ""
    notice: int | None = None  # it is about no alert (0): what it carries


@dataclass(frozen=True)
class Queue:
    """What waits to be posted in a channel, where one post a second is let through."""

    channel: str
    cards: int
    lines: int  # of threads
    name: str = ""  # of the channel, as people call it

    @property
    def posts(self) -> int:
        return self.cards + self.lines

    @property
    def is_long(self) -> bool:
        """Whether people should be told of it."""
        return self.posts > LONG_QUEUE_S

    def words(self, moving: bool = True) -> str:
        """`moving`: posts go through, so that the wait can be told."""
        parts = [_many(self.cards, "card"), _many(self.lines, "reply")]
        what = " and ".join(part for part in parts if part)
        wait = f"; the last in about {say_duration(timedelta(seconds=self.posts))}" if moving else ""
        return f"{what} {'waits' if self.posts == 1 else 'wait'} for {self.name or self.channel}{wait}"


def _many(n: int, word: str) -> str:
    many = "replies" if word == "reply" else f"{word}s"
    return f"{n:,} {word if n == 1 else many}" if n else ""


class Move(StrEnum):
    post = "post"
    look = "look"  # ask Slack whether it is there
    update = "update"
    wait = "wait"
    nothing = "nothing"


def next_move(message: Message | None, face_seq: int, now: datetime) -> Move:
    """What to do about a message that should show `face_seq`.

    After an unknown outcome nothing is sent again before the lease has run out and two looks, `LOOK_APART`
    from each other, have both found nothing. What was sent after an unknown outcome is looked at once more:
    a copy that came late is deleted then, and an edit that came late is edited over.
    """
    if message is None:
        return Move.post
    if message.retry_at and now < message.retry_at:
        return Move.wait
    match message.state:
        case MessageState.parked:
            return Move.nothing
        case MessageState.posted if message.lease_until and now < message.lease_until:
            return Move.wait  # another process is at it
        case MessageState.posted if message.look_again_at and now >= message.look_again_at:
            return Move.look
        case MessageState.posted:
            return Move.update if face_seq > message.shown_seq else Move.nothing
        case MessageState.sending:
            return _after_intent(message, now)


def _after_intent(message: Message, now: datetime) -> Move:
    if message.sending_since is None:
        return Move.post  # Slack said no the last time: nothing can be there
    if message.lease_until and now < message.lease_until:
        return Move.wait
    if message.absent_at is None:
        return Move.look
    return Move.look if now >= message.absent_at + LOOK_APART else Move.wait
