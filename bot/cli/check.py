"""`patrol check`: every mistake in the files at once, for people, for scripts and for a pull request."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import catalog_of, there
from bot.cli.progress import progress
from bot.core.words import count
from bot.process.errors import PatrolError
from sensors.model.graph import job_ref
from sensors.model.line import printable

if TYPE_CHECKING:
    from sensors.catalog import Loaded
    from sensors.model.catalog import Catalog, Problem
    from sensors.yaml_marks import Document
    from sensors.yaml_marks import Path as Where

DEFAULTS = "_defaults.yml"
OFF = "it runs a command on Patrol's host, which is off; write commands: on in patrol.yml where that may be"
DEAF = "called_back: nobody can call back; say in patrol.yml (url) or PATROL_URL where others reach Patrol"
UNHEARD = (
    "it starts by itself, and nobody is told when it fails; write late_after: 1h, or how long it may take"
)
KINDS = {"policies/": "policies", "sql/_macros/": "macros", "sql/": "SQL"}  # by where a file lies
BUNDLE = re.compile(r"^.*?[/:](?=(policies|sql)/)")  # before the path of another bundle's file


@click.command(short_help="Name every mistake in the files, with its place.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@in_project
@click.option("--warehouse", is_flag=True, help="Also have the project's warehouse read every query.")
@click.option("--slack", is_flag=True, help="Also ask Slack whether sensitive alerts stay private.")
@click.option("--strict", is_flag=True, help="Warnings count as mistakes.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="github: annotations of a pull request.",
)
@click.option("--json", "as_json", is_flag=True, help="A list of objects: path, line, column, what, warning.")
def check(
    paths: tuple[Path, ...],
    project: Path,
    warehouse: bool,
    slack: bool,
    strict: bool,
    form: str,
    as_json: bool,
) -> None:
    """Name every mistake in the files, with its place. Nothing is run, posted or changed.

    \b
    patrol check
    patrol check policies/payments/refund_spike.yml sql/payments
    patrol check --strict --format github      in a pull request
    patrol check --warehouse --slack           asks the warehouse, and Slack, too

    Everything is always read, since files depend on each other; PATHS only narrow what is shown. Every query
    is read by a DuckDB that holds the declared tables without a row: what it refuses is a mistake where
    DuckDB will run it (it is the warehouse, or the policy has cases), and else a warning.

    A warning is about something that works, but hardly as it was meant.

    Exit code 0: no mistakes; 1: there is one (with --strict: or a warning); 2: a PATH is none.
    """
    settings = settings_of(project)
    wanted = [_inside(settings, there(project, path)) for path in paths]
    catalog = catalog_of(settings, around=progress)
    found = problems(catalog, settings, ask=warehouse)
    if slack:
        from bot.cli.check_slack import of_slack

        found = sorted({*found, *of_slack(catalog, settings)})
    shown = [p for p in found if not paths or _under(project, p, wanted)]
    _print(shown, "json" if as_json else form, project)
    if not as_json and form != "json":
        click.echo(_summary(catalog, shown))
    sys.exit(1 if any(strict or not p.warning for p in shown) else 0)


def problems(catalog: Loaded, settings: Any, *, ask: bool = False) -> list[Problem]:
    """Each ring's own checks, together, in the order of the files. `ask`: the warehouse, too."""
    from sensors import check as rules
    from sensors.compiled import compiled

    on_duckdb = str(settings.warehouse_url or "").startswith("duckdb:")
    read = compiled(catalog, demanded=on_duckdb, around=progress)
    found = {
        *rules.check(catalog),
        *read,
        *_of_jobs(catalog, settings),
        *_of_hooks(catalog, settings),
        *_of_pagers(catalog),
        *_of_cards(catalog),
    }
    found |= set(_of_approvals(catalog, settings.owner))
    if ask:
        found |= set(_of_warehouse(catalog, settings, {p.path for p in found if not p.warning}))
    return sorted(found)


