"""What the shapes, colours and lines of a picture of a graph mean: those that occur in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.core.layout import SMALL, Box, Layout
from bot.core.shapes import SAID, STROKES, TONES
from sensors.model.graph import JOB, KINDS

ROW, BETWEEN, SAMPLE = 34.0, 16.0, 24.0  # a row; between two; the length of a line that shows an edge


@dataclass(frozen=True)
class Sample:
    """A line of a kind of edge, and its words behind it; x and y are its left end."""

    why: str
    words: str
    x: float
    y: float


@dataclass(frozen=True)
class Legend:
    boxes: tuple[Box, ...]
    samples: tuple[Sample, ...]
    tall: float


def legend(layout: Layout, wide: float) -> Legend:
    """In rows of that width at most."""
    x, y = 0.0, 0.0
    boxes: list[Box] = []
    samples: list[Sample] = []
    for box in _kinds(layout):
        x, y = (x, y) if x + box.wide <= wide or not x else (0.0, y + ROW)
        boxes.append(replace(box, x=x, y=y))
        x += box.wide + BETWEEN
    x, y = 0.0, y + ROW + BETWEEN
    for why in STROKES:
        if any(line.why == why for line in layout.lines):
            length = SAMPLE + SMALL * len(SAID[why]) + 2 * BETWEEN
            x, y = (x, y) if x + length <= wide or not x else (0.0, y + ROW)
            samples.append(Sample(why, SAID[why], x, y))
            x += length
    return Legend(tuple(boxes), tuple(samples), y + BETWEEN)


def _kinds(layout: Layout) -> Iterator[Box]:
    there = {(box.kind, box.tone) for box in layout.boxes}
    for kind, tone in sorted(there, key=lambda one: (KINDS.index(one[0]), [*TONES].index(one[1] or JOB))):
        words = f"{tone} {kind}".strip()
        yield Box("", words, "", kind, tone, 0, 0, SMALL * len(words) + 34)
