"""What a long command shows while it works: a bar on stderr, and the first Ctrl-C that only asks to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click


class Advance(Protocol):
    """Says what it is at, whether one more is done and, where that is known late, of how many."""

    def __call__(self, at: str, done: bool, total: int | None = None) -> None: ...


@contextmanager
def ctrl_c(stopping: threading.Event) -> Iterator[None]:
    """The first Ctrl-C asks to stop, the second one stops."""

    def ask(*_: object) -> None:
        click.echo("\nStopping after this window; Ctrl-C again stops at once.", err=True)
        stopping.set()
        signal.signal(signal.SIGINT, was)

    was = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, was)


@contextmanager
def bar(total: int, what: str = "looking") -> Iterator[Advance]:
    """A bar on stderr; only a terminal shows it move."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)

        def advance(at: str, done: bool, total: int | None = total) -> None:
            progress.update(task, advance=done, description=at, total=total)

        yield advance
