"""`patrol diff`: two versions of the policies, compared by the alerts that they would have given."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import holding_policies, in_project, settings_of
from bot.cli.past import Asked, asked, assumptions, over_time
from bot.cli.policies import catalog_of
from bot.core.words import line
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.cli.compared import Compared
    from bot.cli.revisions import Version
    from sensors.model.catalog import Catalog

SHOWN = 40  # alerts of each policy
STYLES = {"gained": "green", "lost": "red", "changed": "yellow"}


@click.command(short_help="Compare two versions of the policies by their alerts.")
@click.argument("words", nargs=-1, required=True, metavar="BASE..HEAD [POLICY]...")
@in_project
@over_time
@click.option("--markdown", is_flag=True, help="Markdown for a pull request.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: base, head, policies.")
def diff(words: tuple[str, ...], project: Path, markdown: bool, as_json: bool, **given: Any) -> None:
    """Replay two versions of the policies over the same time: which alerts are gained, lost or changed.

    \b
    patrol diff origin/main..HEAD --days 7
    patrol diff origin/main..HEAD payments.refund_spike --markdown
    patrol diff main                      (against the files as they are)
    patrol diff ../before ../after        (two folders)

    Only policies whose files, macros, team or tables differ are replayed, by the warehouse of this project.
    An alert is the same in both where its key alerts within 24 hours in both; it has changed where severity,
    count, title, owner or channel differ. A policy that is not run (draft, retired) gives no alerts, and one
    without a window cannot be replayed. Nothing is checked out and nothing is posted.

    Exit code 0: all was compared, whatever came of it; 1: not all of it; 2: it could not begin.
    """
    when = asked(given, 7)
    with _versions(words, project) as (base, head, names, home):
        settings = settings_of(holding_policies(home))
        from bot.app import open_warehouse
        from bot.cli.compared import totals

        bases, heads = (
            catalog_of(settings_of(one.folder), home=settings) for one in (base, head)
        )  # dbt's manifest is seldom committed
        warehouse = open_warehouse(settings)
        try:
            found = list(_compared(bases, heads, names, warehouse, when))
        finally:
            warehouse.close()
    title = f"{line(base.name)} → {line(head.name)}"
    span = f"{when.start:%Y-%m-%d %H:%M} → {when.end:%Y-%m-%d %H:%M} UTC"
    if markdown:
        from bot.cli.markdown import as_markdown, code

        said = f"{code(base.name)} → {code(head.name)}, {span}; {assumptions(when)}."
        click.echo(as_markdown(said, found, totals(found)))
    elif as_json:
        click.echo(json.dumps(_object(base, head, found, bases, heads), ensure_ascii=False, indent=2))
    else:
        _print(f"{title}  {span}", found, totals(found), assumptions(when))
    sys.exit(0 if all(one.whole for one in found) else 1)


@contextmanager
def _versions(
    words: tuple[str, ...], project: Path
) -> Iterator[tuple[Version, Version, tuple[str, ...], Path]]:
    """Both versions, the policies that are named, and the folder whose settings name the warehouse."""
    from bot.cli.revisions import Git, Version, versions

    if len(words) > 1 and all(Path(word).is_dir() for word in words[:2]):
        base, head = Path(words[0]), Path(words[1])
        holding_policies(base)
        holding_policies(head)
        yield Version(words[0], base), Version(words[1], head), words[2:], head
        return
    if (
        any(sign in words[0] for sign in "/\\")
        and ".." not in words[0].strip("./")
        and Path(words[0]).is_dir()
    ):
        raise PatrolError(f"{words[0]} is a folder: name two, patrol diff DIR1 DIR2.")
    holding_policies(project)
    if ".." in words[0] and Git(project).changed():
        click.echo("Changes that are in no commit are not compared: patrol diff BASE does that.", err=True)
    with versions(words[0], project) as (first, second):
        yield first, second, words[1:], project


def _compared(
    bases: Catalog, heads: Catalog, names: tuple[str, ...], warehouse: Any, when: Asked
) -> Iterator[Compared]:
    from bot.cli.compared import compared
    from bot.core.compare import pairs

    known = {*bases.policies, *bases.broken, *heads.policies, *heads.broken}
    if unknown := [name for name in names if name not in known]:
        raise PatrolError(f"There is no policy {', '.join(unknown)}, neither before nor now.")
    wanted, began = pairs(bases, heads, names), time.monotonic()
    for n, pair in enumerate(wanted, start=1):
        place = f"{n} of {len(wanted)}: " if len(wanted) > 1 else ""
        one = compared(pair, bases, heads, warehouse, replace(when, place=place, began=began))
        yield one
        if one.stopped:
            return


def _object(
    base: Version, head: Version, found: list[Compared], bases: Catalog, heads: Catalog
) -> dict[str, Any]:
    from bot.cli.compared import as_object

    return {
        "base": base.name,
        "head": head.name,
        "policies": [as_object(one, heads, bases) for one in found],
    }


def _print(title: str, found: list[Compared], totals: str, assumed: str) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(title, "bold"))
    console.print(Text(totals))
    for one in found:
        sides = " → ".join("–" if n is None else f"{n:,}" for n in (one.before, one.now))
        console.print(Text.assemble((f"\n{one.name}", "bold"), f"  {one.fate}, alerts {sides}"))
        for note in one.notes:
            console.print(Text(f"  {line(note, 300)}", "yellow"))
        for d in one.differences[:SHOWN]:
            at, how = d.opening, f"  ({line(', '.join(d.how), 200)})" if d.how else ""
            said = f"{at.at:%Y-%m-%d %H:%M} {at.severity.name.upper():<8} {line(at.title)}, {at.count:,}{how}"
            console.print(Text(f"  {d.kind.value:<8}", STYLES[d.kind.value]).append(said, ""))
        if len(one.differences) > SHOWN:
            console.print(Text(f"  and {len(one.differences) - SHOWN:,} more: --json shows them all"))
        if not one.differences and not one.notes:
            console.print(Text("  the same alerts", "dim"))
    if found:
        console.print(Text(f"\n{assumed}", "dim"))
