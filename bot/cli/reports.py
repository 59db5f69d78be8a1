"""What `patrol case` says of reported false positives, and of past alerts under a changed policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import settings_of
from bot.cli.policies import catalog_of, policy_of
from bot.core.words import line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.reports import Hindsight, Report
    from bot.store import Store
    from bot.workbench.hindsight import Again
    from sensors.catalog import Loaded
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.warehouse import Warehouse

MOST = 100  # alerts that are looked at again
SHOWN = 20


@contextmanager
def opened(project: Path, *, store: bool) -> Iterator[tuple[Loaded, Warehouse, Store | None]]:
    """The files as they are, the warehouse and, if it is wanted, the store."""
    from bot.app import open_warehouse
    from bot.store import Store

    settings = settings_of(project)
    catalog, warehouse = catalog_of(settings), open_warehouse(settings)
    held = Store(settings.store_url) if store else None
    try:
        yield catalog, warehouse, held
    finally:
        warehouse.close()
        if held:
            held.close()


def listed(project: Path, name: str | None, as_json: bool) -> int:
    """Prints the open reports of the policy, or of all; the exit code."""
    from bot.workbench.hindsight import Again

    now = datetime.now(UTC)
    with opened(project, store=True) as (catalog, warehouse, store):
        assert store
        wanted = [policy_of(catalog, name)] if name else [*catalog.policies.values()]
        again = Again(store, warehouse, catalog)
        all_of_them = [(policy, _reports(store, policy, now)) for policy in wanted]
        found = [(policy, reports) for policy, reports in all_of_them if reports or name]
        if as_json:
            click.echo(json.dumps([_json(again, p, r, catalog, now) for p, r in found], indent=2))
        elif not found:
            click.echo(
                "No open reports: every false positive of the last 30 days has its case, or was mended."
            )
        else:
            for policy, reports in found:
                _print(policy, reports, catalog)
                for line in told_again(*looked_again(again, policy, now)):
                    click.echo(line)
    return 1 if any(reports for _, reports in found) else 0


def _reports(store: Store, policy: Policy, now: datetime) -> list[Report]:
    from bot.core.alert import Disposition
    from bot.core.reports import REPORTED_FOR, Report, open_reports, reporter
    from bot.workbench.hindsight import short

    false = Disposition.false_positive
    alerts = store.alerts.resolved([policy.name], now - REPORTED_FOR, false)
    opened = open_reports(policy, alerts)
    behind = store.alerts.behind([alert.id for alert in opened])
    return [
        Report(
            alert,
            reporter(alert, store.alerts.history(alert.id)),
            alert.resolved_at or alert.fired_at,
            short(behind[alert.id].content) if alert.id in behind else "",
        )
        for alert in opened
    ]


def _print(policy: Policy, reports: Sequence[Report], catalog: Catalog) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bot.core import oncall

    names = oncall.names(catalog.teams)
    console = Console(highlight=False)
    count = f"{len(reports) or 'no'} open {'report' if len(reports) == 1 else 'reports'}"
    console.print(Text.assemble((policy.name, "bold"), f"  {count}, version {policy.content[:8]}"))
    if not reports:
        return
    table = Table("alert", "who", "when", "cause", "note", "version")
    for one in reports:
        cause = one.alert.false_cause.value.replace("_", " ") if one.alert.false_cause else ""
        cells = (one.alert.name, names.get(one.by, one.by), f"{one.at:%Y-%m-%d %H:%M}", cause)
        table.add_row(*(Text(cell) for cell in (*cells, line(one.alert.note, 80), one.version)))
    console.print(table)
    console.print(
        Text(f"patrol case {policy.name} --from-alert {reports[0].alert.id} drafts the case of the newest")
    )


def looked_again(again: Again, policy: Policy, now: datetime) -> tuple[list[Hindsight], int]:
    """The alerts of the last 30 days under the policy as its files now stand, and how many were left out."""
    from bot.cli.progress import progress
    from bot.core.reports import REPORTED_FOR

    alerts = again.store.alerts.fired(policy.name, now - REPORTED_FOR)
    some = alerts[:MOST]
    return list(progress(again.of(policy, some, now), len(some), "looking again")), len(alerts) - len(some)


def told_again(seen: Sequence[Hindsight], left: int) -> list[str]:
    from bot.core.reports import Fate

    if not seen:
        return ["There was no alert in the last 30 days."]
    gone = [one for one in seen if one.fate is Fate.gone]
    unsure = [one for one in seen if one.fate is Fate.unsure]
    said = _still(len(seen), len(gone), len(unsure))
    lines = [f"{said}{_split(gone)}"] if said else []
    lines += [f"  {one.alert.name}  {_called(one)}" for one in gone[:SHOWN]]
    if len(gone) > SHOWN:
        lines.append(f"  and {len(gone) - SHOWN} more: see --json")
    for why in dict.fromkeys(one.why for one in unsure):
        names = [one.alert.name for one in unsure if one.why == why]
        lines.append(f"It cannot be said of {', '.join(names[:5])}{' …' if len(names) > 5 else ''}: {why}")
    if left:
        lines.append(f"{left} older ones were not looked at")
    return lines


def _still(seen: int, gone: int, unsure: int) -> str:
    """What the policy as it now stands makes of past alerts; nothing, where nothing can be said of any."""
    whose, days = "the policy as it now stands", "of the last 30 days"
    if gone:
        of = "one alert" if seen == 1 else f"{seen} alerts"
        return f"Of {of} {days} {whose} would no longer raise {'it' if seen == 1 else gone}"
    if unsure == seen:
        return ""
    still = "the only alert" if seen == 1 else f"{f'{seen - unsure} of' if unsure else 'all'} {seen} alerts"
    return f"{whose.capitalize()} would still raise {still} {days}"


def _split(gone: Sequence[Hindsight]) -> str:
    from bot.core.reports import by_disposition
    from bot.core.step import say_disposition

    counts = by_disposition(gone)
    parts = [f"{n} {say_disposition(d) if d else 'not resolved'}" for d, n in counts.items()]
    return f": {', '.join(parts)}" if parts else ""


def _called(one: Hindsight) -> str:
    """What it was, and whether it is good that it goes."""
    from bot.core.alert import Disposition
    from bot.core.step import say_disposition

    disposition = one.alert.disposition
    judged = {Disposition.false_positive: " (good)", Disposition.true_positive: " (bad: it was real)"}
    called = say_disposition(disposition) if disposition else "not resolved"
    return f"{called}{judged.get(disposition, '') if disposition else ''}"


def _json(
    again: Again, policy: Policy, reports: Sequence[Report], catalog: Catalog, now: datetime
) -> dict[str, Any]:
    from bot.core import oncall

    names = oncall.names(catalog.teams)
    return {
        "policy": policy.name,
        "version": policy.content[:8],
        "reports": [
            {
                "alert": one.alert.id,
                "by": names.get(one.by, one.by),
                "at": one.at.isoformat(),
                "cause": one.alert.false_cause.value if one.alert.false_cause else None,
                "note": one.alert.note,
                "version": one.version or None,
            }
            for one in reports
        ],
        **again_as_json(*looked_again(again, policy, now)),
    }


def again_as_json(seen: Sequence[Hindsight], left: int) -> dict[str, Any]:
    """What became of past alerts, for scripts."""
    return {
        "alerts": [
            {
                "alert": one.alert.id,
                "fate": one.fate.value,
                "disposition": one.alert.disposition.value if one.alert.disposition else None,
                "why": one.why or None,
            }
            for one in seen
        ],
        "not_looked_at": left,
    }
