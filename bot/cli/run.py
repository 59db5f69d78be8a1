"""`patrol run`: a policy once, its rows masked as on a card. It changes nothing and posts nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.past import key_words, short_baseline
from bot.cli.policies import Span, Time, catalog_of, policy_of
from bot.core.words import count, line
from sensors.model.clock import say_duration

if TYPE_CHECKING:
    from rich.table import Table

    from bot.core.reconcile import Reconciled
    from sensors.model.policy import Policy
    from sensors.model.run import Looked

SHOWN_ROWS = 20
CELL = 60  # characters of a value
SEVERITIES = ("info", "low", "medium", "high", "critical")
WOULD_ALERT = 3  # told from 1, a query that failed, which a pipeline may try again


@click.command()
@click.argument("policy")
@in_project
@click.option("--at", type=Time(), help="As if it were then (UTC unless it has a zone); default: now.")
@click.option("--over", type=Span(), help="Look back so far, instead of the policy's own window.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="Exit with 3 where it would alert at this severity or above.",
)
def run(
    policy: str,
    project: Path,
    at: datetime | None,
    over: timedelta | None,
    as_json: bool,
    fail_on: str | None,
) -> None:
    """Run POLICY once and show its rows. Nothing is posted and nothing is remembered.

    \b
    patrol run payments.refund_spike
    patrol run payments.refund_spike --at 2026-01-05T12:00:00Z --json
    patrol run chat.harassment --over 7d
    patrol run payments.refund_spike --fail-on high    in a pipeline, which stops then

    Columns that the policy masks or hides are masked or hidden here, as on a card.

    Exit code 0: it ran, whatever it found; 1: the query failed; 2: there is no such policy;
    3: with --fail-on, it ran and would alert.
    """
    settings = settings_of(project)
    from bot.app import open_warehouse
    from bot.workbench.one_look import once

    catalog = catalog_of(settings)
    wanted = policy_of(catalog, policy)
    if over and not wanted.accumulates:
        raise click.UsageError(
            f"{policy} finds conditions, as of a moment: --at says which; --over is for events."
        )
    warehouse = open_warehouse(settings)
    try:
        looked, found = once(wanted, catalog, warehouse, at or datetime.now(UTC), over)
        notes = [said for said in (short_baseline(looked, catalog, warehouse),) if said]
    finally:
        warehouse.close()
    if as_json:
        click.echo(json.dumps(_as_json(looked, found, notes), ensure_ascii=False, indent=2))
    else:
        _print_run(looked, found, notes)
    if looked.ok and fail_on and any(fire.severity.name in _from(fail_on) for fire in found.fired):
        sys.exit(WOULD_ALERT)
    sys.exit(0 if looked.ok else 1)


def _from(severity: str) -> tuple[str, ...]:
    """The severities from this one on."""
    return SEVERITIES[SEVERITIES.index(severity) :]


def _as_json(looked: Looked, found: Reconciled, notes: list[str]) -> dict[str, Any]:
    from bot.core.reconcile import masked

    start, policy = looked.window.start, looked.policy
    return {
        "policy": policy.name,
        "window": {"start": start.isoformat() if start else None, "end": looked.window.end.isoformat()},
        "status": looked.status.value,
        "error": looked.error,
        "columns": _shown_columns(looked),
        "rows": [_row(policy, row.values) for row in looked.rows],
        "violations": [
            {
                "key": masked(policy, f.key_values),
                "title": f.title,
                "severity": f.severity.name,
                "count": f.count,
            }
            for f in found.fired
        ],
        "bad_rows": list(looked.bad_rows),
        "notes": notes,
        "truncated": looked.truncated,
        "elapsed_s": round(looked.elapsed_s, 4),
    }


def _shown_columns(looked: Looked) -> list[str]:
    """Without those that the policy hides."""
    return [name for name in looked.columns if looked.policy.alert.columns.get(name) != "hide"]


def _row(policy: Policy, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row for scripts, masked as on a card."""
    from bot.core.reconcile import masked

    plainly = {name for name in values if policy.alert.columns.get(name, "show") == "show"}
    kept = masked(policy, values)
    return {name: _number(values[name]) if name in plainly else kept[name] for name in kept}


def _number(value: Any) -> Any:
    """For scripts numbers are numbers; all else is as people see it."""
    from sensors.model.violation import shown

    match value:
        case Decimal() if value.is_finite():
            return int(value) if value == value.to_integral_value() else float(value)
        case float() if isfinite(value):
            return value
    return shown(value)


def _print_run(looked: Looked, found: Reconciled, notes: list[str]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    start = f"{looked.window.start:%Y-%m-%d %H:%M:%S} → " if looked.window.start else "as of "
    took = say_duration(timedelta(seconds=looked.elapsed_s))
    console.print(Text(f"{looked.policy.name}  {start}{looked.window.end:%Y-%m-%d %H:%M:%S} UTC  ({took})"))
    if not looked.ok:
        console.print(Text(f"{looked.status.value}: {line(looked.error, 1000)}", style="red"))
        return
    console.print(_table(looked))
    more = len(looked.rows) - SHOWN_ROWS
    if more > 0:
        console.print(Text(f"and {count(more, 'row')} more: --json shows them all"))
    for bad in looked.bad_rows:
        console.print(Text(f"cannot be counted: {line(bad, 300)}", style="red"))
    for note in notes:
        console.print(Text(note, style="yellow"))
    fires = found.fired
    rows, keys = count(len(looked.rows), "row"), count(len(looked.violations), "key")
    console.print(Text(f"{rows}, {keys}, {len(fires)} would alert"))
    for fire in fires:
        key = key_words(looked.policy, fire.key_values)
        console.print(Text(f"  {fire.severity.name.upper():<8} {line(fire.title, 200)}  {key}"))


def _table(looked: Looked) -> Table:
    """The first rows, masked as on a card, in cells that nothing leaves."""
    from rich.table import Table
    from rich.text import Text

    from bot.core.reconcile import masked

    names = _shown_columns(looked)
    table = Table(row_styles=["", "dim"])
    for name in names:
        table.add_column(Text(line(name, CELL)))
    for row in looked.rows[:SHOWN_ROWS]:
        values = masked(looked.policy, row.values)
        table.add_row(*(Text(line(values[name], CELL)) for name in names))
    return table
