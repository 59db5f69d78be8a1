"""What to do about a message: never twice in the channel, never forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.message import LEASE, LOOK_APART, Message, MessageState, Move, next_move
from tests.core.making import NOON, SECOND

CARD = Message("card-3", 3, None, "C1", sending_since=NOON, lease_until=NOON + LEASE)
POSTED = replace(CARD, state=MessageState.posted, ts="1.2", shown_seq=4, lease_until=None)
FREE = NOON + LEASE


@pytest.mark.parametrize(
    ("message", "at", "move"),
    [
        (None, NOON, Move.post),
        (CARD, NOON, Move.wait),  # somebody is sending it
        (CARD, FREE, Move.look),  # the outcome is unknown
        (replace(CARD, absent_at=FREE), FREE + LOOK_APART - SECOND, Move.wait),
        (replace(CARD, absent_at=FREE), FREE + LOOK_APART, Move.look),
        (replace(CARD, sending_since=None, lease_until=None), NOON, Move.post),  # Slack said no
        (replace(CARD, sending_since=None, retry_at=FREE), NOON, Move.wait),
        (replace(CARD, sending_since=None, lease_until=None, retry_at=NOON), NOON, Move.post),
        (POSTED, NOON, Move.update),
        (replace(POSTED, shown_seq=5), NOON, Move.nothing),
        (replace(POSTED, lease_until=FREE), NOON, Move.wait),
        (replace(POSTED, lease_until=FREE), FREE, Move.update),
        (replace(POSTED, retry_at=FREE), NOON, Move.wait),
        (replace(POSTED, state=MessageState.parked), NOON, Move.nothing),
    ],
)
def test_the_next_move(message: Message | None, at: datetime, move: Move) -> None:
    assert next_move(message, 5, at) is move


@dataclass
class Sender:
    """A deliverer that may die or hear nothing at any point, with what stands in Slack."""

    random: Random
    stored: Message | None = None
    standing: int = 0
    on_its_way: datetime | None = None  # when a request that timed out arrives after all
    now: datetime = NOON
    looks: list[datetime] = field(default_factory=list)

    def turn(self) -> Move:
        self.now += self.random.choice((1, 2, 4, 30)) * SECOND
        if self.on_its_way and self.on_its_way <= self.now:
            self.standing, self.on_its_way = self.standing + 1, None
        move = next_move(self.stored, 0, self.now)
        if move is Move.post:
            self.post()
        elif move is Move.look:
            self.look()
        return move

    def post(self) -> None:
        if self.stored and self.stored.sending_since is None and self.looks:
            assert len(self.looks) >= 2
            assert self.looks[-1] - self.looks[-2] >= LOOK_APART
        self.looks = []
        intent = replace(CARD, sending_since=self.now, lease_until=self.now + LEASE)
        self.stored = intent
        fate = self.random.choice(("died before", "lost", "arrives late", "unknown but there", "answered"))
        if fate == "arrives late":  # within one whole request, so before the lease is over
            self.on_its_way = self.now + LEASE - SECOND
        elif fate in ("unknown but there", "answered"):
            self.standing += 1
            if fate == "answered":
                self.stored = replace(intent, state=MessageState.posted, ts="1.2", shown_seq=0)

    def look(self) -> None:
        assert self.stored is not None
        self.looks.append(self.now)
        if self.standing:
            self.stored = replace(
                self.stored, state=MessageState.posted, ts="1.2", shown_seq=0, lease_until=None
            )
        elif self.stored.absent_at is None:
            self.stored = replace(self.stored, absent_at=self.now)
        else:
            self.stored = replace(self.stored, sending_since=None, lease_until=None, absent_at=None)


@given(st.integers(0, 2**32))
def test_whatever_is_lost_one_message_stands_in_the_end(seed: int) -> None:
    sender = Sender(Random(seed))
    for _ in range(400):
        sender.turn()
        assert sender.standing <= 1
    assert sender.standing == 1
    assert sender.stored is not None
    assert sender.stored.state is MessageState.posted
