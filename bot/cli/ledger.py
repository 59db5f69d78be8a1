"""The verb that shows what no policy has looked at; and how a past time is typed, and a Ctrl-C taken."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import Span, Time, catalog_of, policy_of
from sensors.model.clock import parse_duration, parse_time, say_duration

if TYPE_CHECKING:
    from bot.core.gaps import Account
    from bot.core.ledger import Stretch
    from bot.store import Store
    from sensors.model.policy import Policy


class Past(Time):
    """A time, or how long ago."""

    shapes = "2026-01-05T12:00:00Z, or as 7d (ago)"

    def read(self, text: str) -> datetime | None:
        now = datetime.now(UTC).replace(microsecond=0)
        ago = parse_duration(text.removesuffix("ago").strip())
        return now if text == "now" else now - ago if ago else parse_time(text)


CELLS = range(20, 61)  # of a bar, as the terminal has room
BESIDE = 24  # characters: the sum of its holes
MONTH = timedelta(days=30)


@click.command(short_help="Show what no policy has looked at.")
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
    if any(one.looked for one in accounts):
        console.print(f"{start:%Y-%m-%d %H:%M} → {end:%Y-%m-%d %H:%M} UTC", style="dim")
        console.print("█ looked at   ▒ in part   ░ not   · not begun, or not yet", style="dim")


def _print_one(console: Any, one: Account, span: Stretch) -> None:
    from rich.text import Text

    from bot.core.gaps import backfill
    from bot.core.ledger import bar

    until = f"until {one.until:%Y-%m-%d %H:%M:%S} UTC" if one.until else "has not looked yet"
    console.print(Text.assemble((one.policy, "bold"), f"  {until}"))
    if not one.looked:
        return
    cells = max(CELLS[0], min(CELLS[-1], console.width - BESIDE))
    shown = Text(bar(span, one.looked, cells), style="green")
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


@contextmanager
def ctrl_c(stopping: threading.Event) -> Iterator[None]:
    """The first Ctrl-C asks to stop, the second one stops."""

    def ask(*_: object) -> None:
        click.echo("\nStopping after this window; Ctrl-C again stops at once.", err=True)
        stopping.set()
        signal.signal(signal.SIGINT, was)

    was = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, was)
