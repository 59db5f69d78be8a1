"""A comparison as Markdown for a pull request. Text from rows stands in code: it links and pings nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bot.core.words import line

if TYPE_CHECKING:
    from bot.cli.compared import Compared
    from bot.core.compare import Difference

SHOWN = 20  # alerts of each policy
POLICIES = 100  # in the table
LONGEST = 60_000  # characters; GitHub takes 65,536
SIGNS = {"gained": "➕", "lost": "➖", "changed": "✏️"}


def code(text: object, limit: int = 90) -> str:
    """Whatever it is, as one code span that no character of it can end or leave a table's cell by."""
    shown = line(text, limit).replace("`", "'").replace("|", "¦").replace("\\", "∖").strip()
    return f"`{shown}`" if shown else "–"


def as_markdown(title: str, found: Iterable[Compared], totals: str) -> str:
    """Totals first, then a table of policies, then the alerts of each, as far as there is room."""
    found = list(found)
    lines = [f"### Patrol: {totals}", "", title, ""]
    if found:
        lines += ["| policy | | before | now | gained | lost | changed |", "|---|---|--:|--:|--:|--:|--:|"]
        lines += [_row(one) for one in found[:POLICIES]]
    if len(found) > POLICIES:
        lines += ["", f"and {len(found) - POLICIES:,} policies more"]
    text = "\n".join(lines)
    for one in found:
        part = "\n".join(_details(one))
        if len(text) + len(part) > LONGEST:
            return f"{text}\n\nThere is more than a comment can hold: `patrol diff` shows all of it.\n"
        text += part
    return text + "\n"


def _row(one: Compared) -> str:
    gained, lost, changed = one.counts
    before, now = ("–" if n is None else f"{n:,}" for n in (one.before, one.now))
    return f"| {code(one.name)} | {one.fate} | {before} | {now} | {gained:,} | {lost:,} | {changed:,} |"


def _details(one: Compared) -> Iterator[str]:
    if not one.differences and not one.notes:
        return
    yield ""
    yield ""
    yield f"**{code(one.name)}**"
    for note in one.notes:
        yield f"- {code(note, 300)}"
    if one.differences:
        yield ""
        yield "| | at (UTC) | severity | count | alert | |"
        yield "|---|---|---|--:|---|---|"
        yield from (_alert(d) for d in one.differences[:SHOWN])
    if len(one.differences) > SHOWN:
        yield ""
        yield f"and {len(one.differences) - SHOWN:,} more"


def _alert(d: Difference) -> str:
    one = d.opening
    how = ", ".join(code(part) for part in d.how)
    return (
        f"| {SIGNS[d.kind]} {d.kind} | {one.at:%Y-%m-%d %H:%M} | {one.severity.name} | {one.count:,} "
        f"| {code(one.title)} | {how} |"
    )
