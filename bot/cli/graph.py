"""`patrol graph`: what policies, jobs and assets hang on, in words, as data and as a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.policies import catalog_of
from bot.cli.progress import progress
from bot.cli.writing import put
from bot.core.words import count
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from sensors.catalog import Loaded
    from sensors.model.graph import Graph

FORMATS = ("text", "mermaid", "json", "svg", "png", "html")
ENDINGS: Mapping[str, str] = {
    **{f".{form}": form for form in FORMATS},
    ".txt": "text",
    ".mmd": "mermaid",
    ".md": "mermaid",
    ".htm": "html",
}
STEPS = click.IntRange(0, 1000)
HERE = Path("-")


@click.command(short_help="Show what hangs on what: policies, jobs, tables.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@in_project
@click.option("--up", type=STEPS, help="How many steps towards what it comes from; default: all.")
@click.option("--down", type=STEPS, help="How many steps towards what it leads to; default: all.")
@click.option("--team", help="Only what is this team's, and what is next to it.")
@click.option("--bundle", help="Only what this bundle brings, and what is next to it.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Default: text, or what FILE's name ends in."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def graph(
    names: tuple[str, ...], project: Path, form: str | None, output: Path | None, as_json: bool, **asked: Any
) -> None:
    """Show what each NAME comes from and what it leads to; without one, all that there is.

    \b
    patrol graph                            everything, each after what it waits for
    patrol graph core.orders                where it comes from, who reads it, what they start
    patrol graph payments.refund_spike --up 1
    patrol graph job:rescore_seller --down 0
    patrol graph -o graph.html              a page to print or to point at
    patrol graph --team payments -o payments.svg
    patrol graph model:risk --format mermaid   for a README or a pull request
    patrol graph --json | jq '.edges[] | select(.up == "core.orders").down'

    A NAME is a policy (payments.x), a table (core.orders), a job (job:x) or another asset (model:x,
    dashboard:x, sheet:x, topic:x). What leads where is what the files say: the tables that a policy's SQL
    reads, `needs`, `schedule: {after: …}`, `on_open`, `offer`; `after` of a job and of an asset; and what
    dbt's manifest tells. Jobs that are only offered are shown, and not followed: a person decides.

    Exit code 0: shown; 2: there is no such NAME, or it cannot be drawn.
    """
    form = _form(form, output, as_json)
    settings = settings_of(project)
    catalog = catalog_of(settings, around=progress)
    from bot.core.around import size
    from sensors.graph import graph as made

    whole = made(catalog)
    refs = [_meant(name, whole, catalog) for name in names]
    part = _part(whole, refs, catalog, asked)
    if not part.nodes:
        raise PatrolError("There is nothing to show: no policy, no job and no asset loads.")
    title = f"{', '.join(names)}: {size(part)}" if names else size(part)
    if form == "text" and output is None:
        from bot.cli.graph_words import show

        show(part, refs, asked["up"], asked["down"])
    else:
        _put(_made(part, refs, form, title, asked), output, form)
    if catalog.broken:
        left = count(len(catalog.broken), "policy does", "policies do")
        click.secho(
            f"{left} not load; of these is shown what was last good, if anything. See patrol check.",
            fg="yellow",
            err=True,
        )


def _form(form: str | None, output: Path | None, as_json: bool) -> str:
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} are two different things: say one.")
    if as_json or form:
        return "json" if as_json else str(form)
    if output is None or output == HERE:
        return "text"
    if output.suffix.lower() not in ENDINGS:
        raise PatrolError(
            f"{output}: say by its ending what it shall be ({', '.join(ENDINGS)}), or by --format."
        )
    return ENDINGS[output.suffix.lower()]


def _meant(name: str, whole: Graph, catalog: Loaded) -> str:
    from bot.core.around import meant, names

    if (ref := meant(name, whole)) is not None:
        return ref
    if name in catalog.broken:
        mine = catalog.errors_of(name)
        raise PatrolError("\n".join([f"{name} does not load:", *(f"  {p}" for p in mine)]))
    near = get_close_matches(name.lower(), names(whole), n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "patrol graph shows all that there is."
    raise PatrolError(f"There is no policy, job or asset {name}; {hint}")


def _part(whole: Graph, refs: list[str], catalog: Loaded, asked: Mapping[str, Any]) -> Graph:
    from bot.core.around import around

    team, bundle, up, down = (asked[name] for name in ("team", "bundle", "up", "down"))
    if not (refs or team or bundle) and (up is not None or down is not None):
        raise click.UsageError("--up and --down are steps from a NAME, a --team or a --bundle: say one.")
    if not (team or bundle):
        return around(whole, refs, up, down) if refs else whole
    if refs:
        raise click.UsageError(
            "Say NAMEs, or --team and --bundle: a NAME is shown with whatever hangs on it."
        )
    own = {
        ref
        for ref, node in whole.nodes.items()
        if not team or node.owner == _known(team, catalog.teams, "team")
    }
    own &= _of_bundle(bundle, catalog) if bundle else own
    if not own:
        raise PatrolError(f"Nothing belongs to {team or bundle}.")
    return around(whole, own, 1 if up is None else up, 1 if down is None else down)


def _of_bundle(name: str, catalog: Loaded) -> set[str]:
    from sensors.model.graph import job_ref, policy_ref

    part = catalog.part(_known(name, {one.name: one for one in catalog.bundles}, "bundle"))
    own = {policy_ref(policy) for policy, one in catalog.policies.items() if one.bundle == name}
    return own | set(part.assets) | {job_ref(job) for job in part.jobs}


def _known(name: str, there: Mapping[str, Any], what: str) -> str:
    if name in there:
        return name
    near = get_close_matches(name, there, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(there)) or 'none'}."
    raise PatrolError(f"There is no {what} {name}; {hint}")


# ----------------------------------------------------------------------------------- what is made


def _made(part: Graph, refs: list[str], form: str, title: str, asked: Mapping[str, Any]) -> bytes:
    from bot.cli import graph_words as words

    match form:
        case "text":
            return words.text(part, refs, asked["up"], asked["down"]).encode()
        case "json":
            return (json.dumps(words.as_object(part), ensure_ascii=False, indent=2) + "\n").encode()
        case "mermaid":
            return words.mermaid(part).encode()
    return _picture(part, form, title)


def _picture(part: Graph, form: str, title: str) -> bytes:
    from bot.cli.graph_page import page, svg
    from bot.core.layout import laid_out

    layout = laid_out(part)
    if form != "png":
        drawn = svg(part, layout, title) if form == "svg" else page(part, layout, title)
        return drawn.encode("utf-8", "replace")
    from bot.deliver.drawing_graph import draw
    from bot.deliver.pictures import can_draw

    if not can_draw():
        raise PatrolError(
            "A PNG is drawn by Pillow: pip install 'patrol[pictures]'. SVG and HTML need nothing."
        )
    try:
        return draw(layout)
    except ValueError as error:
        raise PatrolError(
            f"{str(error).capitalize()} as a PNG: take SVG, or name what is of interest."
        ) from None


def _put(made: bytes, output: Path | None, form: str) -> None:
    if output is not None and output != HERE:
        put({output: made if output.suffix.lower() != ".md" else _fenced(made)})
        click.echo(f"{output} is written.", err=True)
        return
    if form == "png" and sys.stdout.isatty():
        raise PatrolError("A PNG is nothing for a terminal: say where it goes, such as -o graph.png")
    sys.stdout.buffer.write(made)


def _fenced(made: bytes) -> bytes:
    """As a Markdown file wants it."""
    return b"```mermaid\n" + made + b"```\n"
