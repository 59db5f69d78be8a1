"""Draws a graph that is laid out as a PNG, with its legend; it knows boxes and lines, never whose they are.

`python -m bot.deliver.drawing_graph` draws what it reads: what that takes of memory ends with its process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from bot.core.layout import Box, Layout, Line, Point
from bot.core.legend import SAMPLE, Legend, legend
from bot.core.shapes import (
    FAINT,
    INK,
    PAPER,
    STROKES,
    TONES,
    Stroke,
    curves,
    head,
    inner,
    look,
    outline,
    straight,
)

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

MODULE = "bot.deliver.drawing_graph"
SHARP = 2  # pixels of the picture for one of the layout
FINE = 2  # times as many while it is drawn, for smooth edges
EDGE, LEAST = 20.0, 360.0  # around it; how wide it is at least
NAME, NOTE = 11.5, 10.0  # letters
LARGEST = 40_000_000  # pixels while it is drawn
Colour = tuple[int, int, int]


def draw(layout: Layout) -> bytes:
    """The PNG. ValueError where it would be larger than anybody could look at."""
    from PIL import Image, ImageDraw

    wide = max(layout.wide, LEAST)
    below = legend(layout, wide)
    size = (wide + 2 * EDGE, layout.tall + below.tall + 3 * EDGE)
    fine = FINE if size[0] * size[1] * (SHARP * FINE) ** 2 <= LARGEST else 1
    scale = SHARP * fine
    if size[0] * size[1] * scale**2 > LARGEST:
        raise ValueError("it is too large to be drawn")
    picture = Image.new("RGB", (round(size[0] * scale), round(size[1] * scale)), "white")
    pen = _Pen(ImageDraw.Draw(picture), scale)
    pen.graph(layout)
    pen.legend(below, layout.tall + EDGE)
    if fine > 1:
        picture = picture.reduce(fine)
    out = BytesIO()
    colours = Image.new("P", (1, 1))
    colours.putpalette([part for colour in _palette() for part in colour])
    picture.quantize(palette=colours, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


@cache
def _palette() -> tuple[Colour, ...]:
    """Every colour, and what lies between it and those it borders on, for smooth edges."""
    fills = [PAPER, *(seen.fill for seen in TONES.values())]
    pairs = [(PAPER, one.colour) for one in STROKES.values()]
    pairs += [(fill, edge.edge) for edge in TONES.values() for fill in (PAPER, edge.fill)]
    pairs += [(fill, ink) for fill in fills for ink in (INK, FAINT)]
    mixed = (_mixed(one, other, share) for one, other in pairs for share in (0, 1 / 3, 2 / 3, 1))
    return tuple(dict.fromkeys(mixed))


def _mixed(one: str, other: str, share: float) -> Colour:
    red, green, blue = (
        round(int(one[n : n + 2], 16) * (1 - share) + int(other[n : n + 2], 16) * share) for n in (1, 3, 5)
    )
    return red, green, blue


class _Pen:
    """Draws in the layout's measure, from within the edge."""

    def __init__(self, on: ImageDraw, scale: int) -> None:
        self.on = on
        self.scale = scale

    def graph(self, layout: Layout) -> None:
        for line in sorted(layout.lines, key=lambda one: STROKES[one.why].width):
            self.line(line)
        for box in layout.boxes:
            self.box(box)

    def legend(self, below: Legend, top: float) -> None:
        for box in below.boxes:
            self.box(replace(box, y=box.y + top))
        for one in below.samples:
            y = one.y + top
            self.stroke([(one.x, y), (one.x + SAMPLE, y)], STROKES[one.why])
            self.write((one.x + SAMPLE + 6, y), one.words, NAME, INK)

    def line(self, line: Line) -> None:
        points = straight(curves(line))
        self.stroke(points, STROKES[line.why])
        self.on.polygon(self._all(head(line.points)), fill=STROKES[line.why].colour)

    def stroke(self, points: Sequence[Point], stroke: Stroke) -> None:
        width = max(1, round(stroke.width * self.scale))
        for piece in _dashed(points, stroke.dash) if stroke.dash else [points]:
            self.on.line(self._all(piece), fill=stroke.colour, width=width, joint="curve")

    def box(self, box: Box) -> None:
        seen, middle = look(box), box.y + box.tall / 2
        corners = outline(box)
        self.on.polygon(self._all(corners), fill=seen.fill)
        around = [*corners, corners[0]]
        self.stroke(around, Stroke(seen.edge, 1.0, (4, 3) if seen.broken else ()))
        for ends in inner(box):
            self.stroke(ends, Stroke(seen.edge, 1.0))
        self.write((box.x + 11, middle), box.label, NAME, INK)
        if box.note:
            self.write((box.x + box.wide - 9, middle), box.note, NOTE, FAINT, "rm")

    def write(self, at: Point, words: str, size: float, colour: str, anchor: str = "lm") -> None:
        (spot,) = self._all([at])
        self.on.text(spot, words, font=_font(round(size * self.scale)), fill=colour, anchor=anchor)

    def _all(self, points: Sequence[Point]) -> list[Point]:
        return [((x + EDGE) * self.scale, (y + EDGE) * self.scale) for x, y in points]


def _dashed(points: Sequence[Point], dash: tuple[float, ...]) -> Iterator[list[Point]]:
    """The pieces of a line that are drawn."""
    piece, gap = dash
    gone, drawn = 0.0, [points[0]]
    for (x, y), (to_x, to_y) in pairwise(points):
        length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
        done = 0.0
        while length - done > 1e-9:
            left = (piece if drawn else gap) - gone
            step = min(left, length - done)
            done, gone = done + step, gone + step
            spot = (x + (to_x - x) * done / length, y + (to_y - y) * done / length)
            if drawn:
                drawn.append(spot)
            if gone >= (piece if drawn else gap) - 1e-9:
                if drawn:
                    yield drawn
                drawn, gone = ([], 0.0) if drawn else ([spot], 0.0)
    if len(drawn) > 1:
        yield drawn


@cache
def _font(size: int) -> FreeTypeFont:
    """Pillow's own, so that none need be there."""
    from PIL import ImageFont

    return cast("FreeTypeFont", ImageFont.load_default(size))


def packed(layout: Layout) -> str:
    """All that a picture depends on, as text; the same text is the same picture."""
    return json.dumps(asdict(layout))


def unpacked(text: str) -> Layout:
    said = json.loads(text)
    lines = (
        Line(**{**one, "points": tuple((float(x), float(y)) for x, y in one["points"])})
        for one in said["lines"]
    )
    return Layout(said["wide"], said["tall"], tuple(Box(**one) for one in said["boxes"]), tuple(lines))


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(unpacked(sys.stdin.read())))
