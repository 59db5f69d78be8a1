"""A progress bar for what takes more than two seconds, on stderr, and only where a person is looking."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

SOON_S = 2.0
Item = TypeVar("Item")


def progress(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:
    """The items, as they are; past two seconds a bar says how many of `total` are done."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task, started, shown = bar.add_task(doing, total=total), time.monotonic(), False
    try:
        for item in items:
            yield item
            bar.advance(task)
            if not shown and time.monotonic() - started > SOON_S:
                bar.start()
                shown = True
    finally:
        if shown:
            bar.stop()
