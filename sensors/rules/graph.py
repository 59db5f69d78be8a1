"""Rules for the graph of all bundles: circles, what hangs on scratch, and assets on which nothing hangs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sensors.draft import Draft
from sensors.graph import graph
from sensors.join import known_to_all
from sensors.loaded import Loaded
from sensors.model.catalog import Problem
from sensors.model.graph import (
    AFTER,
    JOB,
    NEEDS,
    READS,
    STARTING,
    STARTS,
    WAITS,
    Edge,
    Edges,
    Graph,
    as_ref,
    job_ref,
    policy_ref,
)
from sensors.model.policy import Status
from sensors.yaml_marks import Document, Path

FEW = 10  # unused assets of a bundle that are named one by one; of more, one warning says how many
ENDS = ("dashboard", "sheet", "model")  # of use by themselves, if something makes them
NAMED = 5


def graph_rules(catalog: Loaded) -> Iterator[Problem]:
    found = graph(catalog)
    there = set(found.edges)
    said = {edge: place for part in catalog.each for edge, place in _places(part) if edge in there}
    yield from _circles(found, said)
    yield from _scratch(found, said)
    if not catalog.broken:  # what a policy reads that does not load is not known
        for part in catalog.each:
            yield from part.placed(_unused(part, found))


# ------------------------------------------------------------------------- where an edge is said


@dataclass(frozen=True)
class _Place:
    """Where a file says that one thing comes after another: in YAML, or in the SQL of a policy."""

    part: Loaded
    document: Document
    where: Path
    key: bool = False
    draft: Draft | None = None  # then it is the SQL that reads the table `word`
    word: str = ""

    def problem(self, said: str, *, warning: bool = False) -> Problem:
        if self.draft is not None:
            found = self.draft.in_sql(said, self.word, warning=warning)
        else:
            found = self.document.problem(self.where, said, key=self.key, warning=warning)
        return next(self.part.placed([found]))


def _places(part: Loaded) -> Iterator[tuple[Edge, _Place]]:
    for kind, before in (("assets", ""), ("jobs", f"{JOB}:")):
        document = part.documents.get(f"policies/_{kind}.yml")
        for key, entry in _entries(document):
            after = entry.get("after") if isinstance(entry, dict) else None
            for index, up in enumerate(after if isinstance(after, list) else ()):
                if document and isinstance(up, str):
                    edge = Edge(_ref(up, part), as_ref(before + key), AFTER)
                    yield edge, _Place(part, document, (key, "after", index))
    for draft in part.drafts:
        yield from _of_policy(part, draft)


def _ref(upstream: str, part: Loaded) -> str:
    (ref,) = known_to_all([upstream], part)
    return ref


def _entries(document: Document | None) -> Iterable[tuple[str, Any]]:
    return document.data.items() if document and isinstance(document.data, dict) else ()


def _of_policy(part: Loaded, one: Draft) -> Iterator[tuple[Edge, _Place]]:
    file, ref = one.file, policy_ref(part.root.prefix + one.name)
    if file is None or one.query is None:
        return
    for table in one.query.tables:
        yield Edge(table, ref, READS), _Place(part, one.document, (), draft=one, word=table)
    for table in file.needs:
        yield Edge(table.lower(), ref, NEEDS), _Place(part, one.document, ("needs", table), key=True)
    for index, up in enumerate(file.schedule.after or ()):
        place = _Place(part, one.document, ("schedule", "after", index))
        yield Edge(_ref(up, part), ref, AFTER), place
    for index, job in enumerate(file.on_open):
        yield Edge(ref, job_ref(job), STARTS), _Place(part, one.document, ("on_open", index))


# --------------------------------------------------------------------------------- the rules


def _circles(found: Graph, said: Mapping[Edge, _Place]) -> Iterator[Problem]:
    for circle in found.cycles(WAITS):
        yield _at(circle, said, f"goes round in a circle, so that nothing in it comes first: {told(circle)}")
    for circle in found.cycles(STARTING):
        if any(edge.why == STARTS for edge in circle):
            yield _at(circle, said, f"may start itself again and again: {told(circle)}", warning=True)


def _at(circle: Edges, said: Mapping[Edge, _Place], what: str, *, warning: bool = False) -> Problem:
    """At the first `after` in it that a file says, else at what reads; dbt's stand in no file of ours."""
    likely = sorted(circle, key=lambda edge: edge.why != AFTER)
    place = next((said[edge] for edge in likely if edge in said), None)
    return place.problem(what, warning=warning) if place else Problem("patrol.yml", 1, 1, what, warning)


def told(way: Edges) -> str:
    """`raw.orders → job:build → core.orders`"""
    return " → ".join([*(edge.up for edge in way), *(edge.down for edge in way[-1:])])


def _scratch(found: Graph, said: Mapping[Edge, _Place]) -> Iterator[Problem]:
    """What a live policy reads itself is said where its SQL is read; here is what else it stands on."""
    scratch = {ref for ref, node in found.nodes.items() if node.tier == "scratch"}
    made_from = found.below(scratch, why={AFTER})
    for edge, place in said.items():
        node = found.nodes.get(edge.down)
        if node is None or edge.why not in WAITS or node.status != Status.live:
            continue
        if edge.up in scratch:
            yield place.problem(f"{edge.up} is scratch; a live policy stands on what is kept")
        elif edge.up in made_from:
            ways = [way for one in sorted(scratch) if (way := found.path(one, edge.up, {AFTER}))]
            made = f"{edge.up} is made from scratch ({told(min(ways, key=len))})"
            yield place.problem(f"{made}; a live policy stands on what is kept", warning=True)


def _unused(part: Loaded, found: Graph) -> Iterator[Problem]:
    """Declared assets on which nothing hangs; on a dashboard, which is looked at, nothing need.

    A file in which nothing says `after` is a list of what policies may read: of that nothing is unused.
    """
    document = part.documents.get("policies/_assets.yml")
    unused = [key for key, _ in _entries(document) if _hangs_nothing(found, key.lower())]
    linked = any(isinstance(entry, dict) and entry.get("after") for _, entry in _entries(document))
    if document is None or not unused or not linked:
        return
    if len(unused) > FEW:
        more = f"{', '.join(unused[:NAMED])} and {len(unused) - NAMED} more"
        said = f"nothing reads these, or is made after them: {more}; take out what is not used"
        yield document.problem((unused[0],), said, key=True, warning=True)
        return
    for key in unused:
        said = "nothing reads it, or is made after it; is it still used?"
        yield document.problem((key,), said, key=True, warning=True)


def _hangs_nothing(found: Graph, ref: str) -> bool:
    node = found.nodes.get(ref)
    if node is None or found.down(ref):
        return False
    return node.kind not in ENDS or not found.up(ref)
