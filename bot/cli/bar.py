"""A bar on stderr for what takes longer than a person waits without one: on a terminal, after two seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 2.0


class Bar:
    """Told how far each stage is; draws nothing before two seconds have passed, nor where nobody looks."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seen = sys.stderr.isatty()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def at(self, stage: str, done: int, of: int) -> None:
        """The stage has done so many of its steps."""
        if not self._seen or time.monotonic() - self._began < PATIENCE_S:
            return
        if self._progress is None:
            self._progress = _opened()
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=of)
        self._progress.update(self._tasks[stage], completed=done)


def _opened() -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    progress.start()
    return progress
