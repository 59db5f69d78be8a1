"""How a case that failed is shown: its place, why, and a table of what was expected and what came."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.words import count
from sensors.model.line import printable
from sensors.model.violation import shown

if TYPE_CHECKING:
    from bot.core.expect import Pair
    from bot.workbench.trial import Outcome
    from sensors.model.catalog import Catalog

WIDE = 60  # letters of one cell
WIDTH = 110  # where nothing says how wide the paper is


def place(outcome: Outcome, catalog: Catalog) -> tuple[str, int, int]:
    """The path, line and column of the case."""
    document = getattr(catalog, "documents", {}).get(outcome.policy.path)
    index = next((i for i, case in enumerate(outcome.policy.cases) if case is outcome.case), 0)
    return (outcome.policy.path, *(document.at(("cases", index)) if document else (1, 1)))


def report(outcome: Outcome, catalog: Catalog, console: Console | None = None) -> None:
    """One failed case, printed."""
    console = console or Console()
    path, line, column = place(outcome, catalog)
    console.print(
        Text(printable(f"{path}:{line}:{column} {outcome.case.name}"), style="bold red"), soft_wrap=True
    )
    for problem in outcome.problems:
        console.print(Text(f"  {problem}"), soft_wrap=True)
        for shown_line in problem.marked():
            console.print(Text(f"      {shown_line}"), soft_wrap=True)
    for error in outcome.errors:
        console.print(Text(printable(f"  {error}"), style="red"), soft_wrap=True)
    if outcome.pairs and not all(pair.same for pair in outcome.pairs):
        console.print(_table(outcome.pairs))
    if looked := outcome.looked:
        start = f"{looked.window.start:%Y-%m-%d %H:%M:%S} → " if looked.window.start else "as of "
        rows = count(len(looked.rows), "row")
        console.print(
            Text(f"  looked at {start}{looked.window.end:%Y-%m-%d %H:%M:%S} UTC: {rows}", style="dim")
        )


def as_text(outcome: Outcome, catalog: Catalog) -> str:
    """The same as plain text, for pytest."""
    paper = io.StringIO()
    report(outcome, catalog, Console(file=paper, width=WIDTH, color_system=None))
    return paper.getvalue().rstrip()


def _table(pairs: tuple[Pair, ...]) -> Table:
    """A row for each alert; a cell that differs is marked with what came instead."""
    table = Table("", "expected", "got", show_lines=True)
    for pair in pairs:
        mark = Text("ok", style="green") if pair.same else Text("✗", style="bold red")
        table.add_row(mark, _expected(pair), _got(pair))
    return table


def _expected(pair: Pair) -> Text:
    if pair.expected is None:
        return Text("no such alert", style="dim")
    return _lines(pair.expected, list(pair.expected), pair.differing)


def _got(pair: Pair) -> Text:
    if pair.got is None:
        return Text("nothing fired", style="bold red")
    if pair.expected is None:
        return _lines(pair.got, list(pair.got), tuple(pair.got))
    return _lines(pair.got, list(pair.expected), pair.differing)


def _lines(alert: Any, names: list[str], marked: tuple[str, ...]) -> Text:
    text = Text()
    for number, name in enumerate(names):
        value = _cell(alert[name]) if name in alert else "(there is no such column)"
        arrow = "→ " if name in marked else "  "
        line = f"{arrow}{name}: {value}"
        text.append(("\n" if number else "") + line, style="bold red" if name in marked else "")
    return text


def _cell(value: Any) -> str:
    seen = "null" if value is None else printable(shown(value))
    return seen if len(seen) <= WIDE else f"{seen[:WIDE]}…"


def as_json(outcome: Outcome, catalog: Catalog) -> dict[str, Any]:
    path, line, column = place(outcome, catalog)
    looked = outcome.looked
    start = looked.window.start if looked else None
    return {
        "policy": outcome.policy.name,
        "case": outcome.case.name,
        "path": path,
        "line": line,
        "column": column,
        "passed": outcome.passed,
        "problems": [str(problem) for problem in outcome.problems],
        "errors": list(outcome.errors),
        "window": {
            "start": start.isoformat() if start else None,
            "end": looked.window.end.isoformat(),
        }
        if looked
        else None,
        "alerts": [_pair_json(pair) for pair in outcome.pairs],
    }


def _pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "same": pair.same,
        "expected": _plainly(pair.expected),
        "got": _plainly(pair.got),
        "differing": list(pair.differing),
    }


def _plainly(alert: Any) -> dict[str, Any] | None:
    return None if alert is None else {name: shown(value) for name, value in alert.items()}
