"""`make figures`: the figures that Patrol is to reach, each measured on the real bot over real sockets.

Exit code 1 only where something that must hold did not; times are shown and never judged.
"""

from __future__ import annotations

import atexit
import os
import platform
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import click
from rich.console import Console

from bench import figures_bots, figures_people, figures_posts, figures_time
from bench.chaos import ENDINGS, postgres
from bench.chaos_bots import kill_all
from bench.figures_table import Figure, Show, table
from bench.figures_town import Ground

ROWS: Mapping[str, Callable[[Ground], list[Figure]]] = {
    "chaos": figures_bots.chaos,
    "post": figures_posts.post,
    "click": figures_people.click,
    "http": figures_people.http,
    "hundred": figures_people.hundred,
    "escalation": figures_time.escalation,
    "pace": figures_posts.pace,
    "flood": figures_posts.flood,
    "bots": figures_bots.bots,
}
BY_ITSELF = "chaos"  # measured only when it is asked for: its figure needs a thousand kills
ELSEWHERE = [
    Figure("violations lost, kill -9 at random points", "0", "not measured here", "make chaos KILLS=1000"),
    Figure("standing duplicates after recovery", "0", "not measured here", "make chaos KILLS=1000"),
]


class Server:
    """A Postgres of our own, started when the first row needs it."""

    def __init__(self, until_the_end: ExitStack) -> None:
        self._until_the_end = until_the_end
        self._url = ""

    def __call__(self) -> str:
        self._url = self._url or self._until_the_end.enter_context(postgres())
        return self._url


def measured(wanted: list[str], store: str) -> list[Figure]:
    """The rows one after the other; each has the machine for itself."""
    figures: list[Figure] = [] if BY_ITSELF in wanted or len(wanted) == 1 else [*ELSEWHERE]
    with ExitStack() as stack, Show(Console(stderr=True)) as show:
        ground = Ground(store, Server(stack), show)
        for name in wanted:
            show.row(name)
            figures += ROWS[name](ground)
    return figures


def exit_code(figures: list[Figure]) -> int:
    return 1 if any(one.broken for one in figures) else 0


def _ended(*_: object) -> None:
    """Ended from outside: nobody is left behind."""
    kill_all()
    for end in ENDINGS:
        end()
    os._exit(2)


@click.command()
@click.option("--row", default="", help=f"One of {', '.join(ROWS)}; all but {BY_ITSELF} where none is named.")
@click.option("--store", type=click.Choice(["sqlite", "postgres"]), default="sqlite", show_default=True)
def main(row: str, store: str) -> None:
    """Measure what Patrol is to reach, and print it beside what was seen."""
    if row and row not in ROWS:
        raise click.BadParameter(f"there is no row {row!r}; the rows are {', '.join(ROWS)}")
    signal.signal(signal.SIGTERM, _ended)
    atexit.register(kill_all)
    figures = measured([row] if row else [name for name in ROWS if name != BY_ITSELF], store)
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table(figures))
    machine = f"seen on {os.cpu_count()} cores, Python {platform.python_version()}"
    console.print(f"{machine}; store: {store} (row bots: postgres)")
    sys.exit(exit_code(figures))


if __name__ == "__main__":
    main()
