"""One round of delivery after another: cards by their counters, then effects in order, then second looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from bot.core.alert import Alert
from bot.core.change import EffectKind, StoredEffect
from bot.core.message import Message
from bot.deliver.answered import Answered
from bot.deliver.away import Away, Card, Line
from bot.deliver.cards import Cards
from bot.deliver.channels import Channels
from bot.deliver.files import Files
from bot.deliver.looking import Looking
from bot.deliver.notices import Notices
from bot.deliver.pacing import Pacing
from bot.deliver.posting import Posting
from bot.deliver.quiet import Quiet
from bot.deliver.replies import Replies
from bot.deliver.saying import Saying
from bot.process.errors import PatrolError
from bot.process.log import get
from bot.process.metrics import METRICS, Metrics
from bot.slack.client import SlackClient
from bot.store import Store
from bot.view import View

log = get("deliver")

SAID_BY_SLACK = (EffectKind.reply, EffectKind.page, EffectKind.tell, EffectKind.file)
HELD_BACK = timedelta(minutes=1)  # what cannot be drawn
IDLE_S = 0.25
Moving = tuple[str, Callable[[], bool]]  # a delivery, and what moves it


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
        self.pacing = Pacing(store, clock, slack.ping)
        self.channels = Channels(store, view, slack, clock, self.pacing)
        self.posting = Posting(store, view, slack, clock, self.metrics, self.pacing, self.channels)
        looking = Looking(self.posting)
        self.looking = looking
        self.files = Files(self.posting, looking)
        quiet = Quiet(self.posting)
        self.cards = Cards(self.posting, looking, quiet)
        self.replies = Replies(self.posting, looking, self.files, quiet)
        self.answered = Answered(self.posting, self.replies.drawn)
        self.notices = Notices(self.posting, looking, quiet)
        self.saying = Saying(store, view, clock, self.metrics, self.pacing, self.channels)
        self.away = Away(store, view, clock, self.pacing, self.channels)
        self._lines_first = True
        self._held_back: dict[str, datetime] = {}

    @property
    def trouble(self) -> str:
        """What is wrong, in words, for /healthz; empty when all is well."""
        whole = [self.pacing.why] if self.pacing.why else [*self.channels.words, self.posting.trouble]
        return "; ".join(filter(None, [*whole, *self.saying.parked, *self.saying.waits]))

    def clock_jumped(self) -> None:
        """The times that this process keeps are of another clock."""
        self.pacing.clock_jumped()
        self._held_back.clear()

    def once(self) -> int:
        """Sends what may be sent now; how many messages moved."""
        self.posting.unrecorded.catch_up()
        self.channels.look_after()
        self.saying.look_after()
        if not self.pacing.awake():
            return 0
        cards, lines = self._waiting()
        if self.away.concerns(cards, lines):
            if not self.away.settle():
                return 0
            cards, lines = self._waiting()
        self.pacing.begin()
        moves = [self._of_card(*card) for card in cards], [self._of_line(*line) for line in lines]
        self._lines_first = not self._lines_first  # a long line of cards must not hold up pages, nor they it
        moved = 0
        for delivery, move in (*moves[1], *moves[0]) if self._lines_first else (*moves[0], *moves[1]):
            moved += self._guarded(delivery, move)
        for notice, its_message in self.store.notices.waiting(self.clock()):
            moved += self._guarded(f"notice-{notice.id}", partial(self.notices.move, notice, its_message))
        for stored, alert, asking in self.store.outbox.answered(self.clock()):
            move = partial(self.answered.move, stored, alert, asking)
            moved += self._guarded(asking.delivery, partial(self._privately, alert, asking.channel, move))
        for sent in self.store.outbox.look_again(self.clock()):
            look = self.files.look if sent.file_id else self.looking.look
            moved += self._guarded(sent.delivery, partial(look, sent))
        return moved

    def _of_card(self, alert: Alert, message: Message | None) -> Moving:
        channel = message.channel if message and message.ts else ""
        move = partial(self.cards.move, alert, message)
        return f"card-{alert.id}", partial(self._privately, alert, channel, move)

    def _of_line(self, stored: StoredEffect, alert: Alert, message: Message | None) -> Moving:
        move = partial(self.replies.move, stored, alert, message)
        return f"effect-{stored.id}", partial(self._privately, alert, None, move)

    def _privately(self, alert: Alert, channel: str | None, move: Callable[[], bool]) -> bool:
        """What is sensitive stays where it is, and unsaid, while others could read it there."""
        if not self.view.files.sensitive(alert):
            return move()
        if channel is None:
            card = self.store.outbox.message(alert.id)
            channel = card.channel if card and card.ts else ""
        if not channel:
            return bool(self.channels.way(alert)) and move()
        return bool(self.channels.privacy.ways(alert, [channel])) and move()

    def _waiting(self) -> tuple[list[Card], list[Line]]:
        now = self.clock()
        return self.store.outbox.cards(now), self.store.outbox.effects(now, kinds=SAID_BY_SLACK)

    def idle(self) -> float:
        """For how many seconds there is surely nothing to do but what a commit brings."""
        soonest = self.pacing.soonest()
        if soonest is None:
            return IDLE_S
        return min(IDLE_S, max(0.001, (soonest - self.clock()).total_seconds()))

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
            self.posting.trouble = f"{delivery}: {type(broken).__name__} inside Patrol, see the log"
            self._held_back[delivery] = now + HELD_BACK
            return False
