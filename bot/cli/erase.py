"""`patrol erase`: forgets what is kept of a person or a thing, after a preview."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.acted import acted
from bot.cli.group import in_project, settings_of
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.core.erasure import Entity
    from bot.core.trail import Line
    from bot.store import Store
    from bot.store.erasing import Traces

NAMED = 20


class Whom(click.ParamType[Any]):
    """A column and its value."""

    name = "column=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Entity:
        from bot.core.erasure import Entity

        entity = Entity.read(str(value))
        if entity is None:
            self.fail(f"{value!r} names nobody; write a column and its value: seller_id=s_1", param, ctx)
        return entity


@click.command(short_help="Forget what is kept of a person or a thing.")
@click.argument("entity", metavar="COLUMN=VALUE", type=Whom())
@in_project
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: what was found, what was erased.")
def erase(entity: Entity, project: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Forget what is kept of COLUMN=VALUE: rows, titles, values, notes and stories of its alerts.

    \b
    patrol erase seller_id=s_1 --dry-run
    patrol erase seller_id=s_1

    It says what it found and asks. What stays: that there was an alert, when, of which policy, what it was
    called, who did what and when. So counts stay right, and `patrol audit verify` finds nothing wrong. The
    bot may run meanwhile: it draws the cards anew. An open alert stays as it is: resolve it, and do it again.

    Replies in threads that stand in Slack are not Patrol's to change back: delete them there. Files of those
    rows are deleted by the bot, within ten minutes.
    The warehouse is not touched, and what it still holds is found again by the next run.

    Exit code 0: nothing is left; 1: open alerts are; 2: it could not begin.
    """
    settings = settings_of(project)
    from bot.store import Store

    with closing(Store(settings.store_url)) as store:
        found = store.erasing.find(entity)
        if not as_json:
            click.echo(_preview(entity, found, settings))
        gone: list[int] = []
        if not dry_run and not found.nothing:
            if not _agreed(yes, as_json):
                raise PatrolError("There is nobody to ask here: look at --dry-run, and say --yes.")
            gone = _erased(store, entity, found)
    if as_json:
        click.echo(json.dumps(_as_json(entity, found, gone), indent=2))
    elif gone or (not dry_run and not found.nothing):
        click.echo(_done(found, gone))
    sys.exit(1 if found.open else 0)


def _agreed(yes: bool, as_json: bool) -> bool:
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        return False
    if not click.confirm("Erase it?"):
        sys.exit(1)
    return True


def _erased(store: Store, entity: Entity, found: Traces) -> list[int]:
    from bot.cli.progress import progress

    now = datetime.now(UTC)
    going = store.erasing.erase(entity, found, _line(entity, found, now), now)
    return list(progress(going, len(found.resolved), "erasing"))


def _line(entity: Entity, found: Traces, now: datetime) -> Line:
    """Of the audit. It names the column and the alerts, but never the value."""
    names = ", ".join(alert.name for alert in found.resolved[:50]) or "no alerts"
    return acted("erase", entity.column, names, now)


def _preview(entity: Entity, found: Traces, settings: Any) -> str:
    from bot.core.words import count

    if found.nothing:
        return f"Nothing is kept of {entity.column}={entity.value}.{_meant(entity, settings)}"
    named = ", ".join(alert.name for alert in found.about[:NAMED])
    more = f" and {len(found.about) - NAMED} more" if len(found.about) > NAMED else ""
    lines = [
        f"{entity.column}={entity.value} is in",
        f"  {count(len(found.about), 'alert')}" + (f": {named}{more}" if found.about else ""),
        f"  {count(found.rows, 'row')} of evidence, {count(found.history, 'line')} of history",
        f"  the words of {count(found.audit, 'line')} of the audit",
        f"  {count(len(found.jobs), 'start')} of jobs, {count(len(found.approvals), 'approval')}",
    ]
    if found.open:
        still = ", ".join(alert.name for alert in found.open[:NAMED])
        lines.append(f"Still open, and left as they are: {still}. Resolve them, and do it again.")
    return "\n".join(lines)


def _meant(entity: Entity, settings: Any) -> str:
    """A column that no key has may be a slip of the hand."""
    from sensors.catalog import load

    catalog = load(
        settings.project,
        dialect=settings.dialect,
        bundle=settings.bundle,
        functions=settings.may_call,
    )
    known = {name for policy in catalog.policies.values() for name in policy.key}
    known |= {column for asset in catalog.assets.values() for column in asset.columns}
    near = get_close_matches(entity.column, known, n=1)
    return "" if entity.column in known or not near else f" Did you mean {near[0]}={entity.value}?"


def _done(found: Traces, gone: list[int]) -> str:
    from bot.core.words import count

    said = [f"Erased: {count(len(gone), 'alert')}."]
    if gone:
        said.append("The bot draws their cards anew and deletes their files. Replies are left to you.")
    return " ".join(said) if found.about else "Erased."


def _as_json(entity: Entity, found: Traces, gone: list[int]) -> dict[str, Any]:
    return {
        "column": entity.column,
        "alerts": [alert.id for alert in found.about],
        "open": [alert.id for alert in found.open],
        "rows": found.rows,
        "history": found.history,
        "audit": found.audit,
        "jobs": len(found.jobs),
        "approvals": len(found.approvals),
        "erased": gone,
    }
