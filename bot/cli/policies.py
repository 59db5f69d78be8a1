"""`patrol next`; and what the verbs about a policy share: its name, times and durations as they are typed."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bot.cli.group import holding_policies, in_project, settings_of
from bot.process.errors import PatrolError
from sensors.model.clock import parse_duration, parse_time
from sensors.model.window import EARLIEST, LATEST

if TYPE_CHECKING:
    from sensors.catalog import Around, Loaded
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.sources import Root

NAMED = 8  # policies, where a name is none of them
YEARS = range(EARLIEST.year, LATEST.year)
LIKE = 0.7  # how much a name must be like another for that to be suggested


class Time(click.ParamType[Any]):
    """An ISO time; without a zone it is UTC."""

    name = "time"
    shapes = "2026-01-05T12:00:00Z"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        at = value if isinstance(value, datetime) else self.read(str(value))
        if at is None:
            self.fail(f"{value!r} is no time; write it as {self.shapes}", param, ctx)
        if at.year not in YEARS:
            self.fail(f"{value!r} is not from {YEARS[0]} to {YEARS[-1]}, where data may be", param, ctx)
        return at

    def read(self, text: str) -> datetime | None:
        return parse_time(text)


class Span(click.ParamType[Any]):
    """A duration such as 90m or 7d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        span = value if isinstance(value, timedelta) else parse_duration(str(value))
        if span is None:
            self.fail(f"{value!r} is no duration; write it as 30m, 2h or 7d", param, ctx)
        return span


def there(project: Path, path: Path) -> Path:
    """A PATH as it is typed: from here, or from the project."""
    for place in (path, project / path):
        if place.exists():
            return place.resolve()
    named = Path("policies", *str(path).split(".")).with_suffix(".yml")
    meant = f" Did you mean {named}?" if (project / named).is_file() else ""
    raise PatrolError(f"'{path}' does not exist, neither here nor in {project.resolve()}.{meant}")


@click.command("next")
@click.argument("policy")
@in_project
@click.option("--from", "start", type=Time(), help="Count from then; default: now.")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects: utc, local, timezone.")
def next_runs(policy: str, project: Path, start: datetime | None, count: int, as_json: bool) -> None:
    """Say when POLICY will run, in UTC and in the zone of its schedule."""
    from bot.core.plan import next_due
    from sensors.model.policy import Cron

    wanted = policy_of(catalog_of(settings_of(project)), policy)
    zone = wanted.schedule.timezone if isinstance(wanted.schedule, Cron) else "UTC"
    times: list[datetime] = []
    at: datetime | None = start or datetime.now(UTC)
    while at and len(times) < count and (at := next_due(wanted.schedule, at)):
        times.append(at)
    if as_json:
        listed = [
            {"utc": t.isoformat(), "local": t.astimezone(ZoneInfo(zone)).isoformat(), "timezone": zone}
            for t in times
        ]
        click.echo(json.dumps(listed, indent=2))
        return
    for t in times:
        local = f"   {t.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M:%S %Z} ({zone})" if zone != "UTC" else ""
        click.echo(f"{t:%a %Y-%m-%d %H:%M:%S} UTC{local}")
    if not times:
        click.echo(
            f"{policy} runs when {', '.join(getattr(wanted.schedule, 'upstream', ()))} has been updated"
        )


def catalog_of(settings: Any, *, home: Any = None, around: Around | None = None) -> Loaded:
    """What the files of all bundles say. `home`: the settings of the project where the files are a copy of a
    version of it: what lies elsewhere, dbt's manifest and other bundles, is taken as it is there."""
    from sensors.catalog import iter_only, load

    own, there = settings.manifest, home or settings
    return load(
        holding_policies(settings.project),
        dialect=settings.dialect,
        bundle=settings.bundle,
        around=around or iter_only,
        manifest=there.manifest if own and not own.exists() else own,
        others=_others(there),
        functions=settings.may_call,
    )


def _others(settings: Any) -> list[Root]:
    if not settings.bundles:
        return []
    from bot.bundles.roots import on_disk

    every = timedelta(seconds=settings.pull_every)
    return on_disk(
        settings.bundles,
        settings.project,
        settings.bundle,
        os.environ,
        every,
        lambda s: click.echo(s, err=True),
    )


def policy_of(catalog: Catalog, name: str) -> Policy:
    if name in catalog.policies:
        return catalog.policies[name]
    if name in catalog.broken:
        mine = catalog.errors_of(name)
        raise PatrolError("\n".join([f"{name} does not load:", *(f"  {p}" for p in mine)]))
    raise PatrolError(f"There is no policy {name}; {_hint(name, [*catalog.policies, *catalog.broken])}")


def _hint(name: str, known: list[str]) -> str:
    """The policy that was likely meant, by its last word; else some of those that there are."""
    likeness = {one: _like(name, one) for one in known}
    best = max(known, key=lambda one: likeness[one], default="")
    if best and likeness[best][0] >= LIKE:
        return f"did you mean {best}?"
    listed = sorted(known)
    more = f" … and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return f"there are {', '.join(listed[:NAMED])}{more}" if listed else "there is none yet"


def _like(name: str, one: str) -> tuple[float, float]:
    """How alike two names are: in their last words, then as a whole (which all of one folder are)."""
    said, known = (re.split(r"[.:]", text)[-1] for text in (name.lower(), one))
    last = SequenceMatcher(None, said, known).ratio()
    return last, SequenceMatcher(None, name.lower(), one).ratio()
