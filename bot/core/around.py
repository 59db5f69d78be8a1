"""What of a graph somebody asks for: the node that a name means, and what hangs together with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sensors.model.graph import EVERY, JOB, OFFERS, POLICY, Graph, as_ref

FOLLOWED = EVERY - {OFFERS}  # what is offered may happen; what hangs on that is not followed


def meant(name: str, graph: Graph) -> str | None:
    """The reference of `core.orders`, `payments.x`, `job:x`, `model:reco`; None where there is no such node.

    A policy may be typed without `policy:`, and goes before a table and a job of the same name.
    """
    tries = (f"{POLICY}:{name}", f"{POLICY}:{name.lower()}", name, as_ref(name), f"{JOB}:{name}")
    return next((one for one in tries if one in graph.nodes), None)


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


def names(graph: Graph) -> list[str]:
    """As people type them."""
    return sorted(node.name for node in graph.nodes.values())
