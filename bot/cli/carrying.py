"""A backfill of the command line while it lasts, and what came of it: for people, and as JSON for scripts."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from bot.cli.acted import acted
from bot.cli.ledger import ctrl_c

if TYPE_CHECKING:
    from bot.core.backfill import BackfillRun, Found
    from bot.engine.backfilling import Carrying
    from bot.engine.chain import Plans
    from bot.engine.engine import Engine

LOOK_S = 0.2  # how often the bar moves
KEEP_S = 2.0  # how often its lease is renewed, and a stop from Slack is heard
EDIT_EVERY_S = 5.0  # its message in Slack, as the bots' own


def carried_out(engine: Engine, begun: BackfillRun) -> BackfillRun:
    """To its end, or to where it was stopped, failed, or the store was away: how it then is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from bot.engine.backfilling import Carrying

    carrying = Carrying(engine, begun, partial(acted, "stop", begun.name, "Ctrl-C"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ctrl_c(carrying.over), Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(_doing(begun), total=begun.windows)
        carrying.thread.start()
        kept_at = time.monotonic()
        while carrying.thread.is_alive():
            if time.monotonic() - kept_at >= KEEP_S:
                kept_at = time.monotonic()
                _keep(carrying)
            carrying.thread.join(LOOK_S)
            progress.update(task, completed=carrying.run.done, description=_doing(carrying.run))
    return carrying.run


def _keep(carrying: Carrying) -> None:
    """Without its lease another process takes it up, and this one hears so with the next window."""
    from contextlib import suppress

    from bot.process.errors import StoreAway

    with suppress(StoreAway):
        carrying.keep(gap_s=EDIT_EVERY_S)


def _doing(run: BackfillRun) -> str:
    from bot.core.words import in_plain

    stage = run.stage
    name = run.stages[stage if stage is not None else -1].policy
    return f"{name}, waits: {in_plain(run.why)[:60]}" if run.why and not run.state.ended else name


def say_ended(run: BackfillRun, found: Found, as_json: bool) -> None:
    """What came of it. One that has not ended is left to a bot."""
    from bot.core.backfill import BackfillState, found_in_words
    from bot.core.words import in_plain

    if as_json:
        click.echo(json.dumps(_as_json(run, found), indent=2))
        return
    for one in run.stages:
        click.echo(f"{one.policy}: {one.done:,} of {one.windows:,} windows looked at")
    click.echo(f"{run.name}: {found_in_words(run, found, hidden=False)}")
    if run.stage is None:
        return
    if run.state is BackfillState.failed:
        click.secho(f"It failed: {in_plain(run.why).replace('`', '')}", fg="red")
    if run.state.ended:
        click.echo("The same command goes on from there.")
    else:
        click.echo(f"{run.name} is left to the bot, or to the same command once it has ended.")


def _as_json(run: BackfillRun, found: Found) -> dict[str, Any]:
    from bot.core.words import in_plain

    policies = [
        {
            "policy": one.policy,
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
            "windows": one.windows,
            "done": one.done,
            "bad_rows": one.bad_rows,
        }
        for one in run.stages
    ]
    return {
        "backfill": run.name,
        "state": run.state.value,
        "policies": policies,
        "rows": found.rows,
        "alerts": list(found.alerts),
        "why": in_plain(run.why).replace("`", ""),
    }


def say_planned(found: Plans, as_json: bool) -> None:
    """Nothing is looked at: that was asked for, or nothing is left."""
    if as_json:
        policies = [
            {
                "policy": one.policy.name,
                "start": one.past.start.isoformat(),
                "end": one.past.end.isoformat(),
                "windows": len(one.windows),
                "left": one.left,
                "channel": one.channel,
            }
            for one in found.each
        ]
        planned = {"state": "planned", "policies": policies, "left_out": list(found.left_out)}
        click.echo(json.dumps(planned, indent=2))
    elif not found.left:
        click.echo("All of that was backfilled before; --again looks at it once more.")
