"""An act within Slack's three seconds: recorded before the ack, or the person is told that it was not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as Overdue
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.core.change import Refused
from bot.process.errors import SlackBusy

T = TypeVar("T")
TRIES = 4  # of an answer that Slack asks to wait with
LONGEST_WAIT_S = 60.0
PATIENCE_S = 2.0  # from the arrival of the payload; the third second is for the way back
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Late(Generic[T]):
    """Not recorded within the time. `running` is the act that has begun and may still be recorded."""

    running: Future[T | Refused] | None


class _Turn:
    """Decides once, between two threads: has the recording begun, or was it given up?"""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = False
        self._given_up = False

    def begin(self) -> bool:
        with self._lock:
            self._begun = not self._given_up
            return self._begun

    def give_up(self) -> bool:
        with self._lock:
            self._given_up = not self._begun
            return self._given_up


class Turns:
    """`acts` runs what a person waits for, `talk` everything after it: slow answers never hold up an act."""

    def __init__(
        self,
        acts: Executor,
        talk: Executor,
        patience_s: float = PATIENCE_S,
        observe: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._acts = acts
        self._talk = talk
        self._patience_s = patience_s
        self._observe = observe  # the seconds from arrival to the ack

    def take(
        self, arrived: float, check: Callable[[], Refused | None], record: Callable[[], T]
    ) -> T | Refused | Late[T]:
        """What `record` gave, or what `check` refused, by `arrived` (monotonic) + patience; else Late.

        `record` is never begun after Late without `running` was returned.
        """
        turn = _Turn()

        def run() -> T | Refused:
            refused = check()
            if refused is None and not turn.begin():
                return Refused("given up")
            return refused or record()

        future = self._acts.submit(run)
        try:
            return future.result(timeout=max(0.0, arrived + self._patience_s - time.monotonic()))
        except Overdue:
            if turn.give_up():
                future.cancel()
                return Late(None)
            return Late(future)
        finally:
            self._observe(time.monotonic() - arrived)

    def later(self, work: Callable[[], None], tries: int = TRIES) -> None:
        """Runs it beside. Where Slack asks to wait it is run again: no answer is lost by that. Any other
        failure is logged, since nobody waits for it."""

        def run() -> None:
            try:
                work()
            except SlackBusy as busy:
                self._again(work, tries - 1, busy)
            except Exception:
                log.exception("what was to follow an answer failed")

        self._talk.submit(run)

    def _again(self, work: Callable[[], None], tries: int, busy: SlackBusy) -> None:
        if not tries:
            log.warning("an answer was not told: %s", busy)
            return
        timer = threading.Timer(min(busy.seconds, LONGEST_WAIT_S), self._still, (work, tries))
        timer.daemon = True
        timer.start()

    def _still(self, work: Callable[[], None], tries: int) -> None:
        with suppress(RuntimeError):  # it has ended meanwhile
            self.later(work, tries)
