"""What hangs on what: policies, assets and jobs as nodes, and why one stands after another. Values only."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sensors.model.policy import NOTHING

ASSETS = ("table", "model", "sheet", "topic", "dashboard")  # the kinds of assets
JOB, POLICY = "job", "policy"
KINDS = (*ASSETS, JOB, POLICY)
READS, NEEDS, AFTER, STARTS, OFFERS = "reads", "needs", "after", "starts", "offers"
WAITS = frozenset({READS, NEEDS, AFTER})  # in these a circle has no beginning
STARTING = frozenset({AFTER, STARTS})  # the lower end begins by itself when the upper one is done
EVERY = WAITS | {STARTS, OFFERS}
STRENGTH = (AFTER, STARTS, NEEDS, READS, OFFERS)  # of several edges between two, the first says most
Why = Collection[str]


def kind_of(ref: str) -> str:
    """`model` of `model:reco`; a bare name is a table's. Whether there is such a kind is not asked."""
    kind, colon, _ = ref.partition(":")
    return kind if colon else ASSETS[0]


def name_of(ref: str) -> str:
    """`reco` of `model:reco`, `core.orders` of itself."""
    kind, colon, name = ref.partition(":")
    return name if colon else kind


def job_ref(name: str) -> str:
    """How a job is referred to: `job:dbt_build`."""
    return f"{JOB}:{name}"


def policy_ref(name: str) -> str:
    """How a policy is referred to: `policy:payments.refund_spike`."""
    return f"{POLICY}:{name}"


def as_ref(text: str) -> str:
    """A reference as it is held: what is no job's and no policy's is in lower case."""
    return text if kind_of(text) in (JOB, POLICY) else text.lower()


@dataclass(frozen=True, slots=True)
class Node:
    """A policy, a job or an asset; `ref`: `core.orders`, `model:reco`, `job:x`, `policy:payments.x`."""

    ref: str
    title: str = ""
    owner: str | None = None  # a team
    tier: str = ""  # of an asset: raw | core | vetted | scratch
    status: str = ""  # of a policy: draft | shadow | live | retired

    @property
    def kind(self) -> str:
        """table | model | sheet | topic | dashboard | job | policy"""
        return kind_of(self.ref)

    @property
    def name(self) -> str:
        """As a person types it after `show`: an asset's and a job's is the reference, a policy's is bare."""
        return name_of(self.ref) if self.kind == POLICY else self.ref

    @property
    def is_asset(self) -> bool:
        return self.kind not in (JOB, POLICY)


@dataclass(frozen=True, order=True, slots=True)
class Edge:
    """`down` stands after `up`. `why`, said of the lower one: it reads | needs | is after the upper one; of
    the upper one, a policy: it starts | offers the lower one, a job."""

    up: str
    down: str
    why: str


