"""Draws a trend as a PNG that is readable on a phone; it knows numbers and dates, never a name.

`python -m bot.deliver.drawing` draws what it reads: what a drawing takes of memory ends with its process."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from bot.core.trend import Day, Trend
from bot.core.words import count

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

MODULE = "bot.deliver.drawing"
WIDE, TALL = 760, 380  # twice what a phone of 390 px shows
LEFT, RIGHT, TOP, FLOOR = 16, 744, 52, 276
TEXT, ROW, INK, BAND = 26, 40, "#1d1c1d", "#eef3f8"
COLOURS = 32
# Of each part: its word for one and for many, its colour, and its pattern, which tells them apart without it.
PARTS = (
    ("right", "right", "#1264a3", "solid"),
    ("otherwise", "otherwise", "#a3a5a8", "solid"),
    ("false positive", "false positives", "#d9631e", "striped"),
    ("not judged", "not judged", "#5f6165", "hollow"),
)


def draw(found: Trend) -> bytes:
    """The PNG, about 760 by 380 pixels and a few kB."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (WIDE, TALL + ROW), "white")
    on = ImageDraw.Draw(picture)
    _bars(on, found)
    _dates(on, found)
    rows = _legend(on, found.total)
    if rows == 1:
        picture = picture.crop((0, 0, WIDE, TALL))
    out = BytesIO()
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(out, "PNG")
    return out.getvalue()


def _bars(on: ImageDraw, found: Trend) -> None:
    most = max(1, *found.by_day)
    peak = found.by_day.index(max(found.by_day))
    for n, day in enumerate(found.days):
        left, right = _column(n, len(found.days))
        last = n == len(found.days) - 1
        if last:
            on.rectangle((left - 4, TOP - 36, right + 4, FLOOR), fill=BAND)
        top = _stack(on, day, (left, right), most)
        if last or n == peak:
            _write(on, (left + right) // 2, top - 20, f"{day.total:,}", bold=last)
    on.line((LEFT, FLOOR, RIGHT, FLOOR), fill=INK, width=2)


def _column(n: int, days: int) -> tuple[int, int]:
    """From where to where across the n-th day stands."""
    width = (RIGHT - LEFT) / days
    gap = min(12.0, width / 4)
    return round(LEFT + n * width + gap / 2), round(LEFT + (n + 1) * width - gap / 2)


def _stack(on: ImageDraw, day: Day, across: tuple[int, int], most: int) -> int:
    """The parts of a day on one another; its top. What is there is seen, however little of the most it is."""
    whole = (FLOOR - TOP) * day.total / most
    floor = FLOOR
    for n, (*_, colour, pattern) in zip(_parts(day), PARTS, strict=True):
        if n:
            top = min(floor - 3, floor - round(whole * n / day.total))
            _part(on, (across[0], top, across[1], floor), colour, pattern)
            floor = top
    return floor


def _parts(day: Day) -> tuple[int, int, int, int]:
    return day.right, day.other, day.wrong, day.unjudged


def _part(on: ImageDraw, box: tuple[int, int, int, int], colour: str, pattern: str) -> None:
    left, top, right, floor = box
    on.rectangle(box, fill=colour if pattern == "solid" else "white", outline=colour, width=2)
    if pattern == "striped":
        for y in range(top + 4, floor, 6):
            on.line((left, y, right, y), fill=colour, width=3)


def _dates(on: ImageDraw, found: Trend) -> None:
    """The last day, and as many before it as there is room for, a week apart where there are many."""
    days, step = len(found.days), 7 if len(found.days) > 10 else 1
    for n in range(days - 1, -1, -step):
        day, last = found.first + timedelta(days=n), n == days - 1
        left, right = _column(n, days)
        words = f"{day.day} {day:%b}" if step > 1 or last else f"{day:%a}"
        middle = (left + right) // 2
        on.line((middle, FLOOR, middle, FLOOR + 6), fill=INK, width=2)
        _write(on, middle, FLOOR + 24, words, bold=last)


def _legend(on: ImageDraw, whole: Day) -> int:
    """Every part that there is, with its number; on so many rows."""
    across, y, rows = LEFT, TALL - 34, 1
    for n, (one, many, colour, pattern) in zip(_parts(whole), PARTS, strict=True):
        words = count(n, one, many)
        if n and across > LEFT and across + 30 + _width(words) > RIGHT:
            across, y, rows = LEFT, y + ROW, rows + 1
        if n:
            _part(on, (across, y - 11, across + 22, y + 11), colour, pattern)
            on.text((across + 30, y), words, font=_font(), fill=INK, anchor="lm")
            across += 30 + _width(words) + 22
    return rows


def _write(on: ImageDraw, x: int, y: int, words: str, *, bold: bool = False) -> None:
    """Around x, but never over the edge."""
    half = _width(words) // 2 + 2
    at = max(LEFT + half, min(x, RIGHT - half))
    on.text((at, y), words, font=_font(), fill=INK, anchor="mm", stroke_width=0.5 if bold else 0)


def _width(words: str) -> int:
    return round(_font().getlength(words))


@cache
def _font() -> FreeTypeFont:
    """Pillow's own, so that none need be there."""
    from PIL import ImageFont

    return cast("FreeTypeFont", ImageFont.load_default(TEXT))


def packed(found: Trend) -> str:
    """All that a picture depends on, as text; the same text is the same picture."""
    days = [[day.right, day.wrong, day.other, day.unjudged] for day in found.days]
    return json.dumps({"first": found.first.isoformat(), "days": days})


def unpacked(text: str) -> Trend:
    said: dict[str, Any] = json.loads(text)
    days: Sequence[Sequence[int]] = said["days"]
    return Trend(date.fromisoformat(said["first"]), tuple(Day(*parts) for parts in days))


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(unpacked(sys.stdin.read())))
