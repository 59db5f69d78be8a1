"""A progress bar for what takes more than two seconds, on stderr, and only where a person is looking."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

SOON_S = 2.0
Item = TypeVar("Item")


def progress(items: Iterable[Item], total: int, doing: str, since: float | None = None) -> Iterator[Item]:
    """The items, as they are; past two seconds a bar says how many of `total` are done. `since`: when a work
    of many bars began (`time.monotonic`), if this is one of them."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(doing, total=total)
    with _shown_soon(bar, SOON_S - (time.monotonic() - since if since else 0)):
        for item in items:
            yield item
            bar.advance(task)


@contextmanager
def _shown_soon(bar: Progress, after_s: float) -> Iterator[None]:
    """The bar is there once so many seconds are over, also where its first item takes longer."""
    lock, over = threading.Lock(), threading.Event()

    def show() -> None:
        with lock:
            if not over.is_set():
                bar.start()

    waiting = threading.Timer(max(0.0, after_s), show)
    waiting.daemon = True
    waiting.start()
    try:
        yield
    finally:
        waiting.cancel()
        with lock:
            over.set()
        bar.stop()
