"""`patrol bundles`: which bundles there are, which version of each is used, and pulling them now."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import holding_policies, in_project, settings_of
from bot.core.words import count
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.pulls import Pull
    from sensors.model.bundle import Bundle
    from sensors.model.catalog import Catalog, Held

SHORT = 12  # characters of a commit


@click.group(invoke_without_command=True, short_help="Show other teams' policies, and pull them now.")
@in_project
@click.option("--json", "as_json", is_flag=True, help="A list of objects, one for each bundle.")
@click.pass_context
def bundles(context: click.Context, project: Path, as_json: bool) -> None:
    """Show each bundle: where it comes from, which commit is used, when it was pulled, and what is wrong.

    \b
    patrol bundles
    patrol bundles --json
    patrol bundles pull risk

    This is what a serving Patrol sees, so it is read from the store. The project's own folder is a bundle,
    too: it is listed first. Others are declared in patrol.yml, under bundles.

    Exit code 0: every bundle is its newest version and has no mistake; 1: one is not; 2: it cannot be said.
    """
    if context.invoked_subcommand:
        return
    settings = settings_of(project)
    with _store(settings) as store:
        catalog, pulls = _catalog(settings, store), store.pulls.all()
    if as_json:
        listed = [_as_json(held, pulls.get(held.name)) for held in catalog.bundles]
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        _print(catalog, pulls)
    sys.exit(1 if any(held.errors or held.trouble for held in catalog.bundles) else 0)


@contextmanager
def _store(settings: Any) -> Iterator[Store]:
    from bot.store import Store

    store = Store(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def _catalog(settings: Any, store: Store) -> Catalog:
    """As a serving process reads it, with what last was good."""
    from bot.project import Project

    project = Project(
        holding_policies(settings.project),
        store,
        dialect=settings.dialect,
        bundle=settings.bundle,
        manifest=settings.manifest,
        bundles=settings.bundles,
        functions=settings.may_call,
    )
    return project.seen()


def _as_json(held: Held, pull: Pull | None) -> dict[str, Any]:
    return {
        "bundle": held.name,
        "source": held.source or None,
        "owner": held.owner,
        "commit": held.commit or None,
        "since": held.since.isoformat() if held.since else None,
        "pulled_at": pull.pulled_at.isoformat() if pull and pull.pulled_at else None,
        "policies": held.policies,
        "mistakes": held.errors,
        "trouble": held.trouble or (pull.trouble if pull else "") or None,
    }


def _print(catalog: Catalog, pulls: dict[str, Pull]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    for held in catalog.bundles:
        pull = pulls.get(held.name)
        console.print(Text.assemble((held.name, "bold"), f"  {_facts(held, pull)}"))
        console.print(Text(f"  {held.source or 'this folder'}", "dim"))
        if said := held.trouble or (pull.trouble if pull else ""):
            console.print(Text(f"  {said}", "red"))
    if any(held.errors for held in catalog.bundles):
        console.print("patrol check names every mistake with its place.")


def _facts(held: Held, pull: Pull | None) -> str:
    pulled = f"pulled {pull.pulled_at:%Y-%m-%d %H:%M:%S} UTC" if pull and pull.pulled_at else ""
    policies = count(held.policies, "policy", "policies")
    mistakes = count(held.errors, "mistake") if held.errors else ""
    return ", ".join(filter(None, (held.commit[:SHORT], pulled, policies, mistakes)))


@bundles.command(short_help="Pull the newest commits now.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@in_project
@click.option(
    "--json", "as_json", is_flag=True, help="An object for each bundle: its commit, and what was wrong."
)
def pull(names: tuple[str, ...], project: Path, as_json: bool) -> None:
    """Pull the newest commit of each bundle that lies in a repository, or of those that are named.

    \b
    patrol bundles pull
    patrol bundles pull risk

    A serving Patrol takes it in within seconds; it would pull by itself each minute.

    Exit code 0: all were pulled; 1: one was not, and its last version stands; 2: there is no such bundle.
    """
    from bot.bundles.pulling import Pulling

    settings = settings_of(project)
    wanted = _wanted(settings.bundles, names)
    for one in wanted:
        click.echo(f"pulling {one.name} from {one.source}", err=True)
    with _store(settings) as store:
        failed = Pulling(store, settings.project, wanted, lambda: datetime.now(UTC)).now(wanted)
        commits = {name: one.commit for name, one in store.pulls.all().items()}
    if as_json:
        listed = [
            {"bundle": n, "commit": commits.get(n) or None, "trouble": why or None}
            for n, why in failed.items()
        ]
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        for name, why in failed.items():
            click.secho(f"{name}  {why or commits.get(name, '')[:SHORT]}", fg="red" if why else None)
    sys.exit(1 if any(failed.values()) else 0)


def _wanted(known: tuple[Bundle, ...], names: tuple[str, ...]) -> list[Bundle]:
    pulled = {bundle.name: bundle for bundle in known if bundle.git}
    if not pulled:
        raise PatrolError("No bundle lies in a repository: patrol.yml declares none with git.")
    for name in names:
        if name not in pulled:
            said = "is a folder: it is not pulled" if name in {b.name for b in known} else "is no bundle"
            listed = f"{count(len(pulled), 'bundle')} can be: {', '.join(pulled)}"
            raise PatrolError(f"{name} {said}; {listed}.")
    return [pulled[name] for name in dict.fromkeys(names)] if names else list(pulled.values())
