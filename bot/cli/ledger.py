"""The verbs about what policies have looked at: gaps shows it, backfill looks at the past."""

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

from bot.cli.acted import acted, me
from bot.cli.group import in_project, settings_of
from bot.cli.policies import Span, Time, catalog_of, policy_of
from bot.process.errors import PatrolError
from sensors.model.clock import parse_duration, parse_time, say_duration

if TYPE_CHECKING:
    from bot.core.gaps import Account
    from bot.core.ledger import Stretch
    from bot.engine.backfill import Backfill, Plan, Step
    from bot.engine.engine import Engine
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


@click.command(short_help="Look at a time in the past, and page nobody.")
@click.argument("policy")
@click.argument("start", metavar="FROM", type=Past())
@click.argument("end", metavar="TO", type=Past())
@in_project
@click.option("--dry-run", is_flag=True, help="Say what it would look at, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--again", is_flag=True, help="Also what an earlier backfill has looked at.")
@click.option("--each", type=Span(), help="How much of the time one query looks at; default: 1h or more.")
def backfill(
    policy: str,
    project: Path,
    start: datetime,
    end: datetime,
    dry_run: bool,
    yes: bool,
    again: bool,
    each: timedelta | None,
) -> None:
    """Look at the time FROM … TO with POLICY as it now is, and page nobody.

    \b
    patrol backfill payments.refund_spike 2026-01-04T02:00:00Z 2026-01-04T09:30:00Z
    patrol backfill payments.refund_spike 30d 7d --dry-run

    FROM and TO are times (UTC unless they have a zone), durations ago, or `now`. It says what it would do and
    asks. What it finds opens alerts in the review channel; jobs are not started, and rows that a run has seen
    never alert twice. The bot may run meanwhile. Ctrl-C stops after the window that is being looked at; the
    same command goes on from there.

    Exit code 0: all was looked at; 1: not all of it; 2: it could not begin.
    """
    settings = settings_of(project)
    with _engine(settings, policy) as (engine, wanted):
        planned = _planned(engine, wanted, start, end, each, again)
        _preview(planned)
        if dry_run:
            return
        if not yes and (sys.stdin is None or not sys.stdin.isatty()):
            raise PatrolError("There is nobody to ask here: look at the preview, and say --yes.")
        if not yes and not click.confirm("Look at it?"):
            sys.exit(1)
        from bot.engine.backfill import Backfill

        over = f"{start.isoformat()} to {end.isoformat()}"
        engine.store.trail.add(acted("backfill", policy, over, datetime.now(UTC)))
        stopping = threading.Event()
        with ctrl_c(stopping):
            done = _carry_out(Backfill(engine, planned, stopping.wait, by=me(), again=again))
    sys.exit(0 if done else 1)


@contextmanager
def _engine(settings: Any, name: str) -> Iterator[tuple[Engine, Policy]]:
    """An engine on the project's store and warehouse, and the policy; the files' version stays as it is."""
    from bot.app import open_warehouse, utc_now
    from bot.engine.engine import Engine
    from bot.project import Project
    from bot.store import Store

    catalog = catalog_of(settings)
    wanted = policy_of(catalog, name)
    store, warehouse = Store(settings.store_url), open_warehouse(settings)
    try:
        project = Project(
            settings.project,
            store,
            dialect=settings.dialect,
            bundle=settings.bundle,
            manifest=settings.manifest,
        )
        project.catalog = catalog
        store.contents.keep_all("policy", {wanted.content: wanted.body})
        yield Engine(store, warehouse, project, utc_now), wanted
    finally:
        warehouse.close()
        store.close()


def _planned(
    engine: Engine, policy: Policy, start: datetime, end: datetime, each: timedelta | None, again: bool
) -> Plan:
    from bot.core.change import Refused
    from bot.core.ledger import Stretch
    from bot.engine.backfill import plan
    from sensors.warehouse import WarehouseError

    try:
        planned = plan(engine, policy, Stretch(start, end), each=each, again=again)
    except WarehouseError as error:
        raise PatrolError(f"The warehouse does not say until when it is loaded: {error}") from error
    if isinstance(planned, Refused):
        raise PatrolError(planned.why)
    return planned


def _preview(planned: Plan) -> None:
    from bot.core.words import in_plain
    from bot.engine.backfill import preview

    start, end = planned.past.start, planned.past.end
    length = say_duration(planned.past.length)
    click.secho(
        f"{planned.policy.name}  {start:%Y-%m-%d %H:%M:%S} → {end:%Y-%m-%d %H:%M:%S} UTC  {length}", bold=True
    )
    for line in preview(planned):
        click.echo(f"  {in_plain(line)}")


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


def _carry_out(work: Backfill) -> bool:
    """Whether all windows have been looked at."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    steps: list[Step] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("looking", total=len(work.windows))
        for step in work.steps():
            steps.append(step)
            at = step.window.start or step.window.end
            progress.update(task, advance=not step.failed, description=f"{at:%Y-%m-%d %H:%M}")
    return _sum_up(steps, len(work.windows))


def _sum_up(steps: list[Step], total: int) -> bool:
    failed = next((step for step in steps if step.failed), None)
    good = [step for step in steps if not step.failed]
    rows, fired, bad = (sum(getattr(step, name) for step in steps) for name in ("rows", "fired", "bad_rows"))
    click.echo(
        f"{len(good):,} of {total:,} windows looked at: {rows:,} rows, {fired:,} keys with something new"
    )
    if bad:
        click.echo(f"{bad:,} rows cannot be counted: they lack what the key needs")
    if failed:
        at = failed.window
        click.secho(f"{at.start:%Y-%m-%d %H:%M:%S} → {at.end:%H:%M:%S} UTC failed: {failed.failed}", fg="red")
    if len(good) < total:
        click.echo("The same command goes on from there.")
    return len(good) == total
