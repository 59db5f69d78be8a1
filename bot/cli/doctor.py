"""`patrol doctor`: whether what Patrol stands on is as it must be. Changes and posts nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import catalog_of
from bot.cli.progress import progress
from bot.core.words import count

if TYPE_CHECKING:
    from sensors.model.catalog import Catalog
    from sensors.told import Told

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "yellow")}


@click.command(short_help="Ask the warehouse, the store and Slack whether all is as it must be.")
@in_project
@click.option("--json", "as_json", is_flag=True, help="A list of objects: of, what, ok, do.")
def doctor(project: Path, as_json: bool) -> None:
    """Ask the warehouse, the store and Slack whether all is as it must be. Nothing is changed or posted.

    \b
    patrol doctor
    patrol doctor --json | jq '.[] | select(.ok == false)'

    Of the warehouse: whether it answers, whether Patrol's role (each that a policy's `session:` names) reads
    every table that policies read and can write to none, and its clock. Of the store: whether it takes
    writes, its version and its clock. Of Slack: the token, what the app may do, and every channel that cards
    go to: whether Patrol is in it, and whether it is private where policies are sensitive.

    A tick: as it must be. A cross: wrong, with what to do. A dot: it cannot be told.

    Exit code 0: nothing is wrong; 1: something is; 2: it could not begin.
    """
    settings = settings_of(project)
    catalog = catalog_of(settings, around=progress)
    found = []
    for of, told in _all(catalog, settings):
        found.append({"of": of, "what": told.what, "ok": told.ok, "do": told.do})
        if not as_json:
            _print(of, told)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    wrong = sum(one["ok"] is False for one in found)
    if not as_json:
        click.echo(f"{count(len(found), 'thing')} looked at: {wrong or 'nothing'} wrong")
    sys.exit(1 if wrong else 0)


def _all(catalog: Catalog, settings: Any) -> Iterator[tuple[str, Told]]:
    from bot.cli.doctor_slack import of_slack
    from bot.cli.doctor_store import of_store

    for told in _of_warehouse(catalog, settings):
        yield "warehouse", told
    for told in of_store(settings.store_url):
        yield "store", told
    for told in of_slack(catalog, settings):
        yield "slack", told


def _of_warehouse(catalog: Catalog, settings: Any) -> Iterator[Told]:
    from bot.app import open_warehouse
    from bot.process.errors import SettingsError
    from sensors.rights import rights
    from sensors.told import Told

    try:
        warehouse = open_warehouse(settings)
    except SettingsError as error:
        yield Told(" ".join(str(error).split()), False)
        return
    read = sorted({(one.session, table) for one in catalog.policies.values() for table in one.query.tables})
    try:
        yield from rights(warehouse, progress(read, len(read), "tables"))
    finally:
        warehouse.close()


def _print(of: str, told: Told) -> None:
    mark, colour = MARKS[told.ok]
    click.echo(f"{click.style(mark, fg=colour)} {of}: {told.what}")
    if told.do and told.ok is not True:
        click.echo(f"    {told.do}")
