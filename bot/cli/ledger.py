"""The verbs about what policies have looked at: gaps shows it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import Span, catalog_of, policy_of
from sensors.model.clock import say_duration

if TYPE_CHECKING:
    from bot.core.gaps import Account
    from bot.core.ledger import Stretch
    from bot.store import Store
    from sensors.model.policy import Policy

CELLS = 60  # of a bar
MONTH = timedelta(days=30)


@click.command()
@click.argument("policy", required=False)
@in_project
@click.option("--since", type=Span(), default=MONTH, help="How far to look back; default: 30d.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects: policy, looked_until, holes.")
def gaps(policy: str | None, project: Path, since: timedelta, as_json: bool) -> None:
    """Show until when each policy has looked, and the holes: time that none of its runs has looked at.

    \b
    patrol gaps
    patrol gaps payments.refund_spike --since 7d
    patrol gaps --json

    A hole is left by `catchup: skip`, or by an outage longer than a trailing window. Each is named with the
    `patrol backfill` that looks at it. Policies without a window look at the world as it is: they have none.

    Exit code 0: no holes; 1: there are some; 2: there is no such policy.
    """
    settings = settings_of(project)
    from bot.store import Store

    catalog = catalog_of(settings)
    wanted = [policy_of(catalog, policy)] if policy else [p for p in catalog.policies.values() if p.runs]
    now = datetime.now(UTC)
    store = Store(settings.store_url)
    try:
        accounts = [_account(store, one, now - since) for one in wanted if _has_window(one)]
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in accounts], indent=2))
    else:
        _print(accounts, now - since, now, policy)
    sys.exit(1 if any(one.holes for one in accounts) else 0)


def _has_window(policy: Policy) -> bool:
    from sensors.model.policy import Now

    return not isinstance(policy.window, Now)


def _account(store: Store, policy: Policy, since: datetime) -> Account:
    from bot.core.gaps import account

    by_schedule = store.ledger.covered(policy.name, asked=False)
    return account(policy, by_schedule, store.ledger.covered(policy.name), since)


def _as_json(one: Account) -> dict[str, Any]:
    from bot.core.gaps import backfill

    return {
        "policy": one.policy,
        "looked_until": one.until.isoformat() if one.until else None,
        "holes": [
            {
                "start": hole.start.isoformat(),
                "end": hole.end.isoformat(),
                "seconds": hole.length.total_seconds(),
                "backfill": backfill(one.policy, hole),
            }
            for hole in one.holes
        ],
    }


def _print(accounts: list[Account], start: datetime, end: datetime, named: str | None) -> None:
    from rich.console import Console

    from bot.core.ledger import Stretch

    console = Console(soft_wrap=True, highlight=False)
    if not accounts:
        nothing = f"{named} looks at the world as it is" if named else "No policy that runs has a window"
        console.print(f"{nothing}: there is no time to miss.")
        return
    for one in sorted(accounts, key=lambda a: a.policy):
        _print_one(console, one, Stretch(start, end))
    ends = f"{start:%Y-%m-%d %H:%M} → {end:%Y-%m-%d %H:%M} UTC"
    console.print(f"{ends}   █ looked at   ▒ in part   ░ not   · not begun, or not yet", style="dim")


def _print_one(console: Any, one: Account, span: Stretch) -> None:
    from rich.text import Text

    from bot.core.gaps import backfill
    from bot.core.ledger import bar

    until = f"until {one.until:%Y-%m-%d %H:%M:%S} UTC" if one.until else "has not looked yet"
    console.print(Text.assemble((one.policy, "bold"), f"  {until}"))
    shown = Text(bar(span, one.looked, CELLS), style="green")
    shown.highlight_regex("[░▒]+", "red")
    console.print(Text("  ").append_text(shown).append(f"  {_holes(one)}"))
    for hole in one.holes:
        length = say_duration(hole.length)
        console.print(
            Text(f"  {hole.start:%Y-%m-%d %H:%M:%S} → {hole.end:%Y-%m-%d %H:%M:%S}  {length}", "red")
        )
        console.print(Text(f"    {backfill(one.policy, hole)}"))


def _holes(one: Account) -> str:
    if not one.holes:
        return "no hole"
    whole = sum((hole.length for hole in one.holes), timedelta())
    return f"{len(one.holes)} {'hole' if len(one.holes) == 1 else 'holes'}, {say_duration(whole)}"
