"""A graph laid out in columns, so that every edge leads to the right but for those that close a circle. Pure.

Columns by the longest way there, few crossings by barycentres; lengths are pixels of a page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.columns import Cells, Pair
from sensors.model.graph import AFTER, EVERY, JOB, POLICY, STRENGTH, WAITS, Edge, Graph, Node

TALL, GAP, THIN = 24, 7, 4  # of a box; between two; of a line that passes a column
NARROW, BROAD, PER_LINE = 44.0, 130.0, 0.8  # between columns: least, most, and for each line that passes
LETTER, SMALL, PAD = 6.7, 5.6, 22  # the width of a letter of a name, of a note; around both
LONGEST = 44  # letters of a name
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node on the page; x and y are its left upper corner. `tone` is a tier or a status."""

    ref: str
    label: str
    note: str
    kind: str
    tone: str
    x: float
    y: float
    wide: float
    tall: float = TALL


@dataclass(frozen=True)
class Line:
    """An edge on the page: where it begins, passes columns, and ends. `back`: it leads to the left."""

    up: str
    down: str
    why: str
    points: tuple[Point, ...]
    back: bool = False


@dataclass(frozen=True)
class Layout:
    """A whole picture without its heading and legend."""

    wide: float = 0
    tall: float = 0
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()


NOT_DRAWN = Layout()


def laid_out(graph: Graph) -> Layout:
    """Where everything stands; the same graph gives the same layout."""
    if not graph.nodes:
        return Layout()
    drawn = _drawn(graph)
    ahead = _ahead(graph, drawn)
    column = _columns(graph, ahead)
    cells = Cells(ahead, column, TALL + GAP, THIN)
    rows = cells.ordered()
    y = cells.heights(rows)
    left, widths = _across(graph, column, ahead)
    boxes = {
        ref: _box(graph.nodes[ref], left[column[ref]], y[ref, column[ref]], widths[column[ref]])
        for ref in graph.nodes
    }
    lines = []
    for (up, down), why in drawn.items():
        back = (up, down) not in ahead
        passed = [] if back else range(column[up] + 1, column[down])
        through = [(x, y[up, n]) for n in passed for x in (left[n], left[n] + widths[n])]
        start, end = boxes[up], boxes[down]
        points = ((start.x + start.wide, _middle(start)), *through, (end.x, _middle(end)))
        lines.append(Line(up, down, why, points, back))
    wide = left[-1] + widths[-1]
    return Layout(wide, max(box.y + box.tall for box in boxes.values()), tuple(boxes.values()), tuple(lines))


def _drawn(graph: Graph) -> dict[Pair, str]:
    """One edge for each pair that has some."""
    ranked = sorted(graph.edges, key=lambda edge: (edge.up, edge.down, -STRENGTH.index(edge.why)))
    return {(edge.up, edge.down): edge.why for edge in ranked if edge.up != edge.down}


def _ahead(graph: Graph, drawn: Mapping[Pair, str]) -> set[Pair]:
    """Pairs without a circle: all, if there is none; else the order of what waits counts more than offers."""
    place = {ref: n for n, ref in enumerate(graph.sorted(WAITS))}
    waits = {pair for pair, why in drawn.items() if why in WAITS and place[pair[0]] < place[pair[1]]}
    turning = {(e.up, e.down) for circle in graph.cycles(EVERY) for e in circle}
    kept = {pair for pair in drawn if pair not in turning} | waits
    for up, down in sorted(set(drawn) - kept):
        if drawn[up, down] in WAITS or _leads(kept, down, up):
            continue
        kept.add((up, down))
    return kept


def _leads(pairs: Iterable[Pair], start: str, end: str) -> bool:
    edges = tuple(Edge(up, down, AFTER) for up, down in pairs)
    return end in Graph(edges=edges).below([start])


def _columns(graph: Graph, ahead: set[Pair]) -> dict[str, int]:
    """Of each node. Most policies stand in one column, with what else ends there; what nothing makes stands
    right before its first use."""
    ups, downs = _ends(ahead)
    order = [*Graph(graph.nodes, tuple(Edge(up, down, AFTER) for up, down in ahead)).sorted()]
    column = _longest(order, ups, {})
    policies = sorted(column[ref] for ref, node in graph.nodes.items() if node.kind == POLICY)
    if policies:
        usual = policies[len(policies) * 3 // 4]
        least = {ref: usual + (node.kind == JOB) for ref, node in graph.nodes.items() if not downs[ref]}
        least |= {ref: usual for ref, node in graph.nodes.items() if node.kind == POLICY}
        column = _longest(order, ups, least)
    for ref in reversed(order):
        if downs[ref] and len(downs[ref]) > len(ups[ref]):
            column[ref] = min(column[down] for down in downs[ref]) - 1
    used = {n: at for at, n in enumerate(sorted(set(column.values())))}
    return {ref: used[n] for ref, n in column.items()}


def _ends(pairs: Iterable[Pair]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    ups: dict[str, list[str]] = defaultdict(list)
    downs: dict[str, list[str]] = defaultdict(list)
    for up, down in sorted(pairs):
        ups[down].append(up)
        downs[up].append(down)
    return ups, downs


def _longest(order: Sequence[str], ups: Mapping[str, list[str]], least: Mapping[str, int]) -> dict[str, int]:
    column: dict[str, int] = {}
    for ref in order:
        column[ref] = max([least.get(ref, 0), *(column[up] + 1 for up in ups.get(ref, ()))])
    return column


def _across(
    graph: Graph, column: Mapping[str, int], ahead: Iterable[Pair]
) -> tuple[list[float], list[float]]:
    """Where each column begins, and how wide it is; where more lines pass, there is more room."""
    many = max(column.values()) + 1
    widths = [0.0] * many
    for ref, n in column.items():
        widths[n] = max(widths[n], _wide(graph.nodes[ref]))
    passing = Counter(n for up, down in ahead for n in range(column[up], column[down]))
    left = [0.0]
    for n in range(many - 1):
        left.append(left[n] + widths[n] + min(BROAD, NARROW + PER_LINE * passing[n]))
    return left, widths


def _wide(node: Node) -> float:
    return PAD + LETTER * len(_label(node)) + (SMALL * (len(_note(node)) + 2) if _note(node) else 0)


def _label(node: Node) -> str:
    name = node.name
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _note(node: Node) -> str:
    """Whose it is, where its name does not say it."""
    owner = node.owner or ""
    return "" if node.name.startswith(f"{owner}.") else owner[:LONGEST]


def _box(node: Node, x: float, middle: float, wide: float) -> Box:
    tone = node.status or node.tier
    return Box(node.ref, _label(node), _note(node), node.kind, tone, x, middle - TALL / 2, wide)


def _middle(box: Box) -> float:
    return box.y + box.tall / 2