def _of_jobs(catalog: Loaded, settings: Any) -> Iterator[Problem]:
    from bot.jobs.config import problems as wrong
    from sensors.model.catalog import Problem

    for part in catalog.each:
        document = part.documents.get("policies/_jobs.yml")
        for job in part.jobs.values():
            off = [OFF] if job.on_host and settings.commands != "on" else []
            doubts = [
                *([DEAF] if job.config.get("called_back") is not None and not settings.url else []),
                *([UNHEARD] if job.by_itself and job.late_after is None else []),
            ]
            for what in (*wrong(job), *off, *doubts):
                warning = what in doubts
                if document is not None:
                    found = _of_entry(document, job.name, what, warning)
                else:
                    found = Problem("policies/_jobs.yml", 1, 1, f"{job.name}: {what}", warning)
                yield from part.placed([found])


def _of_entry(document: Document, entry: str, what: str, warning: bool = False) -> Problem:
    """At the key of the entry that the sentence begins with (`poll.url: …`), or what is nearest to it."""
    keys, where = what.partition(": ")[0], cast("Where", (entry,))
    for index, key in re.findall(r"\[(\d+)\]|([^.\[\]]+)", keys):
        deeper = (*where, int(index) - 1 if index else key)
        if deeper not in document.values:
            break
        where = deeper
    key = where == (entry,) or "is not a key" in what
    return document.problem_at(document.at(where, key=key), f"{entry}: {what}", warning=warning)


def _of_hooks(catalog: Loaded, settings: Any) -> Iterator[Problem]:
    """What they speak of is there, and is not seen by Patrol itself."""
    from bot.process.settings_hooks import FILE
    from sensors.graph import graph
    from sensors.model.catalog import Problem
    from sensors.model.graph import as_ref
    from sensors.near import near

    nodes = graph(catalog).nodes if settings.hooks else {}
    for hook in settings.hooks:
        ref = as_ref(hook.updates) or job_ref(hook.starts)
        asset, (line, column) = catalog.assets.get(ref), hook.place
        if ref not in nodes:
            yield Problem(FILE, line, column, f"hooks.{hook.name}: there is no {ref}{near(ref, nodes)}")
        elif asset and asset.ages:
            said = f"does nothing: {ref} tells by itself when it is loaded, and Patrol asks"
            yield Problem(FILE, line, column, f"hooks.{hook.name}: {said}", warning=True)


def _of_pagers(catalog: Loaded) -> Iterator[Problem]:
    from bot.jobs.pager import problems as wrong

    if document := catalog.documents.get("policies/_teams.yml"):
        for team in catalog.teams.values():
            for what in wrong(team):
                yield _of_entry(document, team.name, f"pager.{what}")


def _of_approvals(catalog: Loaded, owner: str | None) -> Iterator[Problem]:
    """Jobs to which no second person could agree."""
    from bot.core.access import Ground
    from bot.core.approval import lacking

    document = catalog.documents.get("policies/_jobs.yml")
    for job in catalog.jobs.values():
        team = catalog.teams.get(job.owner)
        ours = catalog.teams.get(owner or next(iter(catalog.teams), ""))
        said = lacking(job, Ground(job.name, team, ours)) if team else ""
        if document is not None and said:
            yield document.problem((job.name, "approval"), said, warning=True)


def _of_cards(catalog: Loaded) -> Iterator[Problem]:
    """What extreme rows would push off the card."""
    from bot.slack.fits import losses
    from sensors.title import title, title_names, title_problem

    filled = {one.name: one.facts.filled for one in catalog.drafts}
    for policy in catalog.policies.values():
        document = catalog.documents.get(policy.path)
        if document is None or policy.name in catalog.broken or title_problem(policy.alert.title):
            continue
        names = sorted(title_names(policy.alert.title))
        for lost in losses(policy, names, catalog.jobs.values(), title, filled.get(policy.name, ())):
            where = lost.where if lost.where in document.values else ("title",)
            yield document.problem(where, lost.what, warning=True)


