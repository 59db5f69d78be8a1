"""The verb that looks at a time in the past with a policy, or with all that hang on something."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.acted import acted, me
from bot.cli.carrying import carried_out, say_ended, say_planned
from bot.cli.group import in_project, settings_of
from bot.cli.ledger import Past
from bot.cli.policies import Span, catalog_of, policy_of
from bot.process.errors import PatrolError
from sensors.model.clock import say_duration

if TYPE_CHECKING:
    from bot.core.backfill import BackfillRun
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
@click.option("--json", "as_json", is_flag=True, help="An object: state, policies, and what was found.")
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
    as_json: bool,
) -> None:
    """Look at the time FROM … TO with POLICY as it now is, and page nobody.

    \b
    patrol backfill payments.refund_spike 2026-01-04T02:00:00Z 2026-01-04T09:30:00Z
    patrol backfill payments.refund_spike 30d 7d --dry-run
    patrol backfill core.payouts 7d now --chain
    patrol backfill payments.refund_spike 7d now --yes --json

    FROM and TO are times (UTC unless they have a zone), durations ago, or `now`. It says what it would do and
    asks. What it finds opens alerts in the review channel; jobs are not started, and rows that a run has seen
    never alert twice. The bot may run meanwhile, and shows in Slack how far it is. Ctrl-C, or `/patrol stop`
    there, stops after the window that is being looked at; the same command goes on from there. One whose
    command was killed is taken up by the bot, or, half a minute later, ended by the same command. With
    --chain the policies that hang on it follow, one after the other.

    In Slack, `/patrol backfill payments.refund_spike 7d` does the same, and the bot carries it out.

    Exit code 0: all was looked at; 1: not all of it; 2: it could not begin.
    """
    settings = settings_of(project)
    catalog = catalog_of(settings)
    of = _chosen(catalog, policy, chain)
    with _engine(settings, catalog, of) as engine:
        if not dry_run:
            _end_dead(engine, of)
        found = _planned(engine, of, start, end, each, again)
        if not as_json:
            _preview(found)
        if dry_run or not found.left:
            say_planned(found, as_json)
            return
        if not yes and (as_json or sys.stdin is None or not sys.stdin.isatty()):
            raise PatrolError("There is nobody to ask here: look at the preview (--dry-run), and say --yes.")
        if not yes and not click.confirm("Look at it?"):
            sys.exit(1)
        begun = _begun(engine, found, again, f"{start.isoformat()} to {end.isoformat()}")
        ended = carried_out(engine, begun)
        say_ended(ended, engine.store.backfills.found(ended), as_json)
    sys.exit(0 if ended.stage is None else 1)


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
    from bot.core.change import Refused
    from bot.core.ledger import Stretch
    from bot.engine.chain import plans
    from sensors.warehouse import WarehouseError

    if other := engine.store.backfills.of_policies(of.policies):
        raise _busy(other)
    try:
        found = plans(engine, of, Stretch(start, end), each=each, again=again)
    except WarehouseError as error:
        raise PatrolError(f"The warehouse does not say until when it is loaded: {error}") from error
    if isinstance(found, Refused):
        raise PatrolError("\n".join(filter(None, [found.why, found.hint])))
    return found


def _end_dead(engine: Engine, of: Chain) -> None:
    """One of a command that was killed, where no bot has taken it up: else nobody could go on from there."""
    from bot.engine.backfilling import LEASE

    other, now = engine.store.backfills.of_policies(of.policies), datetime.now(UTC)
    if other is None or other.in_slack:
        return
    line = acted("stop", other.name, "nobody was at it", now)
    if engine.store.backfills.end_dead(other.id, me(), line, now - LEASE):
        click.echo(f"{other.name} is ended: nobody was at it.", err=True)


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


def _begun(engine: Engine, found: Plans, again: bool, over: str) -> BackfillRun:
    """From now on the store knows of it, and so do the bots; PatrolError where one came first."""
    from bot.core.backfill import BackfillRun
    from bot.engine.backfilling import LEASE

    now, first = datetime.now(UTC), found.each[0]
    stages = tuple(one.stage for one in found.each)
    wanted = BackfillRun(me(), now, stages, first.policy.owner, first.channel, again)
    names = [one.policy for one in stages]
    begun = engine.store.backfills.begin(wanted, acted("backfill", " ".join(names), over, now), LEASE)
    if begun is None:
        other = engine.store.backfills.of_policies(names)
        raise _busy(other) if other else PatrolError("Another one has just ended: say it again.")
    return begun


def _busy(other: BackfillRun) -> PatrolError:
    from bot.core.backfill import on_now
    from bot.core.words import in_plain

    busy = in_plain(f"One at a time: {on_now(other)} runs.").replace("`", "")
    return PatrolError(f"{busy} In Slack, /patrol stop {other.name} ends it.")