Edges = tuple[Edge, ...]
Following = Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Graph:
    """Nodes by their references, and the edges between them; an edge to what is no node is left out.

    `why` says which edges are followed: by default all. References that are no nodes hang on nothing.
    """

    nodes: Mapping[str, Node] = NOTHING
    edges: Edges = ()

    @cached_property
    def _up(self) -> Mapping[str, list[Edge]]:
        return _by(self.edges, "down")

    @cached_property
    def _down(self) -> Mapping[str, list[Edge]]:
        return _by(self.edges, "up")

    def up(self, ref: str, why: Why = EVERY) -> Edges:
        """What it directly stands after."""
        return tuple(edge for edge in self._up.get(ref, ()) if edge.why in why)

    def down(self, ref: str, why: Why = EVERY) -> Edges:
        """What directly stands after it."""
        return tuple(edge for edge in self._down.get(ref, ()) if edge.why in why)

    def above(self, refs: Iterable[str], steps: int | None = None, why: Why = EVERY) -> frozenset[str]:
        """All that these hang on, in so many steps at most; these themselves are left out."""
        return self._reached(refs, steps, lambda ref: [edge.up for edge in self.up(ref, why)])

    def below(self, refs: Iterable[str], steps: int | None = None, why: Why = EVERY) -> frozenset[str]:
        """All that hangs on these."""
        return self._reached(refs, steps, lambda ref: [edge.down for edge in self.down(ref, why)])

    def _reached(self, refs: Iterable[str], steps: int | None, following: Following) -> frozenset[str]:
        start = set(refs)
        seen, last = set(start), start
        while last and (steps is None or steps > 0):
            last = {there for ref in last for there in following(ref)} - seen
            seen |= last
            steps = None if steps is None else steps - 1
        return frozenset(seen - start)

    def part(self, refs: Iterable[str]) -> Graph:
        """These nodes alone, and the edges between them."""
        kept = {ref: self.nodes[ref] for ref in sorted(set(refs) & set(self.nodes))}
        return Graph(kept, tuple(edge for edge in self.edges if edge.up in kept and edge.down in kept))

    def order(self, refs: Iterable[str], why: Why = WAITS) -> tuple[str, ...]:
        """These, each after all of them that it waits for, also through others; else by name.

        Where they wait for one another in a circle, the first by name goes ahead.
        """
        wanted = set(refs) & set(self.nodes)
        part = self.part(wanted | self.above(wanted, why=why))
        return tuple(ref for ref in part.sorted(why) if ref in wanted)

    def sorted(self, why: Why = WAITS) -> Iterator[str]:
        """All nodes, each after what it waits for, but for circles; else by name."""
        waiting = {ref: {edge.up for edge in self.up(ref, why)} - {ref} for ref in sorted(self.nodes)}
        while waiting:
            free = [ref for ref, ups in waiting.items() if not ups] or [_ahead(waiting)]
            yield from free
            for ref in free:
                del waiting[ref]
            for ref in {edge.down for done in free for edge in self.down(done, why)}:
                waiting.get(ref, set()).difference_update(free)

    def cycles(self, why: Why = WAITS) -> tuple[Edges, ...]:
        """Circles: of each edge that lies on one, a shortest through it, every one once and from its first
        name on. None where there is an order."""
        found: dict[frozenset[Edge], Edges] = {}
        covered: set[Edge] = set()
        turning = self._turning(why)
        for edge in turning.edges:
            back = () if edge in covered else turning.path(edge.down, edge.up)
            if back or edge.up == edge.down:
                circle = _turned((edge, *back))
                covered |= set(circle)
                found.setdefault(frozenset(circle), circle)
        return tuple(sorted(found.values()))

    def _turning(self, why: Why) -> Graph:
        """What may lie on a circle: all else has, once others are gone, nothing above or nothing below it."""
        pairs = {(edge.up, edge.down): edge for edge in sorted(self.edges, reverse=True) if edge.why in why}
        before, kept = -1, sorted(pairs.values())
        while before != len(kept):
            before, ups, downs = len(kept), {e.up for e in kept}, {e.down for e in kept}
            kept = [e for e in kept if e.up in downs and e.down in ups]
        return Graph(self.nodes, tuple(kept))

    def path(self, up: str, down: str, why: Why = EVERY) -> Edges:
        """A shortest way down from one to the other; () where there is none, or where they are the same."""
        came: dict[str, Edge] = {}
        waiting = deque([up])
        while waiting and down not in came:
            for edge in self.down(waiting.popleft(), why):
                if edge.down not in came and edge.down != up:
                    came[edge.down] = edge
                    waiting.append(edge.down)
        way: list[Edge] = []
        while down in came:
            way.append(came[down])
            down = came[down].up
        return tuple(reversed(way))


def _by(edges: Edges, end: str) -> Mapping[str, list[Edge]]:
    found: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        found[getattr(edge, end)].append(edge)
    return found


def _ahead(waiting: Mapping[str, Collection[str]]) -> str:
    """The first by name of a circle of those that all wait."""
    at, seen = min(waiting), list[str]()
    while at not in seen:
        seen.append(at)
        at = min(waiting[at])
    return min(seen[seen.index(at) :])


def _turned(circle: Edges) -> Edges:
    """The same circle, from where the name comes first."""
    first = min(range(len(circle)), key=lambda n: circle[n].up)
    return (*circle[first:], *circle[:first])