def _of_warehouse(catalog: Loaded, settings: Any, said_already: set[str]) -> Iterator[Problem]:
    """What the project's own warehouse lacks or refuses, where nothing is wrong with the file anyway."""
    from bot.app import open_warehouse
    from sensors import check as rules
    from sensors.warehouse import WarehouseError

    warehouse = open_warehouse(settings)
    try:
        warehouse.ping()
        for problem in rules.check(catalog, warehouse):
            if problem in catalog.problems or problem.path not in said_already:
                yield problem
    except WarehouseError as error:
        raise PatrolError(f"The warehouse cannot be asked: {error.message}.") from None
    finally:
        warehouse.close()


def _inside(settings: Any, path: Path) -> Path:
    """The PATH, if it can hold a file of the project: of another folder no mistakes would be no answer."""
    root = settings.project.resolve()
    bundles = ((root / one.path).resolve() for one in settings.bundles if not one.git)
    if not any(path.is_relative_to(one) or one.is_relative_to(path) for one in (root, *bundles)):
        raise PatrolError(f"{path} does not lie in the project {root}, so nothing can be said of it.")
    return path


def _under(project: Path, problem: Problem, paths: list[Path]) -> bool:
    file = (project / problem.path).resolve()
    above = file.name == DEFAULTS  # what it says is the word of the files below it, too
    return any(file == p or p in file.parents or (above and file.parent in p.parents) for p in paths)


# ------------------------------------------------------------------------- how it is said


def _print(shown: Sequence[Problem], form: str, project: Path) -> None:
    match form:
        case "json":
            click.echo(json.dumps([_as_json(p) for p in shown], ensure_ascii=False, indent=2))
        case "github":
            for problem in shown:
                click.echo(annotation(problem, project))
        case _:
            for problem in shown:
                _print_one(problem)


def _print_one(problem: Problem) -> None:
    click.secho(str(problem), fg="yellow" if problem.warning else "red")
    for shown in problem.marked():
        click.echo(f"    {shown}")


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "what": problem.what,
        "warning": problem.warning,
    }


def annotation(problem: Problem, project: Path) -> str:
    """`::error file=…,line=…,col=…::…`, which GitHub shows beside the line; the file as seen from here."""
    kind = "warning" if problem.warning else "error"
    file = os.path.relpath(project / problem.path)
    place = f"file={_property(file)},line={problem.line},col={problem.column}"
    return f"::{kind} {place},title=patrol check::{_message(problem.what)}"


def _message(text: str) -> str:
    return printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _summary(catalog: Catalog, shown: Sequence[Problem]) -> str:
    looked = [
        count(len(catalog.policies), "policy", "policies"),
        count(len(catalog.jobs), "job"),
        count(len(catalog.assets), "asset"),
    ]
    errors = _by_kind(shown, "mistake", lambda p: not p.warning) or "no mistakes"
    warnings = _by_kind(shown, "warning", lambda p: p.warning)
    return f"{', '.join(looked)}: {errors}{f', {warnings}' if warnings else ''}"


def _by_kind(shown: Sequence[Problem], word: str, counts: Callable[[Problem], bool]) -> str:
    """`3 mistakes (2 in policies, 1 in SQL)`; nothing where there are none."""
    kinds = Counter(_kind(p.path) for p in shown if counts(p))
    said = count(kinds.total(), word)
    listed = ", ".join(f"{n} in {kind}" for kind, n in kinds.most_common())
    return f"{said} ({listed})" if listed else ""


def _kind(path: str) -> str:
    name, inside = Path(path).name, BUNDLE.sub("", path)
    if name.startswith("_") and inside.startswith("policies/"):
        return name
    return next((kind for folder, kind in KINDS.items() if inside.startswith(folder)), name)
