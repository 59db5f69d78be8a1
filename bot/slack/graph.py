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

LINES = 12  # of each side
UP = {AFTER: "after", STARTS: "started by", NEEDS: "needs", READS: "reads", OFFERS: "offered by"}
DOWN = {AFTER: "before", STARTS: "starts", NEEDS: "needed by", READS: "read by", OFFERS: "offers"}


def hanging(found: Hangs, without: Iterable[str] = ()) -> list[Block]:
    """`Comes from` and `Leads to`, a line for each; to, but for kinds that are told elsewhere (`without`)."""
    downs = [one for one in found.downs if one.node.kind not in set(without)]
    return [
        *titled("Comes from", _lines(found.ups, UP, found.further_up), LINES + 1),
        *titled("Leads to", _lines(downs, DOWN, found.further_down), LINES + 1),
    ]


def _lines(beside: Iterable[Beside], words: dict[str, str], further: int) -> list[str]:
    listed = list(beside)
    lines = [f"{words[one.why]} {code(one.node.name, 80)} · {what(one.node)}" for one in listed[:LINES]]
    more = len(listed) - LINES
    beyond = [f"and {more} more"] if more > 0 else []
    beyond += (
        [f"{count(further, 'more', 'more')} beyond {'it' if len(listed) == 1 else 'these'}"]
        if further
        else []
    )
    return [*lines, *([", ".join(beyond)] if beyond and lines else [])]


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
    small = [f"{escape(reply.size)} hang together", drawn, show]
    blocks = [header(name or "What hangs on what"), section(head), *hanging(reply.hangs), *context(small)]
    return Face(f"{head} · {escape(reply.size)}", blocks[:48])


def in_words(reply: GraphReply) -> str:
    """All that the picture shows, for who does not see it."""
    name = reply.of.name if reply.of else "everything"
    sides = (("from", reply.hangs.ups), ("to", reply.hangs.downs))
    said = "; ".join(
        f"{word} {', '.join(one.node.name for one in side[:LINES])}" for word, side in sides if side
    )
    return f"What hangs together with {name}: {reply.size}{f'; {said}' if said else ''}"
