"""The dead man's ping: an address outside hears each minute that Patrol is at work; silence is the alarm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from bot.process.errors import PatrolError
from bot.process.log import get

log = get("heartbeat")

EVERY_S = 60.0
AGAIN_S = 10.0  # after one that did not go through
TIMEOUT_S = 10.0


class Heartbeat:
    """Calls the address from a thread of its own. Its path may be a secret: no word of ours names it.

    `idle` says why Patrol is not at work; empty while it is.
    """

    def __init__(self, url: str, idle: Callable[[], str]) -> None:
        self._url = url
        self._idle = idle
        self._went_through: datetime | None = None
        self._trouble = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=TIMEOUT_S)

    def health(self) -> str:
        """Whether the last call went through, and when one last did."""
        last = f"{self._went_through:%H:%M:%S} UTC" if self._went_through else ""
        if self._trouble:
            return (
                f"{self._trouble}; {f'last went through at {last}' if last else 'none has gone through yet'}"
            )
        return f"ok: went through at {last}" if last else "none has gone through yet"

    def once(self) -> bool:
        """One call, if Patrol is at work; whether it went through."""
        trouble = self._held_back() or self._call()
        if trouble and trouble != self._trouble:
            log.warning("ping did not go through", why=trouble)
        elif self._trouble and not trouble:
            log.info("ping goes through again")
        self._trouble = trouble
        return not trouble

    def _run(self) -> None:
        wait = AGAIN_S / 2  # a bot that has just begun gets a moment to show that it works
        while not self._stopping.wait(wait):
            wait = EVERY_S if self.once() else AGAIN_S

    def _held_back(self) -> str:
        try:
            why = self._idle()
        except PatrolError as error:
            why = str(error)
        except Exception as error:  # whatever it is, it must not pass for being at work
            why = f"whether it works could not be found out ({type(error).__name__})"
        return f"held back, Patrol is not at work: {why}" if why else ""

    def _call(self) -> str:
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S) as client,
                client.stream("GET", self._url, headers={"User-Agent": "patrol"}) as answer,
            ):
                if not answer.is_success:
                    return f"PATROL_PING_URL answered {answer.status_code}"
        except httpx.TimeoutException:
            return f"PATROL_PING_URL did not answer within {TIMEOUT_S:g} s"
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ValueError, OSError) as error:
            return f"PATROL_PING_URL cannot be reached ({type(error).__name__})"
        self._went_through = datetime.now(UTC)
        return ""
