"""`patrol new`: a policy's pair of files from a shape, a job's entry. Asks on a terminal, never in a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import Span, catalog_of
from bot.cli.writing import put
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.new.idea import Idea
    from bot.new.proof import Proof
    from bot.new.wish import Wish
    from bot.process.settings import Settings
    from sensors.model.catalog import Catalog

ASSETS, JOBS = "_assets.yml", "_jobs.yml"


class New(click.Command):
    """`new NAME` makes a policy; `new job NAME` is a command of its own."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["job"]:
            return job.make_context(f"{info_name} job", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=New)
@click.argument("name", required=False)
@in_project
@click.option("--list", "list_shapes", is_flag=True, help="Show the shapes, and make nothing.")
@click.option("--like", metavar="SHAPE", help="The shape; see --list.")
@click.option("--table", help="The declared table that it looks at, such as core.orders.")
@click.option("--time", help="Its column that says when; none: the table as it is now.")
@click.option("--key", multiple=True, metavar="COLUMN", help="What an alert is about; may be said again.")
@click.option("--row-key", multiple=True, metavar="COLUMN", help="What makes a row the same row.")
@click.option("--text", metavar="COLUMN", help="What a person reads first; none: there is no such column.")
@click.option("--match", metavar="CONDITION", help="Which rows: \"status = 'declined' AND amount >= 100\".")
@click.option("--distinct", metavar="COLUMN", help="burst, ring: of what there are many.")
@click.option("--of", metavar="TABLE", help="rate: the table whose rows the share is of.")
@click.option("--watchlist", metavar="TABLE", help="watchlist: the table that is the list.")
@click.option("--on", metavar="COLUMN", help="watchlist: its column that holds the key.")
@click.option("--threshold", type=int, metavar="N", help="How many, or how many times as many.")
@click.option(
    "--least-hits", type=int, metavar="N", help="rate: from how many hits on it alerts; default: 3."
)
@click.option("--window", type=Span(), help="Over how long, such as 15m or 7d.")
@click.option("--owner", metavar="TEAM", help="Default: the owner of the table.")
@click.option("--severity", metavar="WORD", help="Default: medium.")
@click.option("--violation", metavar="NAME", help="Of _violations.yml; none: there is none.")
@click.option("--declare", is_flag=True, help="Add the table to _assets.yml, with the warehouse's columns.")
@click.option("--yes", is_flag=True, help="Ask nothing; take the defaults.")
@click.option("--ask", "asking", is_flag=True, help="Ask, even where no terminal is.")
@click.option("--dry-run", is_flag=True, help="Print the files and write nothing.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def new(
    project: Path,
    list_shapes: bool,
    declare: bool,
    yes: bool,
    asking: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Make a policy: its YAML, its SQL and two cases that pass, from one of the shapes that recur.

    \b
    patrol new                                   asks for all of it
    patrol new payments/refund_spike --like rate --table core.refunds --of core.orders
    patrol new chat/pays_outside --like event --match "body LIKE '%paypal%'" --yes
    patrol new accounts/blocked_again --like watchlist --watchlist core.blocked --key account_id
    patrol new --list                            the shapes
    patrol new job rescore_risk --kind container see patrol new job --help

    Whatever is not said is asked for on a terminal, or taken from _assets.yml and _teams.yml. The pair is
    checked and its cases are run before it is written: it begins in shadow, and pages nobody.

    Exit code 0: written; 2: something is missing or wrong, and nothing was written.
    """
    if list_shapes:
        _print_shapes(as_json)
        return
    settings = settings_of(project)
    catalog: Catalog = catalog_of(settings)
    wish = _wish(said)
    _refuse_existing(settings.project, wish.name, force or dry_run)
    more, catalog = _declared(settings, catalog, wish, declare)
    if asking or (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty() and not yes):
        from bot.cli.asking import ask

        wish = ask(wish, catalog, settings.dialect)
    made = _made(settings, catalog, wish, more)
    _refuse_existing(settings.project, made.idea.name, force or dry_run)
    if not dry_run:
        _write(settings.project, made)
    _report(made, dry_run, as_json)


@dataclass(frozen=True)
class _Made:
    """A pair that was proved, and what is added to _assets.yml for it."""

    idea: Idea
    files: Mapping[str, str]
    proof: Proof
    more: bytes


def _wish(said: Mapping[str, Any]) -> Wish:
    from bot.cli.asking import listed
    from bot.new.wish import Wish

    for name, value in said.items():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not text.isprintable():
                raise PatrolError(f"--{name.replace('_', '-')} holds a character that cannot be printed.")
    return Wish(**{**said, "key": listed(said["key"]), "row_key": listed(said["row_key"])})


def _made(settings: Settings, catalog: Catalog, wish: Wish, more: bytes) -> _Made:
    """The pair, checked and tried. PatrolError where it would not be right."""
    from bot.new.pair import pair
    from bot.new.proof import prove
    from bot.new.wish import idea

    found = idea(wish, catalog, settings.dialect)
    files = pair(found)
    beside = {f"policies/{ASSETS}": more} if more else {}
    proof = prove(settings.project, found.name, files, settings.dialect, beside, settings.manifest)
    if proof.problems:
        said = "\n".join(f"  {one}" for one in proof.problems)
        raise PatrolError(f"Nothing was written, because the pair would not be right:\n{said}")
    return _Made(found, files, proof, more)


def _declared(settings: Settings, catalog: Catalog, wish: Wish, declare: bool) -> tuple[bytes, Catalog]:
    """The entry of a table that is not declared yet, if that is wanted, and the catalog with it."""
    if not declare or (wish.table or "").lower() in catalog.assets:
        return b"", catalog
    if wish.table is None:
        raise PatrolError("Say which table is to be declared: --table core.orders.")
    from bot.app import open_warehouse
    from bot.new import entry
    from sensors import beside
    from sensors.warehouse import WarehouseError

    warehouse = open_warehouse(settings)
    try:
        columns = warehouse.columns(wish.table)
        dialect = warehouse.dialect
    except WarehouseError as error:
        raise PatrolError(f"The warehouse cannot be asked for {wish.table}: {error.message}.") from None
    finally:
        warehouse.close()
    if not columns:
        raise PatrolError(f"The warehouse has no table {wish.table}; look how it is spelled there.")
    owner = wish.owner if wish.owner in catalog.teams else next(iter(catalog.teams), None)
    text = entry.table(wish.table, columns, owner, dialect, wish.time)
    more = entry.added(settings.project, ASSETS, wish.table, text)
    mine = beside.load({f"policies/{ASSETS}": text}, None).values["assets"]
    return more, replace(catalog, assets={**catalog.assets, **mine})


def _refuse_existing(project: Path, name: str | None, allowed: bool) -> None:
    from bot.new.wish import policy_name

    if name is None or allowed:
        return
    from sensors.sources import sql_path

    stem = policy_name(name)
    paths = (f"policies/{stem.replace('.', '/')}.yml", sql_path(stem))
    if there := [path for path in paths if os.path.lexists(project / path)]:
        known = " and ".join(there)
        raise PatrolError(
            f"{known} {'is' if len(there) == 1 else 'are'} there already; nothing was written. "
            "Take another name, or say --force to write over it."
        )


def _write(project: Path, made: _Made) -> None:
    from bot.new.entry import with_more

    more = {project / "policies" / ASSETS: with_more(project, ASSETS, made.more)} if made.more else {}
    put({**more, **{project / path: text.encode() for path, text in made.files.items()}})


def _report(made: _Made, dry_run: bool, as_json: bool) -> None:
    name = made.idea.name
    if as_json:
        told = {
            "policy": name,
            "shape": made.idea.shape.name,
            "written": not dry_run,
            "files": dict(made.files),
            "declared": made.more.decode(),
            "cases": made.proof.cases,
            "warnings": list(made.proof.warnings),
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if dry_run:
        for path, text in [(f"policies/{ASSETS} (added)", made.more.decode().lstrip()), *made.files.items()]:
            if text:
                click.echo(f"# ---- {path}\n{text}")
    elif made.more:
        click.echo(
            f"added {made.idea.table.name} to policies/{ASSETS}: look whether its loaded_until is right"
        )
    for path in () if dry_run else made.files:
        click.echo(f"wrote {path}")
    for warning in made.proof.warnings:
        click.secho(warning, fg="yellow")
    click.echo(f"{name}: {made.proof.cases} cases pass. It is in shadow: it runs, and pages nobody.")
    if not dry_run:
        over = " --over 7d" if made.idea.shape.events and made.idea.time else ""
        click.echo(f"Make it yours, then: patrol check, patrol test {name}, patrol run {name}{over}")


def _print_shapes(as_json: bool) -> None:
    from bot.new.shape import SHAPES

    if as_json:
        listed = [{"shape": s.name, "finds": s.finds, "example": s.example} for s in SHAPES.values()]
        click.echo(json.dumps(listed, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("shape", "finds", "such as")
    for shape in SHAPES.values():
        table.add_row(shape.name, shape.finds, shape.example)
    Console().print(table)


@click.command()
@click.argument("name", required=False)
@in_project
@click.option("--kind", metavar="KIND", default="http", show_default=True, help="What runs it; see below.")
@click.option("--owner", metavar="TEAM", help="Default: the first team.")
@click.option("--image", help="container: the image, with its version.")
@click.option("--command", help="container: what is run in it.")
@click.option("--dry-run", is_flag=True, help="Print the entry and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def job(
    name: str | None,
    project: Path,
    kind: str,
    owner: str | None,
    image: str | None,
    command: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Add a job to policies/_jobs.yml, to be filled in: parameters with patterns, a timeout, how to undo it.

    \b
    patrol new job warn_seller
    patrol new job hold_payouts --kind sql --owner payments
    patrol new job rescore_risk --kind container --image registry.example/risk/rescore:1.4.2 \\
        --command "python -m rescore"

    \b
    http       one request to an address
    sql        one statement on a database
    dagster    a run of a job in Dagster
    airflow    a run of a DAG in Airflow 3
    sagemaker  a training job in Amazon SageMaker; a processing job or a pipeline by another request
    command    a program on Patrol's own host, with an argument list and no shell
    dbt        dbt Core on Patrol's own host; dbt_cloud: a job of dbt Cloud
    container  an image with a command and parameters, such as a training or a rescoring, which the
               team's own job runner is asked to run (a job of kind http)

    What stands in the file keeps every byte. Exit code 0: added; 2: it could not be, and nothing was written.
    """
    from bot.new import entry
    from sensors.near import near

    settings = settings_of(project)
    catalog = catalog_of(settings)
    if not name:
        raise PatrolError("Say what the job is called: patrol new job rescore_risk --kind container.")
    if kind not in entry.JOBS:
        raise PatrolError(
            f'There is no kind "{kind}"{near(kind, entry.JOBS) or "."} There are {", ".join(entry.JOBS)}.'
        )
    if kind != "container" and (image or command):
        raise PatrolError("--image and --command are for --kind container.")
    text = entry.job(name, kind, _team(owner, catalog), image or entry.IMAGE, command or entry.COMMAND)
    more = entry.added(settings.project, JOBS, name, text)
    if not dry_run:
        put({settings.project / "policies" / JOBS: entry.with_more(settings.project, JOBS, more)})
    if as_json:
        click.echo(json.dumps({"job": name, "kind": kind, "written": not dry_run, "entry": text}, indent=2))
    elif dry_run:
        click.echo(text, nl=False)
    else:
        click.echo(f"added {name} to policies/{JOBS}. Fill it in, then: patrol check")
        click.echo(f"A policy shows it as a button by offer: [{name}]")


def _team(said: str | None, catalog: Catalog) -> str:
    from bot.new.wish import owner_of
    from sensors.model.asset import Asset

    return owner_of(said, Asset(""), catalog)
