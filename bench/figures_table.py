"""The table of figures and the line of progress. Measures nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One line of the table. `broken` says what was violated where it must hold; a time never is."""

    name: str
    reach: str
    measured: str
    how: str
    broken: str = ""


class Show:
    """How far the row is that is measured now."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1, what="", visible=False)

    def __enter__(self) -> Show:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def row(self, name: str) -> None:
        self._progress.reset(self._task, description=name, total=1, what="a town is built", visible=True)

    def at(self, done: int, total: int, what: str = "") -> None:
        self._progress.update(self._task, completed=done, total=total, what=what[:60])


def table(figures: Sequence[Figure]) -> Table:
    shown = Table("figure", "to reach", "measured", "how", show_lines=True)
    for one in figures:
        measured = f"{one.measured}\nVIOLATED: {one.broken}" if one.broken else one.measured
        shown.add_row(one.name, one.reach, measured, one.how)
    return shown


def quantile(values: Sequence[float], share: float) -> float:
    """By nearest rank: a value that was seen."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def spread(values: Sequence[float], share: float) -> str:
    """ "p95 0.31 s (p50 0.12, most 0.40)"."""
    p, half, most = (quantile(values, q) for q in (share, 0.5, 1.0))
    return f"p{share * 100:.0f} {seconds(p)} (p50 {seconds(half)}, most {seconds(most)})"


def seconds(value: float | timedelta) -> str:
    s = value.total_seconds() if isinstance(value, timedelta) else value
    return f"{s * 1000:.0f} ms" if abs(s) < 1 else f"{s:.1f} s"
