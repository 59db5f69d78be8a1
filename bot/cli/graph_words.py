"""A graph in words: as a list or trees on a terminal, as Mermaid, and as JSON."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bot.core.shapes import INK, TONES, Look
from sensors.model.graph import AFTER, EVERY, JOB, NEEDS, OFFERS, READS, STARTS, Edge, Graph, Node

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

WIDE = 200  # characters of a line of a file
MOST = 3  # neighbours that a line of the list names
COLOURS = {"table": "blue", JOB: "dark_orange", "policy": "magenta"}  # of all else: cyan
ABOVE = {READS: "reads", NEEDS: "needs", AFTER: "is after", STARTS: "is started by", OFFERS: "is offered by"}
BELOW = {READS: "read by", NEEDS: "needed by", AFTER: "before", STARTS: "starts", OFFERS: "offers"}
SHAPES = {
    "table": ("[(", ")]"),
    "model": ("{{", "}}"),
    "sheet": ("[/", "/]"),
    "topic": ("[\\", "\\]"),
    "dashboard": ("[/", "\\]"),
    "job": ("([", "])"),
    "policy": ("[", "]"),
}
ARROWS = {
    READS: "-->",
    NEEDS: "-->",
    AFTER: "==>",
    STARTS: '== "starts" ==>',
    OFFERS: '-. "offers" .->',
}


def as_object(graph: Graph) -> dict[str, Any]:
    """Nodes in an order in which each comes after what it waits for."""
    nodes = [graph.nodes[ref] for ref in graph.sorted()]
    return {
        "nodes": [
            {
                "ref": node.ref,
                "kind": node.kind,
                "title": node.title,
                "owner": node.owner,
                "tier": node.tier or None,
                "status": node.status or None,
            }
            for node in nodes
        ],
        "edges": [{"up": edge.up, "down": edge.down, "why": edge.why} for edge in graph.edges],
    }


def mermaid(graph: Graph) -> str:
    """A flowchart; GitHub draws it in a block that begins with ```mermaid."""
    ids = {ref: f"n{n}" for n, ref in enumerate(graph.sorted(), 1)}
    lines = ["flowchart LR"]
    for ref, one in ids.items():
        node = graph.nodes[ref]
        left, right = SHAPES[node.kind]
        tone = node.status or (node.tier if node.is_asset else JOB)
        lines.append(f'  {one}{left}"{_quoted(node.name)}"{right}:::{tone}')
    lines += [f"  {ids[edge.up]} {ARROWS[edge.why]} {ids[edge.down]}" for edge in graph.edges]
    used = {line.rpartition(":::")[2] for line in lines}
    lines += [f"  classDef {tone} {_style(look)}" for tone, look in TONES.items() if tone in used]
    return "\n".join(lines) + "\n"


def _style(look: Look) -> str:
    broken = ",stroke-dasharray:4 3" if look.broken else ""
    return f"fill:{look.fill},stroke:{look.edge},color:{INK}{broken}"


def _quoted(text: str) -> str:
    """Letters, digits and what is plain as they are; all else by its number."""
    return "".join(c if c.isalnum() or c in "._:- " else f"#{ord(c)};" for c in text)


def show(graph: Graph, around: Sequence[str], up: int | None, down: int | None) -> None:
    """On standard output: the trees of these, or a list of all."""
    from rich.console import Console

    _print(Console(highlight=False), graph, around, up, down)


def text(graph: Graph, around: Sequence[str], up: int | None, down: int | None) -> str:
    """The same for a file: without colours, and as wide as it needs to be."""
    from rich.console import Console

    console = Console(file=io.StringIO(), highlight=False, width=WIDE, color_system=None)
    _print(console, graph, around, up, down)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"  # type: ignore[attr-defined]


def _print(console: Console, graph: Graph, around: Sequence[str], up: int | None, down: int | None) -> None:
    if not around:
        for line in _list(graph):
            console.print(line)
    for ref in around:
        console.print(_tree(graph, ref, up, down))


# ------------------------------------------------------------------------------------- a list


def _list(graph: Graph) -> Iterator[Text]:
    """Two lines each, in an order in which each comes after what it waits for."""
    from rich.text import Text

    for ref in graph.sorted():
        yield _said(graph.nodes[ref])
        ups = _several(graph, [edge.up for edge in graph.up(ref)])
        downs = _several(graph, [edge.down for edge in graph.down(ref)])
        beside = (f"after {ups}" if ups else "", f"before {downs}" if downs else "")
        yield Text(f"  {'; '.join(filter(None, beside)) or 'nothing hangs together with it'}", "dim")


def _several(graph: Graph, refs: Iterable[str]) -> str:
    names = [graph.nodes[ref].name for ref in dict.fromkeys(refs)]
    if len(names) <= MOST:
        return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    return f"{', '.join(names[: MOST - 1])} and {len(names) - MOST + 1} more"


# ------------------------------------------------------------------------------------- trees


def _tree(graph: Graph, ref: str, up: int | None, down: int | None) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(_said(graph.nodes[ref]))
    for words, edges, steps, why in (
        ("comes from", graph.up, up, ABOVE),
        ("leads to", graph.down, down, BELOW),
    ):
        if steps != 0:
            branch = tree.add(Text(words if edges(ref, EVERY) else f"{words} nothing", "bold"))
            _grow(graph, branch, ref, edges, why, steps, {ref})
    return tree


def _grow(
    graph: Graph,
    branch: Tree,
    ref: str,
    edges: Callable[[str], Sequence[Edge]],
    why: dict[str, str],
    steps: int | None,
    seen: set[str],
) -> None:
    """What is there once is not told again below another."""
    from rich.text import Text

    for edge in sorted(edges(ref), key=lambda one: (one.why == OFFERS, one)):
        other = edge.down if edge.up == ref else edge.up
        more = other not in seen and bool(edges(other)) and edge.why != OFFERS
        words = Text.assemble((f"{why[edge.why]} ", "dim"), _said(graph.nodes[other]))
        known = other in seen and bool(edges(other)) and edge.why != OFFERS
        twig = branch.add(words.append(" …", "dim") if known else words)
        if more and (steps is None or steps > 1):
            seen.add(other)
            _grow(graph, twig, other, edges, why, None if steps is None else steps - 1, seen)


def _said(node: Node) -> Any:
    from rich.text import Text

    facts = [f"{node.status or node.tier} {node.kind}".strip(), node.owner or "nobody's"]
    return Text.assemble((node.name, _colour(node)), (f"  {', '.join(facts)}", "dim"))


def _colour(node: Node) -> str:
    return COLOURS.get(node.kind, "cyan")
