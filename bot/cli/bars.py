"""Alerts by day as an SVG written by hand: any browser shows it, and no library is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from bot.core.reckon import Reckoned
    from sensors.model.policy import Severity

WIDTH, HEIGHT = 720, 240
LEFT, TOP, BOTTOM = 40, 40, 30
COLORS = {
    "critical": "#7f1d1d",
    "high": "#dc2626",
    "medium": "#f59e0b",
    "low": "#3b82f6",
    "info": "#9ca3af",
}
FONT = "font-family='system-ui,sans-serif' font-size='11' fill='#444'"


def days_as_svg(name: str, what: Reckoned) -> str:
    """Stacked bars, a day each; a legend of the severities that there are."""
    most = max((sum(found.values()) for _, found in what.days), default=0)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>",
        f"<title>{escape(name)}: alerts by day ({escape(what.zone)})</title>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#fff'/>",
        f"<text x='{LEFT}' y='20' {FONT} font-weight='bold'>{escape(name)}</text>",
        *_legend(what.by_severity),
        *_scale(most),
        *_bars(what, most),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend(found: Mapping[Severity, int]) -> Iterator[str]:
    at = WIDTH - 20
    for severity, n in sorted(found.items()):
        said = f"{severity.name} {n:,}"
        at -= 7 * len(said) + 24
        yield f"<rect x='{at}' y='11' width='10' height='10' fill='{COLORS[severity.name]}'/>"
        yield f"<text x='{at + 14}' y='20' {FONT}>{said}</text>"


def _scale(most: int) -> Iterator[str]:
    floor = HEIGHT - BOTTOM
    yield f"<line x1='{LEFT}' y1='{floor}' x2='{WIDTH - 10}' y2='{floor}' stroke='#bbb'/>"
    yield f"<text x='{LEFT - 6}' y='{TOP + 4}' text-anchor='end' {FONT}>{most:,}</text>"
    yield f"<text x='{LEFT - 6}' y='{floor + 4}' text-anchor='end' {FONT}>0</text>"


def _bars(what: Reckoned, most: int) -> Iterator[str]:
    days = len(what.days)
    each = (WIDTH - LEFT - 10) / max(days, 1)
    for n, (day, found) in enumerate(what.days):
        x = LEFT + n * each
        yield from _bar(day, found, x, each, most)
        if n % max(1, days // 8) == 0:
            yield f"<text x='{x:.1f}' y='{HEIGHT - 12}' {FONT}>{day:%d %b}</text>"


def _bar(day: date, found: Mapping[Severity, int], x: float, each: float, most: int) -> Iterator[str]:
    y, scale = float(HEIGHT - BOTTOM), (HEIGHT - TOP - BOTTOM) / max(most, 1)
    for severity in sorted(found):
        height = found[severity] * scale
        y -= height
        shape = f"x='{x:.1f}' y='{y:.1f}' width='{max(each - 1, 0.5):.1f}' height='{height:.1f}'"
        said = f"{day:%a %d %b %Y}: {found[severity]} {severity.name}"
        yield f"<rect {shape} fill='{COLORS[severity.name]}'><title>{said}</title></rect>"
