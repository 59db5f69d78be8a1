"""`patrol backtest`: what a policy would have alerted, for people, for scripts, and as a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.group import in_project, settings_of
from bot.cli.past import (
    Asked,
    asked,
    assumptions,
    key_words,
    over_time,
    replayed,
    what_failed,
    where_data_are,
    young,
)
from bot.cli.policies import catalog_of, policy_of
from bot.core.words import count, line
from bot.process.errors import PatrolError
from sensors.model.clock import say_duration

if TYPE_CHECKING:
    from bot.core.reckon import Paged, Reckoned
    from bot.workbench.replay import Replayed
    from sensors.model.policy import Severity

STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "blue", "info": "dim"}
BAR = range(10, 51)  # cells, as the terminal has room
NAMED = 8  # keys
SPARKS = " ▁▂▃▄▅▆▇█"


@click.command(short_help="Say what a policy would have alerted.")
@click.argument("policy")
@in_project
@over_time
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Also draw it, as an SVG.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: alerts, days, people, keys.")
def backtest(policy: str, project: Path, picture: Path | None, as_json: bool, **given: Any) -> None:
    """Say what POLICY, as it now is, would have alerted in the past, and who would have been paged when.

    \b
    patrol backtest payments.refund_spike --days 30
    patrol backtest chat.pushy --from 2026-01-04 --to 2026-01-11 --picture pushy.svg
    patrol backtest chat.pushy --days 7 --resolved-after never --json

    It goes through the schedule's due times as the bot would have: the same counting, thresholds and floods,
    one open alert per key. Nothing is posted and nothing is remembered. Where there are more than 720 due
    times to be looked at one by one, it looks less often and says so; --step says how often. A policy
    without a window is refused: how the world was is not kept. --picture draws an SVG, which a browser and
    a pull request show. Ctrl-C shows what there is until then.

    Exit code 0: all of the time was looked at; 1: not all of it; 2: it could not begin.
    """
    if picture and picture.suffix.lower() != ".svg":
        raise click.UsageError(f"The picture is an SVG, which a browser shows: call it {picture.stem}.svg")
    if picture and not picture.absolute().parent.is_dir():
        raise PatrolError(f"There is no folder {picture.absolute().parent} to write {picture.name} into.")
    settings = settings_of(project)
    from bot.app import open_warehouse
    from bot.core.alert import Lane
    from bot.core.oncall import names
    from bot.core.reckon import reckon, zone_of

    catalog = catalog_of(settings)
    wanted = policy_of(catalog, policy)
    warehouse = open_warehouse(settings)
    try:
        when, moved = where_data_are(asked(given, 30), wanted, catalog, warehouse)
        done = replayed(wanted, catalog, warehouse, when, lane=Lane.live)
        notes = [said for said in (moved, young(wanted, catalog, warehouse, when.start)) if said]
    finally:
        warehouse.close()
    zone = zone_of(catalog.teams.get(wanted.owner))
    what = reckon(done.openings, done.pages, done.start, done.end, zone)
    if as_json:
        click.echo(
            json.dumps(as_object(done, what, names(catalog.teams), notes), ensure_ascii=False, indent=2)
        )
    else:
        _Page(done, what, names(catalog.teams)).print(when, notes)
    if picture:
        _draw(done, what, picture)
    sys.exit(0 if done.complete and not done.failed else 1)


def _draw(done: Replayed, what: Reckoned, path: Path) -> None:
    from bot.cli.bars import days_as_svg

    try:
        path.write_text(days_as_svg(done.policy.name, what), encoding="utf-8")
    except OSError as error:
        raise PatrolError(f"The picture cannot be written to {path}: {error.strerror}.") from error
    click.echo(f"drawn: {path}", err=True)


def as_object(
    done: Replayed, what: Reckoned, names: Mapping[str, str], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """All of it for scripts. Keys are masked as on a card."""
    from bot.core.reconcile import masked

    policy = done.policy
    return {
        "policy": policy.name,
        "start": done.start.isoformat(),
        "end": done.end.isoformat(),
        "complete": done.complete,
        "rows": done.rows,
        "looks": done.looks,
        "seconds": round(done.seconds, 3),
        "step_s": done.step.total_seconds() if done.step else None,
        "alerts": [
            {
                "at": one.at.isoformat(),
                "until": one.until.isoformat() if one.until else None,
                "severity": one.severity.name,
                "count": one.count,
                "title": one.title,
                "key": masked(policy, one.key_values),
                "reopened": one.reopened,
                "flood": one.flood,
            }
            for one in done.openings
        ],
        "timezone": what.zone,
        "days": {str(day): {s.name: n for s, n in found.items()} for day, found in what.days},
        "people": [
            {"who": names.get(p.who, p.who), "pages": p.total, "at_night": p.nights, "hours": list(p.hours)}
            for p in what.people
        ],
        "noisy": [
            {"key": masked(policy, n.key_values), "alerts": n.alerts, "count": n.rows} for n in what.noisy
        ],
        "bad_rows": done.bad_rows,
        "failed": [{"end": w.end.isoformat(), "why": why} for w, why in done.failed],
        "truncated": [w.end.isoformat() for w in done.truncated],
        "notes": list(notes),
    }


class _Page:
    """What a person reads."""

    def __init__(self, done: Replayed, what: Reckoned, names: Mapping[str, str]) -> None:
        from rich.console import Console

        self.done, self.what, self.names = done, what, names
        self.console = Console(highlight=False, soft_wrap=True)

    def say(self, text: str = "", style: str = "") -> None:
        from rich.text import Text

        self.console.print(Text(text, style=style))

    def print(self, when: Asked, notes: Sequence[str]) -> None:
        done = self.done
        length = say_duration(done.end - done.start)
        self.say(
            f"{done.policy.name}  {done.start:%Y-%m-%d %H:%M} → {done.end:%Y-%m-%d %H:%M} UTC  {length}",
            "bold",
        )
        for note in notes:
            self.say(note, "yellow")
        if done.policy.status.value != "live":
            self.say(f"it is {done.policy.status.value} and pages nobody: this is as if it were live")
        self._days()
        self._sum()
        self._people()
        self._noisy()
        took = say_duration(timedelta(seconds=done.seconds)) if done.seconds >= 1 else "less than a second"
        self.say(f"{count(done.rows, 'row')} in {count(done.looks, 'look')}, {took} in the warehouse", "dim")
        if done.step:
            self.say(f"looked each {say_duration(done.step)}, not at each due time: --step", "yellow")
        self.say(assumptions(when), "dim")
        for what in what_failed(done):
            self.say(line(what, 300), "red")

    def _days(self) -> None:
        from rich.text import Text

        most = max((sum(found.values()) for _, found in self.what.days), default=0)
        if not most:
            return
        if self.what.zone != "UTC":
            self.say(f"  days of {self.what.zone}", "dim")
        cells = max(BAR[0], min(BAR[-1], self.console.width - 24))
        for day, found in self.what.days:
            shown = Text(f"  {day:%a %Y-%m-%d} ")
            total, drawn, seen = sum(found.values()), 0, 0
            for severity in sorted(found, reverse=True):
                seen += found[severity]
                until = -(-seen * min(most, cells) // most)
                shown.append("█" * (until - drawn), STYLES[severity.name])
                drawn = until
            self.console.print(shown.append(f" {total}" if total else "·", "" if total else "dim"))

    def _sum(self) -> None:
        openings = self.done.openings
        if not openings:
            self.say("no alerts")
            return
        parts = [f"{n} {severity.name}" for severity, n in _worst_first(self.what.by_severity)]
        again, floods = sum(o.reopened for o in openings), sum(o.flood for o in openings)
        parts += [f"{again} of them came again"] * bool(again)
        parts += [f"{floods} of them floods: more than {self.done.policy.max_alerts} keys at once"] * bool(
            floods
        )
        self.say(
            f"{len(openings):,} {'alert' if len(openings) == 1 else 'alerts'}: {', '.join(parts)}", "bold"
        )

    def _people(self) -> None:
        if self.what.people:
            self.say(f"paged (hours of {self.what.zone}, night is 22 to 7):")
        for one in self.what.people:
            name, night = self.names.get(one.who, one.who), f", {one.nights} at night" if one.nights else ""
            self.say(f"  {name:<12} {_hours(one)}  {one.total}{night}")
        if self.what.people:
            self.say(f"  {'':<12} 0     6     12    18", "dim")

    def _noisy(self) -> None:
        noisy = [one for one in self.what.noisy if one.alerts > 1] or list(self.what.noisy)
        if noisy:
            self.say("the noisiest keys:")
        for one in noisy[:NAMED]:
            times = "once" if one.alerts == 1 else f"{one.alerts} times"
            self.say(f"  {key_words(self.done.policy, one.key_values)}  {times}, count up to {one.rows:,}")
        if len(noisy) > NAMED:
            self.say(f"  and {len(noisy) - NAMED:,} more: --json names all")


def _worst_first(found: Mapping[Severity, int]) -> list[tuple[Severity, int]]:
    return sorted(found.items(), reverse=True)


def _hours(one: Paged) -> str:
    """A day as 24 cells, the highest where most pages are."""
    most = max(one.hours)
    return "".join(SPARKS[-(-n * 8 // most)] if n else "·" for n in one.hours)
