"""How a part is, asked so that a part that hangs holds up nobody. Knows no part."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

PATIENCE_S = 1.0  # whoever asks how we are gives up soon, and then thinks the worst


class Probe:
    """Asks in a thread of its own, in one at a time: who asks meanwhile shares its answer."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: _Asked | None = None

    def begin(self) -> _Asked:
        with self._lock:
            if self._asked is None or self._asked.done.is_set():
                self._asked = _Asked(self._ask)
            return self._asked


class _Asked:
    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self.began = time.monotonic()
        self.done = threading.Event()
        self.said = ""
        # not of a pool: the end of the process would wait for it
        threading.Thread(target=self._run, name="probe", daemon=True).start()

    def _run(self) -> None:
        try:
            self.said = self._ask()
        except Exception as broken:
            self.said = f"could not be found out: {type(broken).__name__}"
        finally:
            self.done.set()

    def answer(self, until: float) -> str:
        """What was said by then (monotonic), else for how long nothing was."""
        if self.done.wait(max(0.0, until - time.monotonic())):
            return self.said
        return f"has not answered for {max(1, round(time.monotonic() - self.began))} s"


def ask_all(probes: Mapping[str, Probe], patience_s: float = PATIENCE_S) -> dict[str, str]:
    """Asks them side by side; there is an answer of each when the patience is over."""
    until = time.monotonic() + patience_s
    asked = {name: probe.begin() for name, probe in probes.items()}
    return {name: one.answer(until) for name, one in asked.items()}
