"""Whose turn it is: one post a second in a channel, edits within Slack's limit, and rests when Slack asks for
them or takes nothing at all. Turns are the store's, so that all processes share them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.deliver.refusals import of_token
from bot.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.log import get
from bot.store import Store
from sensors.model.clock import say_duration

log = get("deliver")

CHANNEL_GAP = timedelta(seconds=1)  # between two posts in a channel, by whatever process
UPDATE_GAP = timedelta(seconds=2)  # of the workspace's 50 updates a minute the machine takes 30 …
PERSON_GAP = timedelta(milliseconds=200)  # … so that people's clicks find room at once
EDITS, EDITS_BY_PEOPLE, LOOKS = "updates", "updates:people", "looks"
LOOK_GAP = timedelta(milliseconds=200)
LONGEST_WAIT = timedelta(minutes=10)
LONGEST_REST = timedelta(seconds=30)  # while Slack takes nothing: so late is it noticed that it does again
SILENT = 3  # different messages without an answer, and none with one: Slack is away, not they are odd
AWAY, BACK = "slack:away", "slack:back"  # since when, and until when last, Slack took nothing


class Pacing:
    """Only how soon something is tried lives in this process; nothing here decides whether it was sent."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self.why = ""  # nothing is sent at all, in words
        self._taken: dict[str, datetime] = {}  # lines, and when their next turn is
        self._unanswered: set[str] = set()
        self._rests = 0
        self._until: datetime | None = None
        self._sure = False  # that the store knows that Slack answers

    # ------------------------------------------------------------------- turns

    @property
    def resting(self) -> bool:
        return self._until is not None and self.clock() < self._until

    def turn(self, name: str, gap: timedelta) -> bool:
        """Whether it is our turn in this line. If not, the store is not asked again before it can be."""
        now = self.clock()
        if self.resting or self._known(name, now) > now:
            return False
        free = self.store.pace.turn(name, now, gap)
        if free > now:
            self._taken[name] = free
            return False
        self._taken[name] = now + gap
        return True

    def _known(self, name: str, now: datetime) -> datetime:
        at = self._taken.get(name, now)
        return at if at <= now + LONGEST_WAIT else now  # the clock was put back

    def busy(self, seconds: float, *lines: str) -> None:
        """Slack asks to wait: so does every process."""
        self.answered()
        until = self.clock() + min(timedelta(seconds=seconds), LONGEST_WAIT)
        for line in lines:
            self.rest(line, until)

    def rest(self, line: str, until: datetime) -> None:
        self.store.pace.rest(line, until)
        self._taken[line] = until

    def soonest(self) -> datetime | None:
        """When the next turn is that somebody here waits for."""
        now = self.clock()
        return min((at for at in self._taken.values() if at > now), default=None)

    # ------------------------------------------------------------------- rests

    def told(self, delivery: str, why: Exception) -> None:
        """Slack said no, asked to wait, or said nothing, about this message."""
        if isinstance(why, OutcomeUnknown):
            self._unanswered.add(delivery)
            if len(self._unanswered) >= SILENT or self._rests:
                self._rest(f"Slack does not answer ({why}). Nothing is lost: it is sent once Slack is back.")
        elif isinstance(why, (SlackBusy, SlackRefused)):
            self.answered()

    def refused(self, code: str) -> None:
        """Slack takes nothing from us, whatever it is."""
        self._rest(of_token(code))

    def _rest(self, why: str) -> None:
        now = self.clock()
        if not self._rests:
            log.error("nothing is sent", why=why)
            self._note_away(now)
        self._rests += 1
        self.why, self._sure = why, False
        self._until = now + min(timedelta(seconds=2 ** min(self._rests, 6)), LONGEST_REST)

    def _note_away(self, now: datetime) -> None:
        """Since when, for the digest; whoever of us noticed first is right."""
        away, back = self.store.pace.noted(AWAY), self.store.pace.noted(BACK)
        if away is None or (back is not None and back >= away):
            self.store.pace.note(AWAY, now)

    def answered(self) -> None:
        """Slack works. After a rest, all that was put off on its account is tried at once, in its order."""
        self._unanswered.clear()
        if self._sure:
            return
        away, back, now = self.store.pace.noted(AWAY), self.store.pace.noted(BACK), self.clock()
        if away is not None and (back is None or back < away):
            self.store.pace.note(BACK, now)
            log.info("slack is back", away=say_duration(now - away))
        if self._rests or away is not None:
            self.store.outbox.release(now)
        self.why, self._rests, self._until, self._sure = "", 0, None, True
