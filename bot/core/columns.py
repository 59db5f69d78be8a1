"""The order of names in columns with few crossings, and how high each stands. Pure."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 10
Pair = tuple[str, str]
Cell = tuple[str, int]  # a name, or the lines from it, in a column


@dataclass(frozen=True)
class Cells:
    """What stands in each column: nodes, and the lines that pass it, those from one node together."""

    ahead: Collection[Pair]
    column: Mapping[str, int]
    tall: float  # of a node, with the gap to the next
    thin: float  # of a line that passes
    left: dict[Cell, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    right: dict[Cell, list[Cell]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for up, down in sorted(self.ahead):
            way = [(up, n) for n in range(self.column[up], self.column[down])]
            for one, other in zip(way, [*way[1:], (down, self.column[down])], strict=True):
                if other not in self.right[one]:
                    self.right[one].append(other)
                    self.left[other].append(one)

    def ordered(self) -> list[list[Cell]]:
        """The columns, each from top to bottom, with few crossings."""
        rows: list[list[Cell]] = [[] for _ in range(max(self.column.values()) + 1)]
        places = {(ref, n) for ref, n in self.column.items()} | set(self.right)
        for cell in sorted(places):
            rows[cell[1]].append(cell)
        best, fewest = rows, self._crossings(rows)
        for sweep in range(SWEEPS):
            rows = self._swept(rows, rightwards=sweep % 2 == 0)
            if (crossings := self._crossings(rows)) < fewest:
                best, fewest = rows, crossings
        return best

    def _swept(self, rows: list[list[Cell]], *, rightwards: bool) -> list[list[Cell]]:
        rows, beside = list(rows), self.left if rightwards else self.right
        for n in range(1, len(rows)) if rightwards else range(len(rows) - 2, -1, -1):
            other = rows[n - 1 if rightwards else n + 1]
            share = {cell: (at + 0.5) / len(other) for at, cell in enumerate(other)}
            own = {cell: (at + 0.5) / len(rows[n]) for at, cell in enumerate(rows[n])}

            def wish(
                cell: Cell, share: Mapping[Cell, float] = share, own: Mapping[Cell, float] = own
            ) -> float:
                return _mean([share[one] for one in beside.get(cell, ())]) or own[cell]

            rows[n] = sorted(rows[n], key=wish)
        return rows

    def _crossings(self, rows: list[list[Cell]]) -> int:
        crossings = 0
        for n, row in enumerate(rows[:-1]):
            place = {cell: at for at, cell in enumerate(rows[n + 1])}
            seen: list[int] = []
            for cell in row:
                ends = sorted(place[one] for one in self.right.get(cell, ()))
                crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return crossings

    def heights(self, rows: list[list[Cell]]) -> dict[Cell, float]:
        """The middle of each cell: near those that it hangs together with, and never over its neighbours."""
        y: dict[Cell, float] = {}
        for row in rows:
            y |= dict(zip(row, spread([0.0] * len(row), [self._tall(cell) for cell in row]), strict=True))
        for turn in range(SWEEPS):
            for row in rows if turn % 2 == 0 else reversed(rows):
                wishes = [
                    _mean([y[o] for o in (*self.left.get(c, ()), *self.right.get(c, ()))], y[c]) for c in row
                ]
                y |= dict(zip(row, spread(wishes, [self._tall(cell) for cell in row]), strict=True))
        top = min(y[cell] - self._tall(cell) / 2 for cell in y)
        return {cell: at - top for cell, at in y.items()}

    def _tall(self, cell: Cell) -> float:
        return self.tall if self.column.get(cell[0]) == cell[1] else self.thin


def _mean(values: Sequence[float], otherwise: float = 0.0) -> float:
    return sum(values) / len(values) if values else otherwise


def spread(wishes: Sequence[float], talls: Sequence[float]) -> list[float]:
    """The places nearest to the wishes, by least squares, at which no two overlap and the order stands."""
    offsets = [0.0]
    for one, other in pairwise(talls):
        offsets.append(offsets[-1] + (one + other) / 2)
    blocks: list[tuple[float, int]] = []  # mean and how many
    for wish, offset in zip(wishes, offsets, strict=False):
        mean, many = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, n = blocks.pop()
            mean, many = (before * n + mean * many) / (n + many), n + many
        blocks.append((mean, many))
    flat = [mean for mean, many in blocks for _ in range(many)]
    return [at + offset for at, offset in zip(flat, offsets, strict=False)]
