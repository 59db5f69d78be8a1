"""`patrol audit`: proves that what people did is kept as it was written, and writes it out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.ledger import Past
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.core.trail import Head, Kept, Seal
    from bot.store import Store

COLUMNS = (
    *("id", "at", "by", "name", "via", "channel", "deed", "about", "outcome", "words"),
    *("alert", "seq", "seal", "hash"),
)


@click.group(short_help="Prove what people did, and write it out.")
def audit() -> None:
    """Who did what, when, from where and why: a line for each act of a person, in a chain of seals.

    \b
    patrol audit verify
    patrol audit export --from 7d > acts.jsonl
    """


class Noted(click.ParamType[Any]):
    """A seal that was noted down elsewhere."""

    name = "number:hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        from bot.core.trail import Head

        head = Head.read(str(value))
        if head is None:
            self.fail(f"{value!r} is no seal; write it as `verify` and the log say it: 310:5d41…", param, ctx)
        return head


@audit.command()
@in_project
@click.option(
    "--head", "heads", type=Noted(), multiple=True, help="A seal noted down before (again for more)."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: flaws, lines, seals, head.")
def verify(project: Path, heads: tuple[Head, ...], as_json: bool) -> None:
    """Show that no line of the audit was changed, removed or inserted since it was sealed.

    \b
    patrol audit verify
    patrol audit verify --head 310:5d41402abc4b2a76b9719d911017c592

    Every second what is new gets a seal: a hash over its lines and over the seal before. Whoever can write to
    the whole database could make all seals anew; so note the last seal down elsewhere now and then (the log
    says each: "audit sealed"), and hand it in as --head: then that is found, too.

    Exit code 0: all is as it was sealed; 1: something is not, and is named; 2: it could not be read.
    """
    with _store(project) as store:
        found, last = _verified(store, heads)
        counts = store.trail.counts()
    head = f"{last.number}:{last.hash}" if last else None
    if as_json:
        sealed = last.number if last else 0
        click.echo(json.dumps({"flaws": found, **counts, "seals": sealed, "head": head}, indent=2))
    else:
        for flaw in found:
            click.secho(flaw, fg="red")
        click.echo(_summary(found, counts, last))
    sys.exit(1 if found else 0)


def _verified(store: Store, heads: tuple[Head, ...]) -> tuple[list[str], Seal | None]:
    from bot.cli.progress import progress
    from bot.core.trail import flaws
    from bot.store.trail import LinesBySeal

    last: Seal | None = None

    def seals() -> Iterable[Seal]:
        nonlocal last
        for seal in store.trail.seals():
            last = seal
            yield seal

    known = store.trail.last()
    shown = progress(seals(), known.number if known else 0, "verifying")
    found = list(flaws(shown, LinesBySeal(store.trail), heads))
    strays = store.trail.strays()
    return [
        *found,
        *(
            f"line {number} is of seal {seal}, which is not there: one of the two was touched"
            for number, seal in strays
        ),
    ], last


def _summary(found: list[str], counts: Mapping[str, int], last: Seal | None) -> str:
    from bot.core.words import count

    parts = [f"{count(counts['lines'], 'line')} in {count(last.number if last else 0, 'seal')}"]
    parts += [f"{counts['unsealed']} not sealed yet"] if counts["unsealed"] else []
    parts += [f"the words of {counts['erased']} erased"] if counts["erased"] else []
    parts += [count(len(found), "flaw") if found else "all as it was sealed"]
    head = f"\nThe last seal, to be noted down elsewhere: {last.number}:{last.hash}" if last else ""
    return f"{', '.join(parts)}.{head}"


@audit.command()
@in_project
@click.option("--from", "start", type=Past(), help="A time, or how long ago: 2026-01-05T12:00:00Z, 7d.")
@click.option("--to", "end", type=Past(), help="Until before then.")
@click.option("--csv", "as_csv", is_flag=True, help="For a spreadsheet, instead of JSON lines.")
def export(project: Path, start: datetime | None, end: datetime | None, as_csv: bool) -> None:
    """Write the audit to standard output: a JSON object a line, oldest first.

    \b
    patrol audit export --from 7d > acts.jsonl
    patrol audit export --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --csv > january.csv

    Each has id, at, by (a Slack id), name, via, channel, deed, about, outcome (done, refused, nothing), words
    (null: erased), alert and seq (the line of its history), seal and hash.

    Exit code 0: it was written; 2: it could not be read.
    """
    if start and end and start >= end:
        raise PatrolError("--from must be before --to.")
    settings = settings_of(project)
    names = _names(settings)
    with _store(project) as store:
        rows = (_row(kept, names) for kept in store.trail.lines(start, end))
        if as_csv:
            from bot.slack.sheet import sheet

            click.echo(sheet(COLUMNS, rows), nl=False)
            return
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))


def _names(settings: Any) -> dict[str, str]:
    """Of people, as far as the files know them."""
    from bot.core.oncall import names
    from sensors.catalog import load

    catalog = load(
        settings.project,
        dialect=settings.dialect,
        bundle=settings.bundle,
        functions=settings.may_call,
    )
    return names(catalog.teams)


def _row(kept: Kept, names: Mapping[str, str]) -> dict[str, Any]:
    from bot.core.words import in_plain

    line = kept.line
    return {
        "id": kept.id,
        "at": line.at.isoformat(),
        "by": line.by,
        "name": names.get(line.by, ""),
        "via": line.via,
        "channel": line.channel,
        "deed": line.deed,
        "about": line.about,
        "outcome": line.outcome,
        "words": None if line.words is None else in_plain(line.words, names),
        "alert": line.alert,
        "seq": line.seq,
        "seal": kept.seal,
        "hash": kept.hash,
    }


def _store(project: Path) -> Any:
    from bot.store import Store

    return closing(Store(settings_of(project).store_url))
