"""What of a graph somebody asks for: the node that a name means, and what hangs together with it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.words import count
from sensors.model.graph import (
    EVERY,
    JOB,
    OFFERS,
    POLICY,
    STRENGTH,
    Edge,
    Graph,
    Node,
    as_ref,
    job_ref,
    policy_ref,
)

FOLLOWED = EVERY - {OFFERS}  # what is offered may happen; what hangs on that is not followed


def meant(name: str, graph: Graph) -> str | None:
    """The reference of `core.orders`, `payments.x`, `job:x`, `model:reco`; None where there is no such node.

    A policy may be typed without `policy:`, and goes before a table and a job of the same name; a job without
    `job:`. Capitals are as good as small letters.
    """
    tries = (policy_ref(name), as_ref(name), job_ref(name))
    folded = {ref.lower(): ref for ref in graph.nodes} if not any(one in graph.nodes for one in tries) else {}
    return next((ref for one in tries if (ref := folded.get(one.lower(), one)) in graph.nodes), None)


def around(graph: Graph, refs: Iterable[str], up: int | None = None, down: int | None = None) -> Graph:
    """These with what they hang on and what hangs on them, so many steps each way; by default all of it.

    Jobs that are offered there belong to it, and of a job the policies that offer it.
    """
    start = frozenset(refs) & frozenset(graph.nodes)
    kept = start | graph.above(start, up, FOLLOWED) | graph.below(start, down, FOLLOWED)
    if up != 0:
        kept |= {edge.up for ref in start for edge in graph.up(ref, {OFFERS})}
    if down != 0:
        nearer = start | graph.below(start, None if down is None else down - 1, FOLLOWED)
        kept |= {edge.down for ref in nearer for edge in graph.down(ref, {OFFERS})}
    return graph.part(kept)


@dataclass(frozen=True)
class Beside:
    """What stands next to something: a node, and why. `why` is of the lower one, as an edge has it."""

    node: Node
    why: str


@dataclass(frozen=True)
class Hangs:
    """What something directly comes from and leads to, and how much there is beyond."""

    ups: tuple[Beside, ...] = ()
    downs: tuple[Beside, ...] = ()
    further_up: int = 0
    further_down: int = 0


ALONE = Hangs()


def hangs(graph: Graph, ref: str) -> Hangs:
    """What is after, needed and started before what is only offered; by name."""
    ups, downs = graph.up(ref), graph.down(ref)
    above, below = (set(reached([ref], None, FOLLOWED)) for reached in (graph.above, graph.below))
    return Hangs(
        tuple(Beside(graph.nodes[edge.up], edge.why) for edge in _strongest(ups)),
        tuple(Beside(graph.nodes[edge.down], edge.why) for edge in _strongest(downs)),
        len(above - {edge.up for edge in ups}),
        len(below - {edge.down for edge in downs}),
    )


def _strongest(edges: Iterable[Edge]) -> list[Edge]:
    """One for each pair, in the order of `STRENGTH`."""
    ranked = sorted(edges, key=lambda edge: (STRENGTH.index(edge.why), edge))
    first: dict[tuple[str, str], Edge] = {}
    for edge in ranked:
        first.setdefault((edge.up, edge.down), edge)
    return list(first.values())


def names(graph: Graph) -> list[str]:
    """As people type them."""
    return sorted(node.name for node in graph.nodes.values())


def size(part: Graph) -> str:
    """`39 policies, 4 jobs, 25 assets`"""
    kinds = Counter(node.kind if node.kind in (POLICY, JOB) else "asset" for node in part.nodes.values())
    words = {POLICY: ("policy", "policies"), JOB: ("job", "jobs"), "asset": ("asset", "assets")}
    return ", ".join(count(kinds[kind], *said) for kind, said in words.items() if kinds[kind]) or "nothing"
