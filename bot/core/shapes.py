"""How the kinds, tiers and edges of a graph look: outlines and colours, for whatever draws them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.core.layout import Box, Line, Point
from sensors.model.graph import AFTER, JOB, NEEDS, OFFERS, POLICY, READS, STARTS

INK, FAINT, PAPER = "#1d1c1d", "#6b6f76", "#ffffff"
SLANT, CORNER = 8.0, 7.0
ARROW = 6.0  # the length of a head
STEPS = 14  # of a curve, where it is drawn as straight pieces
Curve = tuple[Point, Point, Point, Point]  # from, two that draw it, to


@dataclass(frozen=True)
class Look:
    """The colours of an outline, and whether it is broken."""

    fill: str
    edge: str
    broken: bool = False


@dataclass(frozen=True)
class Stroke:
    """How an edge is drawn. `dash`: lengths of a piece and of a gap; () for a whole line."""

    colour: str
    width: float
    dash: tuple[float, ...] = ()


TONES = {
    "raw": Look("#f7efdf", "#94702c"),
    "core": Look("#e6effa", "#2f66a8"),
    "vetted": Look("#e2f3e6", "#2b7a45"),
    "scratch": Look("#ececec", "#7c7c7c", broken=True),
    "live": Look("#efe7f8", "#68409b"),
    "shadow": Look("#ffffff", "#a58fc2"),
    "draft": Look("#ffffff", "#8d8d8d", broken=True),
    "retired": Look("#ececec", "#b5b5b5", broken=True),
    JOB: Look("#fdebd9", "#bd6416"),
}
STROKES = {
    AFTER: Stroke("#2b2f36", 1.5),
    NEEDS: Stroke("#7f93ad", 1.1),
    READS: Stroke("#b9c2ce", 1.0),
    STARTS: Stroke("#bd6416", 1.5),
    OFFERS: Stroke("#dba46f", 1.0, (4, 3)),
}
SAID = {
    AFTER: "is after it",
    NEEDS: "needs it",
    READS: "reads it",
    STARTS: "is started by it",
    OFFERS: "is offered by it",
}


def look(box: Box) -> Look:
    return TONES[JOB] if box.kind == JOB else TONES.get(box.tone, TONES["core"])


def outline(box: Box) -> tuple[Point, ...]:
    """The corners, clockwise from the left upper one; each kind has its shape, for who sees no colours."""
    left, top, right, floor = box.x, box.y, box.x + box.wide, box.y + box.tall
    middle = (top + floor) / 2
    match box.kind:
        case "model":
            near, far = left + SLANT, right - SLANT
            return _all(near, top, far, top, right, middle, far, floor, near, floor, left, middle)
        case "topic":
            return _all(left + SLANT, top, right, top, right - SLANT, floor, left, floor)
        case "sheet":
            return _all(left, top, right - CORNER, top, right, top + CORNER, right, floor, left, floor)
        case "dashboard":
            return _all(left + CORNER, top, right - CORNER, top, right, floor, left, floor)
        case "job":
            return tuple(_pill(left, top, right, floor))
    return _all(left, top, right, top, right, floor, left, floor)


def inner(box: Box) -> tuple[tuple[Point, Point], ...]:
    """Strokes within the outline: a table has a rule, a policy a bar."""
    left, top, floor = box.x, box.y, box.y + box.tall
    if box.kind == POLICY:
        return tuple(((left + n, top), (left + n, floor)) for n in (1.0, 2.0, 3.0))
    return (((left + 5, top), (left + 5, floor)),) if box.kind == "table" else ()


def _all(*numbers: float) -> tuple[Point, ...]:
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _pill(left: float, top: float, right: float, floor: float) -> Iterator[Point]:
    radius = (floor - top) / 2
    for centre, start in ((left + radius, 90), (right - radius, -90)):
        for turn in range(0, 181, 20):
            angle = math.radians(start + turn)
            yield centre + radius * math.cos(angle), top + radius + radius * math.sin(angle)


def curves(line: Line) -> tuple[Curve, ...]:
    """Its pieces, level at both ends, so that they join smoothly. One to the left swings out."""
    found = []
    for (x, y), (to_x, to_y) in pairwise(line.points):
        reach = abs(to_x - x) / 2 if not line.back else 60.0
        found.append(((x, y), (x + reach, y), (to_x - reach, to_y), (to_x, to_y)))
    return tuple(found)


def straight(pieces: Iterable[Curve]) -> list[Point]:
    """The same as many short straight pieces."""
    points: list[Point] = []
    for curve in pieces:
        steps = 1 if curve[0][1] == curve[3][1] else STEPS
        points += [_at(curve, n / steps) for n in range(steps + 1)]
    return points


def _at(curve: Curve, t: float) -> Point:
    shares = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (sum(s * point[axis] for s, point in zip(shares, curve, strict=True)) for axis in (0, 1))
    return x, y


def head(points: Sequence[Point]) -> tuple[Point, Point, Point]:
    """The arrow at the end of a line, which always comes in level from the left."""
    x, y = points[-1]
    return (x, y), (x - ARROW, y - ARROW / 2), (x - ARROW, y + ARROW / 2)
