"""Stretches of time that a policy has looked at, and the holes between them. Arithmetic only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

NO_TIME = timedelta()


@dataclass(frozen=True, order=True)
class Stretch:
    """`[start, end)`, as windows are."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return max(self.end - self.start, NO_TIME)

    @property
    def empty(self) -> bool:
        return self.start >= self.end


Stretches = tuple[Stretch, ...]


def merged(stretches: Iterable[Stretch]) -> Stretches:
    """The same moments in as few stretches as can be, oldest first. Those that touch become one."""
    found: list[Stretch] = []
    for one in sorted(s for s in stretches if not s.empty):
        if found and one.start <= found[-1].end:
            found[-1] = Stretch(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return tuple(found)


def without(whole: Stretch, covered: Iterable[Stretch]) -> Stretches:
    """What of `whole` lies in none of the others, oldest first."""
    return tuple(_left(whole, merged(covered)))


def _left(whole: Stretch, covered: Stretches) -> Iterator[Stretch]:
    at = whole.start
    for one in covered:
        if one.end <= at or one.start >= whole.end:
            continue
        if one.start > at:
            yield Stretch(at, one.start)
        at = one.end
    if at < whole.end:
        yield Stretch(at, whole.end)


def common(one: Iterable[Stretch], other: Iterable[Stretch]) -> Stretches:
    """The moments that lie in both."""
    theirs = merged(other)
    both = (
        Stretch(max(a.start, b.start), min(a.end, b.end))
        for a in merged(one)
        for b in theirs
        if a.start < b.end and b.start < a.end
    )
    return merged(both)


def holes(covered: Iterable[Stretch], since: datetime | None = None) -> Stretches:
    """What lies between the first moment and the last, but not before `since`.

    Before the first look nothing was promised, and after the last one the next will go on: neither is a hole.
    """
    known = merged(covered)
    between = (Stretch(a.end, b.start) for a, b in pairwise(known))
    return tuple(
        Stretch(max(h.start, since or h.start), h.end) for h in between if not since or h.end > since
    )


def cut(whole: Stretch, size: timedelta, anchor: datetime) -> Iterator[Stretch]:
    """`whole` in parts that begin and end on a grid through `anchor`, but for its own two ends.

    So two cuts that overlap have the same parts in between.
    """
    at = whole.start
    while at < whole.end:
        following = anchor + ((at - anchor) // size + 1) * size
        yield Stretch(at, min(following, whole.end))
        at = following


def bar(span: Stretch, covered: Iterable[Stretch], cells: int) -> str:
    """The span as blocks: █ looked at, ▒ in part, ░ not at all, · before the first look and after the last.

    A hole is never too short to be seen.
    """
    known, step = merged(covered), span.length / cells
    whole = [Stretch(known[0].start, known[-1].end)] if known else []
    shown = []
    for n in range(cells):
        within = common([Stretch(span.start + n * step, span.start + (n + 1) * step)], whole)
        left = [without(cell, known) for cell in within]
        shown.append("·" if not within else "█" if not any(left) else "░" if left == [within] else "▒")
    return "".join(shown)
