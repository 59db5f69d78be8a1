"""`patrol preview`: the card that Slack would show, in the terminal, as Block Kit, or as a picture."""

from __future__ import annotations

import json
import sys
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from bot.cli.group import in_project
from bot.cli.preview_source import Shown, Source, of_policy, of_store

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bot.workbench.preview import Preview

BUILDER = "https://app.slack.com/block-kit-builder/#"
STATES = ("open", "acknowledged", "snoozed", "resolved")


@click.command()
@click.argument("policy", required=False)
@in_project
@click.option("--from-warehouse", is_flag=True, help="The rows that the warehouse gives now.")
@click.option("--example", is_flag=True, help="Rows made up by the types of the columns.")
@click.option(
    "--extreme", is_flag=True, help="Long, huge, empty and hostile values: whether the card bears them."
)
@click.option("--alert", metavar="142", help="An alert of the store as it now stands, instead of POLICY.")
@click.option(
    "--state", type=click.Choice(STATES), default="open", show_default=True, help="After what people do."
)
@click.option("--wide", is_flag=True, help="As on a desktop; else as narrow as a phone.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: channel, post, problems, builder and more."
)
@click.option("--blocks", is_flag=True, help="Only what Slack's Block Kit Builder takes.")
@click.option(
    "--picture", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE.png or FILE.html."
)
def preview(
    policy: str | None,
    project: Path,
    from_warehouse: bool,
    example: bool,
    extreme: bool,
    alert: str | None,
    state: str,
    wide: bool,
    as_json: bool,
    blocks: bool,
    picture: Path | None,
) -> None:
    """Show the card that Slack would show for POLICY. Nothing is posted and nothing is remembered.

    \b
    patrol preview payments.refund_spike
    patrol preview payments.refund_spike --state acknowledged --wide
    patrol preview payments.refund_spike --extreme
    patrol preview payments.refund_spike --picture card.png
    patrol preview --alert 142 --json

    The rows are those of the policy's first case that fires; without one, those that the warehouse gives; and
    where it gives none, made-up ones. Above the card stand its channel and whom it would mention.

    Exit code 0: Slack would take the card; 1: it would not, or nothing would alert; 2: it could not begin.
    """
    source = Source(from_warehouse, example, extreme)
    _one_wish(policy, alert, source, state)
    file = _named(picture)
    shown = of_store(project, alert) if alert else of_policy(project, policy or "", source, state)
    problems = _problems(shown.preview)
    if file:
        _paint(shown, file, wide)
    if blocks:
        click.echo(json.dumps({"blocks": shown.preview.face.blocks}, ensure_ascii=False, indent=2))
    elif as_json:
        click.echo(json.dumps(_as_json(shown, problems), ensure_ascii=False, indent=2))
    elif not file:
        _print(shown, problems, wide)
    sys.exit(1 if problems else 0)


def _one_wish(policy: str | None, alert: str | None, source: Source, state: str) -> None:
    """What is asked for must be one thing."""
    if not policy and not alert:
        raise click.UsageError("Which policy? `patrol preview payments.refund_spike`, or --alert 142.")
    if alert and (policy or source != Source() or state != "open"):
        raise click.UsageError(
            "--alert shows an alert as it stands: name neither a policy, rows nor a state."
        )
    if source.warehouse and source.made_up:
        raise click.UsageError("--from-warehouse shows real rows, --example and --extreme made-up ones.")


def _named(picture: Path | None) -> Path | None:
    if picture is None:
        return None
    from bot.cli.picture import checked

    return checked(picture)


def _problems(preview: Preview) -> list[str]:
    """What Slack would refuse, by the rules that the sandbox holds every message to."""
    from bot.sandbox.blockkit import check_message

    return [str(problem) for problem in check_message(preview.face.blocks)]


# ------------------------------------------------------------------------------ for scripts


def _as_json(shown: Shown, problems: list[str]) -> dict[str, Any]:
    from bot.slack.client import posting

    one = shown.preview
    return {
        "policy": one.alert.policy,
        "rows_from": shown.rows,
        "channel": one.channel,
        "lane": one.alert.lane.value,
        "severity": one.alert.severity.name,
        "mentions": [{"slack": slack, "name": shown.names.get(slack, "")} for slack in one.context.paged],
        "post": posting(one.channel, one.face, f"card-{one.alert.id}"),
        "problems": problems,
        "builder": builder(one.face.blocks),
    }


def builder(blocks: list[dict[str, Any]]) -> str:
    """The address under which Slack's Block Kit Builder opens with these blocks."""
    return BUILDER + quote(json.dumps({"blocks": blocks}, ensure_ascii=False, separators=(",", ":")), safe="")


# ------------------------------------------------------------------------------ for people


def _print(shown: Shown, problems: list[str], wide: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from bot.cli.card import PHONE, WIDE, drawn

    console = Console(highlight=False)
    one = shown.preview
    console.print(_grid(_above(shown)))
    width = min(WIDE if wide else PHONE, console.width)
    console.print(drawn(one.face.blocks, shown.names, shown.now, width))
    for problem in problems:
        console.print(Text(f"Slack would refuse it: {problem}", style="red"))
    _below(console, one)


def _grid(lines: list[tuple[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for name, said in lines:
        grid.add_row(Text(name, style="dim"), Text(said))
    return grid


def _above(shown: Shown) -> list[tuple[str, str]]:
    from bot.slack.text import fold

    one = shown.preview
    lines = [
        ("rows", shown.rows),
        ("channel", one.channel or "none: name one for the team in policies/_teams.yml"),
        ("mentions", _mentions(shown)),
        ("phone", unescape(one.face.text)),
        ("note", shown.note),
    ]
    return [(name, fold(said)) for name, said in lines if said]


def _mentions(shown: Shown) -> str:
    one = shown.preview
    if one.alert.version > 1:
        return "nobody: an edit pings no one"
    if one.context.paged:
        return ", ".join(f"{shown.names.get(slack, '')} ({slack})".strip() for slack in one.context.paged)
    quiet = "" if one.alert.lane.value == "live" else f": its alerts are {one.alert.lane.value}"
    return f"nobody{quiet}"


def _below(console: Console, one: Preview) -> None:
    from rich.text import Text

    from bot.sandbox.blockkit import text_length

    size = f"{len(one.face.blocks)} blocks, {text_length(one.face.blocks):,} characters"
    line = Text(size, style="dim")
    if console.is_terminal:  # it is long: as a link only
        line.append(" · ").append("Block Kit Builder", style=f"link {builder(one.face.blocks)}")
    console.print(line)


def _paint(shown: Shown, file: Path, wide: bool) -> None:
    from bot.cli.picture import picture

    one = shown.preview
    picture(one.face, shown.names, shown.now, file, title=one.face.text, wide=wide)
    click.echo(f"{file}: {one.alert.name} of {one.alert.policy}, rows: {shown.rows}", err=True)
