"""What hangs on what, in answers: lines on a table's, a policy's and a job's page; the answer to `graph`."""

from __future__ import annotations

from collections.abc import Iterable

from bot.core.around import Beside, Hangs
from bot.core.reply import GraphReply
from bot.core.words import count
from bot.slack.blocks import Block, Face, context, header, section
from bot.slack.lines import ANYWHERE, Room, titled
from bot.slack.text import code, escape
from sensors.model.graph import AFTER, NEEDS, OFFERS, READS, STARTS, Node

SINGLY, NAMES, ON_A_LINE = 5, 24, 6  # by one reason: so many have a line each; so many are named
LINES = 12  # of each side
UP = {AFTER: "after", STARTS: "started by", NEEDS: "needs", READS: "reads", OFFERS: "offered by"}
DOWN = {AFTER: "before", STARTS: "starts", NEEDS: "needed by", READS: "read by", OFFERS: "offers"}


def hanging(found: Hangs, without: Iterable[str] = ()) -> list[Block]:
    """`Comes from` and `Leads to`, a line for each; to, but for kinds that are told elsewhere (`without`)."""
    downs = [one for one in found.downs if one.node.kind not in set(without)]
    return [
        *titled("Comes from", _lines(found.ups, UP, found.further_up)),
        *titled("Leads to", _lines(downs, DOWN, found.further_down)),
    ]


def _lines(beside: Iterable[Beside], words: dict[str, str], further: int) -> list[str]:
    """A line each; of many by the same reason the names on one."""
    listed = list(beside)
    by = {why: [one.node for one in listed if one.why == why] for why in dict.fromkeys(b.why for b in listed)}
    lines = [line for why, nodes in by.items() for line in _by_reason(words[why], nodes)]
    beyond = f"{count(further, 'more', 'more')} beyond {'it' if len(listed) == 1 else 'these'}"
    return [*lines, *([beyond] if further and lines else [])]


def _by_reason(why: str, nodes: list[Node]) -> list[str]:
    if len(nodes) <= SINGLY:
        return [f"{why} {code(node.name, 80)} · {what(node)}" for node in nodes]
    names = [code(node.name, 80) for node in nodes[:NAMES]]
    names += [f"and {len(nodes) - NAMES} more"] if len(nodes) > NAMES else []
    lines = ["  ".join(names[at : at + ON_A_LINE]) for at in range(0, len(names), ON_A_LINE)]
    return [f"{why} {len(nodes)}: {lines[0]}", *lines[1:]]


def what(node: Node) -> str:
    """`core table, owned by payments`"""
    kind = f"{node.status or node.tier} {node.kind}".strip()
    return f"{escape(kind, 40)}, owned by {escape(node.owner or 'nobody', 40)}"


def graph(reply: GraphReply, room: Room = ANYWHERE) -> Face:
    """The picture follows, where there is one."""
    name = reply.of.name if reply.of else ""
    head = f"{code(name)} · {what(reply.of)}" if reply.of else "Everything"
    if reply.of and not (reply.hangs.ups or reply.hangs.downs):
        head += "\nNothing hangs together with it."
    typed = f"patrol graph{' ' + name if name else ''}"
    drawn = (
        "" if reply.layout.boxes else f"Too much to be drawn here: {code(f'{typed} -o graph.html')} draws it."
    )
    if reply.layout.boxes and reply.steps:
        each = count(reply.steps, "step")
        drawn = (
            f"Of these {each} each way {'is' if reply.steps == 1 else 'are'} drawn: {code(typed)} has all."
        )
    show = f"{code(f'{room.prefix} show {name}')} says how it is with it" if name else ""
    size = escape(reply.size, 200)
    small = [f"{size} hang together", drawn, show]
    blocks = [header(name or "What hangs on what"), section(head), *hanging(reply.hangs), *context(small)]
    return Face(f"{head} · {size}", blocks[:48])


def in_words(reply: GraphReply) -> str:
    """All that the picture shows, for who does not see it."""
    name = reply.of.name if reply.of else "everything"
    sides = (("from", reply.hangs.ups), ("to", reply.hangs.downs))
    said = "; ".join(
        f"{word} {', '.join(one.node.name for one in side[:LINES])}" for word, side in sides if side
    )
    return f"What hangs together with {name}: {reply.size}{f'; {said}' if said else ''}"
