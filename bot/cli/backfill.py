"""The verb that looks at a time in the past with a policy, or with all that hang on something."""

from __future__ import annotations

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
from bot.cli.ledger import Past, ctrl_c
from bot.cli.policies import Span, catalog_of, policy_of
from bot.process.errors import PatrolError
from sensors.model.clock import say_duration

if TYPE_CHECKING:
    from bot.engine.backfill import Backfill, Plan, Step
    from bot.engine.chain import Chain, Plans
    from bot.engine.engine import Engine
    from sensors.model.catalog import Catalog


@click.command(short_help="Look at a time in the past, and page nobody.")
@click.argument("policy")
@click.argument("start", metavar="FROM", type=Past())
@click.argument("end", metavar="TO", type=Past())
@in_project
@click.option("--chain", is_flag=True, help="Also with the policies that hang on it; it may be a table.")
@click.option("--dry-run", is_flag=True, help="Say what it would look at, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--again", is_flag=True, help="Also what an earlier backfill has looked at.")
@click.option("--each", type=Span(), help="How much of the time one query looks at; default: 1h or more.")
def backfill(
    policy: str,
    project: Path,
    start: datetime,
    end: datetime,
    chain: bool,
    dry_run: bool,
    yes: bool,
    again: bool,
    each: timedelta | None,
) -> None:
    """Look at the time FROM … TO with POLICY as it now is, and page nobody.

    \b
    patrol backfill payments.refund_spike 2026-01-04T02:00:00Z 2026-01-04T09:30:00Z
    patrol backfill payments.refund_spike 30d 7d --dry-run
    patrol backfill core.payouts 7d now --chain

    FROM and TO are times (UTC unless they have a zone), durations ago, or `now`. It says what it would do and
    asks. What it finds opens alerts in the review channel; jobs are not started, and rows that a run has seen
    never alert twice. The bot may run meanwhile. Ctrl-C stops after the window that is being looked at; the
    same command goes on from there. With --chain the policies that hang on it follow, one after the other.

    In Slack, `/patrol backfill payments.refund_spike 7d` does the same, and the bot carries it out.

    Exit code 0: all was looked at; 1: not all of it; 2: it could not begin.
    """
    settings = settings_of(project)
    catalog = catalog_of(settings)
    of = _chosen(catalog, policy, chain)
    with _engine(settings, catalog, of) as engine:
        found = _planned(engine, of, start, end, each, again)
        _preview(found)
        if dry_run:
            return
        if not yes and (sys.stdin is None or not sys.stdin.isatty()):
            raise PatrolError("There is nobody to ask here: look at the preview, and say --yes.")
        if not yes and not click.confirm("Look at it?"):
            sys.exit(1)
        over = f"{start.isoformat()} to {end.isoformat()}"
        about = " ".join(one.policy.name for one in found.each)
        engine.store.trail.add(acted("backfill", about, over, datetime.now(UTC)))
        stopping = threading.Event()
        with ctrl_c(stopping):
            done = all(_carried_out(engine, one, stopping, again) for one in found.each)
    sys.exit(0 if done else 1)


def _chosen(catalog: Catalog, name: str, chain: bool) -> Chain:
    from bot.core.change import Refused
    from bot.engine.chain import chosen

    if not chain and name not in catalog.assets:
        policy_of(catalog, name)  # or it says what is wrong with its files
    of = chosen(catalog, [name], chain, "With --chain those look that hang on it.")
    if isinstance(of, Refused):
        raise PatrolError(f"{of.why} {of.hint}".replace("`", "").strip())
    return of


@contextmanager
def _engine(settings: Any, catalog: Catalog, of: Chain) -> Iterator[Engine]:
    """An engine on the project's store and warehouse; the files' version stays as it is."""
    from bot.app import open_warehouse, utc_now
    from bot.engine.engine import Engine
    from bot.project import Project
    from bot.store import Store

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
        policies = [catalog.policies[name] for name in of.policies]
        store.contents.keep_all("policy", {one.content: one.body for one in policies})
        yield Engine(store, warehouse, project, utc_now)
    finally:
        warehouse.close()
        store.close()


def _planned(
    engine: Engine, of: Chain, start: datetime, end: datetime, each: timedelta | None, again: bool
) -> Plans:
    """What each looks at; PatrolError where that cannot be, or the bot is at it."""
    from bot.core.backfill import on_now
    from bot.core.change import Refused
    from bot.core.ledger import Stretch
    from bot.core.words import in_plain
    from bot.engine.chain import plans
    from sensors.warehouse import WarehouseError

    if other := engine.store.backfills.of_policies(of.policies):
        busy = in_plain(f"One at a time: the bot carries out {on_now(other)}.").replace("`", "")
        raise PatrolError(f"{busy} In Slack, /patrol stop {other.name} ends it.")
    try:
        found = plans(engine, of, Stretch(start, end), each=each, again=again)
    except WarehouseError as error:
        raise PatrolError(f"The warehouse does not say until when it is loaded: {error}") from error
    if isinstance(found, Refused):
        raise PatrolError("\n".join(filter(None, [found.why, found.hint])))
    return found


def _preview(found: Plans) -> None:
    from bot.core.words import in_plain
    from bot.engine.backfill import preview

    for one in found.each:
        start, end, length = one.past.start, one.past.end, say_duration(one.past.length)
        over = f"{start:%Y-%m-%d %H:%M:%S} → {end:%Y-%m-%d %H:%M:%S} UTC"
        click.secho(f"{one.policy.name}  {over}  {length}", bold=True)
        for line in preview(one):
            click.echo(f"  {in_plain(line)}")
    for line in found.left_out:
        click.echo(line)


def _carried_out(engine: Engine, one: Plan, stopping: threading.Event, again: bool) -> bool:
    from bot.engine.backfill import Backfill

    return _looked(Backfill(engine, one, stopping.wait, by=me(), again=again))


def _looked(work: Backfill) -> bool:
    """Whether all windows have been looked at."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    steps: list[Step] = []
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(work.policy.name, total=len(work.windows))
        for step in work.steps():
            steps.append(step)
            at = step.window.start or step.window.end
            doing = f"{work.policy.name} {at:%Y-%m-%d %H:%M}"
            progress.update(task, advance=not step.failed, description=doing)
    return _sum_up(work.policy.name, steps, len(work.windows))


def _sum_up(policy: str, steps: list[Step], total: int) -> bool:
    failed = next((step for step in steps if step.failed), None)
    good = [step for step in steps if not step.failed]
    rows, fired, bad = (sum(getattr(step, name) for step in steps) for name in ("rows", "fired", "bad_rows"))
    click.echo(
        f"{policy}: {len(good):,} of {total:,} windows looked at:"
        f" {rows:,} rows, {fired:,} keys with something new"
    )
    if bad:
        click.echo(f"{bad:,} rows cannot be counted: they lack what the key needs")
    if failed:
        at = failed.window
        click.secho(f"{at.start:%Y-%m-%d %H:%M:%S} → {at.end:%H:%M:%S} UTC failed: {failed.failed}", fg="red")
    if len(good) < total:
        click.echo("The same command goes on from there.")
    return len(good) == total
