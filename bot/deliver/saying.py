"""Says what waits and what is parked: in /healthz, the log and the figures; what is parked is tried again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core import builtin_slack
from bot.core.builtin import LANE, mended
from bot.core.builtin_slack import UNREACHABLE, refused_key
from bot.core.message import Message
from bot.core.reconcile import RESOLVED_LATELY
from bot.deliver.channels import Channels
from bot.deliver.pacing import Pacing
from bot.process.log import get
from bot.process.metrics import Metrics
from bot.store import Store
from bot.view import View
from bot.watch.trouble import told

log = get("deliver")

EVERY = timedelta(seconds=5)
LOG_EVERY = timedelta(seconds=30)
UNPARK_AFTER = timedelta(hours=1)  # and at once when a process starts: scopes or the code may be others now
UNPARK_UNTIL = timedelta(days=3)


class Saying:
    def __init__(
        self,
        store: Store,
        view: View,
        clock: Callable[[], datetime],
        metrics: Metrics,
        pacing: Pacing,
        channels: Channels,
    ) -> None:
        self.store = store
        self.view = view
        self.clock = clock
        self.metrics = metrics
        self.pacing = pacing
        self.channels = channels
        self.waits: tuple[str, ...] = ()
        self.parked: tuple[str, ...] = ()
        self._began = False
        self._at: datetime | None = None
        self._logged_at: datetime | None = None

    def look_after(self) -> None:
        now = self.clock()
        if self._at is not None and timedelta() <= now - self._at < EVERY:
            return
        self._at = now
        after = UNPARK_AFTER if self._began else timedelta()
        self._began = True
        if again := self.store.outbox.unpark(now, after=after, until=UNPARK_UNTIL):
            log.info("parked messages are tried again", messages=again)
        self._say_waits(now)
        self._say_parked(now)

    def _say_waits(self, now: datetime) -> None:
        queues = self.view.waits()
        unnamed = [queue.channel for queue in queues if queue.is_long and not queue.name]
        if unnamed and not self.pacing.why:
            for channel in unnamed:
                self.channels.learn_name(channel)
            queues = self.view.waits()
        self.metrics.waiting(sum(queue.posts for queue in queues))
        moving = not self.pacing.why
        self.waits = tuple(queue.words(moving) for queue in queues if queue.is_long)
        if self.waits and (self._logged_at is None or now - self._logged_at >= LOG_EVERY):
            self._logged_at = now
            for words in self.waits:
                log.info("waiting", what=words)

    def _say_parked(self, now: datetime) -> None:
        """One alert for each channel in which something is parked, over when nothing is any more."""
        found: dict[str, list[Message]] = {}
        for message in self.store.outbox.parked():
            found.setdefault(message.channel, []).append(message)
        self.metrics.parked(sum(map(len, found.values())))
        self.parked = tuple(
            f"{len(messages)} refused for good in {self.channels.named(channel)}: {messages[0].error}"
            for channel, messages in found.items()
        )
        for channel, messages in found.items():
            self._tell(channel, messages, now)
        held = self.store.alerts.held(UNREACHABLE, LANE, resolved_since=now - RESOLVED_LATELY)
        for key, alert in held.items():
            channel = str(alert.key_values["channel"])
            if alert.is_open and key == refused_key(channel) and channel not in found:
                told(self.store, self.clock, UNREACHABLE, key, mended(now))

    def _tell(self, channel: str, messages: list[Message], now: datetime) -> None:
        alert = self.store.alerts.get(messages[0].alert)
        if alert is None:
            return
        names = tuple(f"ALR-{message.alert}" for message in messages)
        name, team = self.channels.named(channel), self.view.team_of(alert)
        fire = builtin_slack.refused_messages(
            channel, name, messages[0].error, names, alert.terms.team, team, now
        )
        told(self.store, self.clock, UNREACHABLE, fire.key, fire)
