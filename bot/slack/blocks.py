"""The few shapes of Block Kit that we use, each within Slack's limits whatever it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.slack.text import cut, fold, plain, trimmed, width

Block = dict[str, Any]

SECTION_MOST = 3_000
CELL_MOST = 80
COLUMNS_MOST = 6
URL_MOST = 3_000
OF = "@"  # between what a button does and of what: no two in a view have the same id


@dataclass(frozen=True)
class Face:
    """A message as Slack shows it: `text` for notifications and screen readers, `blocks` for the eye."""

    text: str
    blocks: list[Block] = field(default_factory=list)
    plainer: list[Block] = field(default_factory=list)  # in the place of blocks that Slack does not take


def mrkdwn(text: str, limit: int = SECTION_MOST) -> Block:
    """`text` must be safe already; it is cut only as a last resort, at a line where there is one."""
    return {"type": "mrkdwn", "text": trimmed(text, limit) or " ", "verbatim": True}


def plain_text(text: object, limit: int) -> Block:
    return {"type": "plain_text", "text": plain(text, limit), "emoji": False}


def header(text: object) -> Block:
    return {"type": "header", "text": plain_text(text, 150)}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def image(file_id: str, words: str, title: str = "") -> Block:
    """A picture that was uploaded; `words` say all that it shows."""
    made: Block = {
        "type": "image",
        "slack_file": {"id": file_id},
        "alt_text": plain(words, 1_900) or "A picture",
    }
    return made | ({"title": plain_text(title, 200)} if title else {})


def context(parts: Iterable[str]) -> list[Block]:
    """The small print, each part on a line of its own; no block where there is nothing to say."""
    lines = [trimmed(part, 1_500) for part in parts if part]
    return [{"type": "context", "elements": [mrkdwn("\n".join(lines))]}] if lines else []


def actions(elements: Sequence[Block]) -> list[Block]:
    return [{"type": "actions", "elements": list(elements[:25])}] if elements else []


def button(text: str, action: str, value: str, style: str | None = None, url: str | None = None) -> Block:
    made: Block = {"type": "button", "text": plain_text(text, 75), "action_id": action[:255]}
    made |= {"value": value[:2_000]} if value else {}
    made |= {"style": style} if style else {}
    return made | ({"url": url} if url else {})


def option(text: str, value: str, description: str = "") -> Block:
    made: Block = {"text": plain_text(text, 75), "value": value[:150]}
    return made | ({"description": plain_text(description, 75)} if description else {})


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Block:
    """Rows as cells that Slack never parses. The caller gives few rows and columns."""
    shown = list(columns[:COLUMNS_MOST])
    cells = [[_cell(name) for name in shown]]
    cells += [[_cell(row.get(name)) for name in shown] for row in rows]
    return {"type": "table", "rows": cells, "column_settings": [{"is_wrapped": True} for _ in shown]}


def _cell(value: object) -> Block:
    return {"type": "raw_text", "text": plain(in_cell(value), CELL_MOST)}


def in_cell(value: object) -> str:
    """A stored value as people read it: the tag that kept its type is left out, nothing is `–`."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Mapping() if len(value) == 1 and next(iter(value)) in (
            "number",
            "time",
            "date",
            "text",
            "bytes",
        ):
            return str(next(iter(value.values())))
        case Mapping() if set(value) == {"map"}:
            return in_cell(value["map"])
        case Mapping():
            return ", ".join(f"{k}: {in_cell(v)}" for k, v in value.items())
        case list() | tuple():
            return ", ".join(in_cell(v) for v in value)
        case _:
            return str(value)


def preformatted(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], limit: int = 2_800, most: int = COLUMNS_MOST
) -> Block:
    """The same rows as monospaced text, for places and workspaces without tables."""
    shown = list(columns[:most])
    cells = [[plain(name, 24) for name in shown]]
    cells += [[plain(in_cell(row.get(name)), 40) for name in shown] for row in rows]
    widths = [max(len(line[at]) for line in cells) for at in range(len(shown))]
    text = "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    )
    run = {"type": "text", "text": cut(text, limit) or "–"}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [run]}]}


def verbatim(text: str, limit: int = 2_800) -> Block:
    """Lines from outside as they are, monospaced, where Slack parses nothing: the last of them that fit."""
    lines = [fold(line) for line in text.splitlines()]
    whole = "\n".join(lines).strip("\n")
    while width(whole) > limit and "\n" in whole:
        whole = whole.partition("\n")[2]
    run = {"type": "text", "text": cut(whole, limit) or "–"}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [run]}]}
