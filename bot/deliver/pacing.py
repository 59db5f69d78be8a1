"""Whose turn it is: one post a second in a channel, edits within Slack's limit, and rests when Slack asks for
them or takes nothing at all. Turns are the store's, so that all processes share them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.deliver.refusals import OF_METHODS, WHOLE, of_token
from bot.process.errors import OutcomeUnknown, SlackBusy, SlackRefused
from bot.process.log import get
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
AWAY, BACK = "slack:away", "slack:back"  # since when, and until when last, Slack took nothing


class Pacing:
    """Only how soon something is tried lives in this process; nothing here decides whether it was sent."""

    def __init__(self, store: Store, clock: Callable[[], datetime], call: Callable[[], None]) -> None:
        """`call` asks Slack for nothing but an answer, and raises what comes instead of one."""
        self.store = store
        self.clock = clock
        self._call = call
        self.why = ""  # nothing is sent at all, in words
        self._taken: dict[str, datetime] = {}  # lines, and when their next turn is
        self._passed: set[str] = set()  # lines whose first had no turn in this pass: nor has any behind it
        self._refused = False  # in a way that no ping shows
        self._rests = 0
        self._asked = False  # whether Slack answers, since the rest ended
        self._until: datetime | None = None
        self._sure = False  # that the store knows that Slack answers

    # ------------------------------------------------------------------- turns

    @property
    def resting(self) -> bool:
        return self._until is not None and self.clock() < self._until

    def begin(self) -> None:
        """A pass over all that waits, in its order. A turn that comes up on the way is for the next pass."""
        self._passed.clear()

    def turn(self, name: str, gap: timedelta) -> bool:
        """Whether it is our turn in this line. If not, the store is not asked again before it can be."""
        if name in self._passed:
            return False
        if not self._turn(name, gap):
            self._passed.add(name)
            return False
        return True

    def waits(self, name: str) -> bool:
        """Whether its turn is known here not to have come."""
        now = self.clock()
        return self.resting or self._known(name, now) > now

    def _turn(self, name: str, gap: timedelta) -> bool:
        if self.waits(name):
            return False
        now = self.clock()
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
        waits = (at for name, at in self._taken.items() if at > now or name in self._passed)
        return min(waits, default=None)

    def clock_jumped(self) -> None:
        self._taken.clear()
        self._until = self.clock() if self._until else None

    # ------------------------------------------------------------------- rests

    def awake(self) -> bool:
        """Whether anything should be sent now. After a rest Slack is asked first: a message whose outcome is
        not known would have to be looked for."""
        if self._rests and not self.resting and not self._asked:
            self._asked = True
            return self.ping()
        return not self.resting

    def ping(self) -> bool:
        """Whether Slack answers at all: if so, a message without an answer is odd, else Slack is away."""
        try:
            self._call()
        except SlackRefused as refused:
            if refused.code in WHOLE:
                self.refused(refused.code)
                return False
        except SlackBusy:
            pass
        except OutcomeUnknown as why:
            self._rest(f"Slack does not answer ({why}). Nothing is lost: it is sent once Slack is back.")
            return False
        if not self._refused:  # else one message must show it: the ping may be more than our token may
            self.answered()
        return True

    def told(self, why: Exception) -> None:
        """Slack said no, asked to wait, or said nothing, about one message."""
        if isinstance(why, OutcomeUnknown):
            self.ping()
        elif isinstance(why, (SlackBusy, SlackRefused)):
            self.answered()

    def refused(self, code: str) -> None:
        """Slack takes nothing from us, whatever it is."""
        self._refused = code in OF_METHODS
        self._rest(f"{of_token(code)} Nothing is lost: it is all sent once Slack takes it.")

    def _rest(self, why: str) -> None:
        now = self.clock()
        if not self._rests:
            log.error("nothing is sent", why=why)
            self._note_away(now)
        self._rests, self._asked = self._rests + 1, False
        self.why, self._sure = why, False
        self._until = now + min(timedelta(seconds=2 ** min(self._rests, 6)), LONGEST_REST)

    def _note_away(self, now: datetime) -> None:
        """Since when, for the digest; whoever of us noticed first is right."""
        away, back = self.store.pace.noted(AWAY), self.store.pace.noted(BACK)
        if away is None or (back is not None and back >= away):
            self.store.pace.note(AWAY, now)

    def answered(self) -> None:
        """Slack works. After a rest, all that was put off on its account is tried at once, in its order."""
        self._refused = False
        if self._sure:
            return
        away, back, now = self.store.pace.noted(AWAY), self.store.pace.noted(BACK), self.clock()
        if away is not None and (back is None or back < away):
            self.store.pace.note(BACK, now)
            log.info("slack is back", away=say_duration(now - away))
        if self._rests or away is not None:
            self.store.outbox.release(now)
        self.why, self._rests, self._until, self._sure = "", 0, None, True
