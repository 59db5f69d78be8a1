"""Pictures at Slack: drawn by a short process, uploaded once, shown when Slack has looked at them.

Nobody waits for one. Where one fails there is none: what it would show is said in characters, too."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from importlib.util import find_spec
from pathlib import Path

from bot.core.layout import Layout
from bot.core.trend import in_words
from bot.deliver import drawing, drawing_graph
from bot.process.errors import OutcomeUnknown, PatrolError, SlackBusy, SlackRefused
from bot.process.log import get
from bot.slack.client import SlackClient
from bot.slack.pictures import Drawn

log = get("pictures")

CODE = Path(__file__).parents[1]
DRAWN_WITHIN_S = 20.0
LOOKED_AT = (0.2, 0.3, 0.5, 1.0, 2.0, 4.0)  # seconds between the times that Slack is asked whether it has
KEPT = 300  # pictures whose files are remembered
LINE = 20  # that wait to be drawn; more are not
REST_S, LONG_REST_S = 60.0, 3600.0  # after a failure that may pass, and after one that people must mend
BY_DAY = ("alerts-by-day.png", "Alerts by day")
Draw = Callable[[Drawn], bytes]


def can_draw() -> bool:
    """Whether the extra `pictures` is installed."""
    return find_spec("PIL") is not None


def packed(found: Drawn) -> str:
    """All that a picture depends on; the same text is the same picture."""
    return drawing_graph.packed(found) if isinstance(found, Layout) else drawing.packed(found)


def drawn(found: Drawn) -> bytes:
    """By a process of its own, whose memory ends with it. OSError where it does not draw."""
    module = drawing_graph.MODULE if isinstance(found, Layout) else drawing.MODULE
    path = os.pathsep.join(filter(None, (str(CODE), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module],
            input=packed(found).encode(),
            capture_output=True,
            env={**os.environ, "PYTHONPATH": path},
            timeout=DRAWN_WITHIN_S,
            check=True,
        )
    except subprocess.SubprocessError as error:
        said = getattr(error, "stderr", b"") or b""
        raise OSError(f"it was not drawn: {said.decode(errors='replace').strip()[-300:] or error}") from None
    return done.stdout


class Drawings:
    """The pictures of one process. Thread-safe; one is made at a time, by a thread of its own."""

    def __init__(
        self, slack: SlackClient, draw: Draw = drawn, uploaded: Callable[[str], None] = lambda _file: None
    ) -> None:
        """`uploaded` is told the id of each file, before anybody sees it."""
        self.slack = slack
        self._told = uploaded
        self._draw = draw
        self._lock = threading.Lock()
        self._files: OrderedDict[str, str] = (
            OrderedDict()
        )  # by what they show: files that Slack has looked at
        self._sent: OrderedDict[str, str] = OrderedDict()  # … that it perhaps has not
        self._waiting = 0
        self._rests_until = 0.0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._closed = threading.Event()

    # -- as the listeners know it --------------------------------------------------------------------------

    def ask(self, found: Drawn, then: Callable[[str], None]) -> None:
        def work() -> str:
            if file_id := self._made(found):
                self._shown(file_id, then)
            return file_id

        self._enter(work)

    def known(self, found: Drawn) -> str:
        with self._lock:
            return self._files.get(packed(found), "")

    def refused(self, file_id: str) -> None:
        with self._lock:
            for files in (self._files, self._sent):
                for shows in [shows for shows, known in files.items() if known == file_id]:
                    del files[shows]

    # -- as a chore does -----------------------------------------------------------------------------------

    def within(self, found: Drawn, seconds: float) -> str:
        """The file's id if it is there in time; what comes later is known when it is asked for again."""
        made = self._enter(lambda: self._made(found))
        try:
            return made.result(timeout=seconds) if made else ""
        except (Overdue, CancelledError):
            return ""

    def close(self) -> None:
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _shown(self, file_id: str, then: Callable[[str], None]) -> None:
        """What is wrong with one place says nothing of the others."""
        try:
            then(file_id)
        except PatrolError as error:
            log.info("a picture was not shown", why=str(error))

    # -- making one ----------------------------------------------------------------------------------------

    def _enter(self, work: Callable[[], str]) -> Future[str] | None:
        """Into the line, where it is not too long; None where there is nothing to be had."""
        with self._lock:
            if self._waiting >= LINE or time.monotonic() < self._rests_until or self._closed.is_set():
                return None
            self._waiting += 1
        try:
            return self._pool.submit(self._work, work)
        except RuntimeError:  # it has ended meanwhile
            return None

    def _work(self, work: Callable[[], str]) -> str:
        try:
            return work()
        except SlackBusy as busy:
            self._rest(busy.seconds, busy)
        except SlackRefused as refused:
            self._rest(LONG_REST_S if refused.code == "missing_scope" else REST_S, refused)
        except (PatrolError, OSError) as trouble:
            self._rest(REST_S, trouble)
        except Exception:
            log.exception("a picture failed")
        finally:
            with self._lock:
                self._waiting -= 1
        return ""

    def _rest(self, seconds: float, why: Exception) -> None:
        """Meanwhile there are no pictures, rather than one failure after another."""
        log.warning("no pictures for a while", seconds=round(seconds), why=str(why))
        with self._lock:
            self._rests_until = time.monotonic() + seconds

    def _made(self, found: Drawn) -> str:
        shows = packed(found)
        with self._lock:
            known, sent = self._files.get(shows, ""), self._sent.get(shows, "")
        if known or time.monotonic() < self._rests_until:
            return known
        file_id = sent or self._uploaded(found, shows)
        if not self._looked_at(file_id):
            return ""
        with self._lock:
            self._sent.pop(shows, None)
            _remember(self._files, shows, file_id)
        return file_id

    def _uploaded(self, found: Drawn, shows: str) -> str:
        name, title = ("graph.png", "What hangs on what") if isinstance(found, Layout) else BY_DAY
        words = title if isinstance(found, Layout) else in_words(found)
        file_id = self.slack.upload(name, self._draw(found), words)
        self._told(file_id)
        self.slack.keep(file_id, title)
        with self._lock:
            _remember(self._sent, shows, file_id)
        return file_id

    def _looked_at(self, file_id: str) -> bool:
        for pause in LOOKED_AT:
            if self.slack.is_ready(file_id):
                return True
            if self._closed.wait(pause):
                return False
        try:
            return self.slack.is_ready(file_id)
        except OutcomeUnknown:
            return False


def _remember(files: OrderedDict[str, str], shows: str, file_id: str) -> None:
    files[shows] = file_id
    while len(files) > KEPT:
        files.popitem(last=False)
