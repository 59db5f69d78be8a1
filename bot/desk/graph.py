"""Part of the desk: what hangs on what, for `graph`, and for the pages of tables, policies and jobs."""

from __future__ import annotations

from bot.core.around import ALONE, Hangs, around, hangs, meant, names, size
from bot.core.layout import NOT_DRAWN, Layout, laid_out
from bot.core.reply import GraphReply, Reply
from bot.core.unknown import no_such
from sensors.graph import graph
from sensors.model.catalog import Catalog
from sensors.model.graph import Graph

MOST_DRAWN = 100  # nodes; more are nothing to look at in a message
LEGIBLE = 900  # pixels of a layout that can be read in a message, which is less than half as wide


def page(catalog: Catalog, name: str) -> Reply:
    """Of a policy, a job or an asset; without a name of all."""
    whole = graph(catalog)
    if not name:
        return GraphReply(None, ALONE, size(whole), _drawn(whole))
    ref = meant(name, whole)
    if ref is None:
        return no_such("policy, table or job", name, names(whole))
    steps, layout = _legible(whole, ref)
    return GraphReply(whole.nodes[ref], hangs(whole, ref), size(around(whole, [ref])), layout, steps)


def _legible(whole: Graph, ref: str) -> tuple[int | None, Layout]:
    """All that hangs together with it, or as few steps each way as can be read; at least one."""
    for steps in (None, 2, 1):
        layout = _drawn(around(whole, [ref], steps, steps))
        if layout.boxes and layout.wide <= LEGIBLE:
            break
    return steps, layout


def beside(catalog: Catalog, ref: str) -> Hangs:
    """What stands next to this one."""
    whole = graph(catalog)
    return hangs(whole, ref) if ref in whole.nodes else ALONE


def _drawn(part: Graph) -> Layout:
    return laid_out(part) if len(part.nodes) <= MOST_DRAWN else NOT_DRAWN
