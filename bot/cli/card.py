"""A message of Slack as a terminal draws it: Block Kit's blocks, each in its place, as narrow as a phone."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sensors.model.clock import say_duration

Block = Mapping[str, Any]
PHONE = 48  # columns that a phone of 390 px is about as wide as
WIDE = 100
FRAME = 4  # columns of it
TOKEN = re.compile(
    r"<(?P<angle>[^<>]+)>|`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
    r"|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])"
)
DATE = re.compile(r"!date\^(\d+)\^(.*?)(?:\^.*)?\|(.*)", re.DOTALL)
BUTTONS = {"primary": "bold white on green", "danger": "bold white on red"}


def drawn(blocks: Sequence[Block], names: Mapping[str, str], now: datetime, width: int = PHONE) -> Panel:
    """The message in a frame of `width` columns. `names` are people's by Slack id; times are UTC."""
    drawing = _Drawing(names, now, width - FRAME)
    parts = [part for block in blocks for part in (drawing.block(block), Text())][:-1]
    head = Text.assemble(("Patrol", "bold"), " ", ("APP", "reverse dim"), (f" {now:%H:%M}", "dim"))
    return Panel(Group(*parts), title=head, title_align="left", width=width, box=box.ROUNDED)


class _Drawing:
    def __init__(self, names: Mapping[str, str], now: datetime, width: int) -> None:
        self.names = names
        self.now = now
        self.width = width

    def block(self, block: Block) -> RenderableType:
        match block.get("type"):
            case "header":
                return Text(str(block["text"]["text"]), style="bold")
            case "section":
                return self.mrkdwn(block["text"]["text"])
            case "actions":
                return self.buttons(block["elements"])
            case "table":
                return _table(block["rows"])
            case "context":
                return Group(*(self.mrkdwn(one["text"], "dim") for one in block["elements"]))
            case "rich_text":
                return Padding(Text("\n".join(_texts(block)), no_wrap=True, overflow="ellipsis"), (0, 1))
        return Text(f"({block.get('type')})", style="dim")

    def buttons(self, elements: Sequence[Block]) -> Text:
        """As many on a line as it holds; none is broken in two."""
        lines = [Text()]
        for button in map(_button, elements):
            if lines[-1] and lines[-1].cell_len + 2 + button.cell_len > self.width:
                lines.append(Text())
            lines[-1].append("  " if lines[-1] else "").append_text(button)
        return Text("\n").join(lines)

    def mrkdwn(self, text: str, style: str = "") -> Text:
        """Slack's marks as a terminal's: what it would not parse stays what it is."""
        out, end = Text(style=style), 0
        for found in TOKEN.finditer(text):
            out.append(html.unescape(text[end : found.start()]))
            out.append_text(self._token(found))
            end = found.end()
        return out.append(html.unescape(text[end:]))

    def _token(self, found: re.Match[str]) -> Text:
        kind, inner = str(found.lastgroup), str(found[str(found.lastgroup)])
        if kind == "angle":
            return self._angle(inner)
        if kind == "code":
            return Text(html.unescape(inner), style="reverse dim")
        styled = self.mrkdwn(inner)
        styled.stylize({"bold": "bold", "italic": "italic", "strike": "strike"}[kind])
        return styled

    def _angle(self, inner: str) -> Text:
        if found := DATE.fullmatch(inner):
            return Text(self._moment(datetime.fromtimestamp(int(found[1]), UTC), found[2]))
        target, _, label = inner.partition("|")
        if target.startswith("@"):
            return Text(f"@{self.names.get(target[1:], target[1:])}", style="bold cyan")
        if target.startswith(("http://", "https://", "mailto:")):
            url = html.unescape(target)
            return Text(html.unescape(label) or url, style=f"underline blue link {url}")
        return Text(html.unescape(f"<{inner}>"), style="bold red")  # a ping that nobody meant

    def _moment(self, at: datetime, form: str) -> str:
        if form == "{ago}":
            gap = self.now - at
            return "just now" if abs(gap) < timedelta(minutes=1) else f"{say_duration(gap)} ago"
        clock = f"{at:%H:%M} UTC"
        if form == "{time}":
            return clock
        return f"today at {clock}" if at.date() == self.now.date() else f"{at:%b} {at.day} at {clock}"


def _button(element: Block) -> Text:
    return Text(f"[ {element['text']['text']} ]", style=BUTTONS.get(str(element.get("style")), "bold"))


def _table(rows: Sequence[Sequence[Block]]) -> Table:
    head, *others = [[str(cell.get("text", "")) for cell in row] for row in rows]
    table = Table(box=box.ROUNDED, expand=True, show_lines=True)
    for name in head:
        table.add_column(Text(name))
    for row in others:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    return table


def _texts(part: Any) -> list[str]:
    if isinstance(part, Mapping):
        own = [str(part["text"])] if part.get("type") == "text" else []
        return own + _texts(part.get("elements", []))
    return [text for one in part for text in _texts(one)] if isinstance(part, list) else []
