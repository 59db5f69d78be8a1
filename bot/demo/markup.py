"""Pieces of the admin site's pages. Everything that people wrote is escaped here and nowhere else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
STYLE = (Path(__file__).parent / "admin.css").read_text()
LINKS = {"s": "sellers", "b": "buyers", "l": "listings", "sh": "shows", "d": "devices", "ca": "campaigns"}
ID = re.compile(r"(sh|ca|[sbl])_\d+|d_[0-9a-f]+")


@dataclass(frozen=True)
class Markup:
    """Text that is markup already."""

    text: str


def show(value: object) -> str:
    """A value as markup: text escaped and kept in its own direction, ids as links, times and money set."""
    match value:
        case Markup(text=text):
            return text
        case None:
            return '<span class="none">–</span>'
        case datetime():  # before date, which it is too
            iso = value.isoformat(timespec="seconds")
            return f'<time datetime="{iso}Z" title="{iso} UTC">{value:%b %d, %H:%M:%S}</time>'
        case date():
            return f"{value:%b %d, %Y}"
        case Decimal():
            return f'<span class="money">${value:,.2f}</span>'
        case int() | float():
            return f"{value:,}"
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    if ID.fullmatch(text):
        return f'<a href="/{LINKS[text.partition("_")[0]]}/{text}">{text}</a>'
    clean = CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return f'<bdi class="text">{html.escape(clean[:1000])}</bdi>'


def badge(word: str, tone: str) -> Markup:
    return Markup(f'<span class="badge {tone}">{html.escape(word)}</span>')


def picture(image_hash: str, *, large: bool = False) -> Markup:
    """A stand-in for a photo, the same for the same picture."""
    number = int(re.sub(r"[^0-9a-f]", "", image_hash.lower())[:12] or "0", 16)
    hue, turn, other = number % 360, number // 360 % 180, number // 64_800 % 360
    size = "picture large" if large else "picture"
    return Markup(
        f'<span class="{size}" style="background:linear-gradient({turn}deg,'
        f'hsl({hue} 60% 62%),hsl({other} 55% 38%))"></span>'
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    rows = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{show(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{rows}</dl>'


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]], none: str = "Nothing yet.") -> str:
    if not rows:
        return f'<section><h2>{html.escape(title)}</h2><p class="none">{html.escape(none)}</p></section>'
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{show(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f"<section><h2>{html.escape(title)} <small>{len(rows)}</small></h2>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )


def page(kind: str, title: str, *parts: str, badges: Iterable[Markup] = ()) -> str:
    marks = "".join(mark.text for mark in badges)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(CONTROL.sub('', title)[:80])} · Marketplace admin</title><style>{STYLE}</style>"
        '<header><a class="home" href="/">Marketplace <b>admin</b></a></header><main>'
        f'<p class="kind">{html.escape(kind)}</p><h1>{_text(title)} {marks}</h1>'
        f"{''.join(parts)}</main></html>"
    )
