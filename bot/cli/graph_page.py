"""A graph as an SVG, and as a page that holds it and shows what hangs on what one points at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from bot.core.layout import Box, Layout, Point
from bot.core.legend import SAMPLE, Legend, legend
from bot.core.shapes import (
    FAINT,
    INK,
    PAPER,
    SAID,
    STROKES,
    Stroke,
    curves,
    head,
    inner,
    look,
    outline,
)
from sensors.model.graph import Graph

EDGE, HEAD, LEAST = 24, 72, 560  # around the picture; over it, with the heading; how wide it is at least
FONT = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
STYLE = f"""
text{{font-family:{FONT};fill:{INK};font-size:11.5px;dominant-baseline:central}}
.note{{fill:{FAINT};font-size:10px;text-anchor:end}}
.heading{{font-size:17px;font-weight:600}}
.legend{{font-size:11px}}
path{{fill:none}}"""
# Pointing at a box leaves what hangs together with it, up and down, and makes the rest faint.
LIVELY = """
svg{max-width:100%;height:auto}
body{margin:0;background:#fff}
.faint{opacity:.12}
g.box{cursor:pointer}
@page{size:A3 landscape;margin:8mm}"""
SCRIPT = """
const boxes=[...document.querySelectorAll('g.box')],lines=[...document.querySelectorAll('g.line')];
const reach=(start,from,to)=>{const seen=new Set([start]),todo=[start];
  while(todo.length){const at=todo.pop();
    for(const l of lines){const there=l.dataset[to];
      if(l.dataset[from]===at&&!seen.has(there)){seen.add(there);todo.push(there)}}}
  return seen};
let kept=null;
const show=ref=>{const up=ref&&reach(ref,'down','up'),down=ref&&reach(ref,'up','down');
  for(const b of boxes)b.classList.toggle('faint',!!ref&&!up.has(b.dataset.ref)&&!down.has(b.dataset.ref));
  for(const l of lines)l.classList.toggle('faint',!!ref&&!(up.has(l.dataset.up)&&up.has(l.dataset.down))
    &&!(down.has(l.dataset.up)&&down.has(l.dataset.down)))};
for(const b of boxes){b.onmouseenter=()=>kept||show(b.dataset.ref);b.onmouseleave=()=>kept||show(null);
  b.onclick=e=>{kept=kept===b.dataset.ref?null:b.dataset.ref;show(kept);e.stopPropagation()}}
document.onclick=()=>{kept=null;show(null)};"""


def svg(graph: Graph, layout: Layout, heading: str) -> str:
    """The picture with its heading and a legend of what occurs in it."""
    wide = max(layout.wide, LEAST)
    below = legend(layout, wide)
    under = HEAD + layout.tall + 2 * EDGE
    size = f'width="{wide + 2 * EDGE:.0f}" height="{under + below.tall:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
        f' viewBox="0 0 {wide + 2 * EDGE:.0f} {under + below.tall:.0f}" role="img">',
        f"<title>{_text(heading)}</title><style>{STYLE}</style>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<text class="heading" x="{EDGE}" y="{EDGE + 8}">{_text(heading)}</text>',
        f'<g transform="translate({EDGE},{HEAD})">',
        *_lines(layout),
        *(_node(graph, box) for box in layout.boxes),
        f'</g><g transform="translate({EDGE},{HEAD + layout.tall + EDGE:.0f})">',
        *_legend(below),
        "</g></svg>\n",
    ]
    return "\n".join(parts)


def page(graph: Graph, layout: Layout, heading: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{_text(heading)}</title>\n'
        f"<style>{LIVELY}</style>\n{svg(graph, layout, heading)}<script>{SCRIPT}</script>\n</html>\n"
    )


def _lines(layout: Layout) -> Iterator[str]:
    """What is faint first, so that nothing hides what is strong."""
    for line in sorted(layout.lines, key=lambda one: STROKES[one.why].width):
        stroke, pieces = STROKES[line.why], curves(line)
        way = f"M{_xy(pieces[0][0])}" + "".join(f"C{_xy(a)} {_xy(b)} {_xy(end)}" for _, a, b, end in pieces)
        said = f"{line.down} {SAID[line.why].removesuffix(' it')} {line.up}"
        yield (
            f'<g class="line" data-up="{_text(line.up)}" data-down="{_text(line.down)}">'
            f"<title>{_text(said)}</title>"
            f'<path d="{way}" {_stroked(stroke)}/>'
            f'<polygon points="{_points(head(line.points))}" fill="{stroke.colour}"/></g>'
        )


def _node(graph: Graph, box: Box) -> str:
    node = graph.nodes[box.ref]
    facts = [
        node.kind,
        node.tier or node.status,
        f"owned by {node.owner}" if node.owner else "owned by nobody",
    ]
    said = "\n".join([node.name, ", ".join(filter(None, facts)), *([node.title] if node.title else [])])
    return f'<g class="box" data-ref="{_text(box.ref)}"><title>{_text(said)}</title>{_shape(box)}</g>'


def _shape(box: Box) -> str:
    seen, middle = look(box), box.y + box.tall / 2
    dash = ' stroke-dasharray="4 3"' if seen.broken else ""
    within = "".join(
        f'<path d="M{_xy(one)}L{_xy(other)}" stroke="{seen.edge}"/>' for one, other in inner(box)
    )
    note = f'<text class="note" x="{box.x + box.wide - 9:.1f}" y="{middle:.1f}">{_text(box.note)}</text>'
    return (
        f'<polygon points="{_points(outline(box))}" fill="{seen.fill}" stroke="{seen.edge}"{dash}/>{within}'
        f'<text x="{box.x + 11:.1f}" y="{middle:.1f}">{_text(box.label)}</text>{note if box.note else ""}'
    )


def _legend(below: Legend) -> Iterator[str]:
    yield from map(_shape, below.boxes)
    for one in below.samples:
        ends = f'x1="{one.x:.1f}" x2="{one.x + SAMPLE:.1f}" y1="{one.y:.1f}" y2="{one.y:.1f}"'
        yield f"<line {ends} {_stroked(STROKES[one.why])}/>"
        yield f'<text class="legend" x="{one.x + SAMPLE + 6:.1f}" y="{one.y:.1f}">{one.words}</text>'


def _stroked(stroke: Stroke) -> str:
    dash = f' stroke-dasharray="{" ".join(map(str, stroke.dash))}"' if stroke.dash else ""
    return f'stroke="{stroke.colour}" stroke-width="{stroke.width}"{dash}'


def _points(points: Iterable[Point]) -> str:
    return " ".join(map(_xy, points))


def _xy(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _text(text: str) -> str:
    """Without what XML cannot hold."""
    plain = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return escape(plain, quote=True)
