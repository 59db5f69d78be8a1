"""Rules for who is on call: overrides that overlap, and critical alerts that at some time reach nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from sensors.model.catalog import Problem
from sensors.model.policy import Severity
from sensors.model.team import NOBODY, PAGER, Team
from sensors.yaml_marks import Document


def oncall_rules(name: str, team: Team, document: Document) -> Iterator[Problem]:
    """Warnings about one team of the file."""
    yield from _overlaps(name, team, document)
    yield from _unreached(name, team, document)


def pager_rules(teams: Mapping[str, Team], document: Document) -> Iterator[Problem]:
    """Where one team has a pager, critical alerts of every team that says its own ladder should ring one."""
    house = any(team.pager for team in teams.values())
    for name, team in teams.items():
        rings = any(step.to == PAGER for step in team.ladder(Severity.critical))
        if house and not rings and (team.pager or Severity.critical in team.ladders):
            place = (name, "ladder", "critical") if Severity.critical in team.ladders else (name,)
            said = "critical alerts ring no phone; write a step {after: 15m, to: pager}"
            yield document.problem(place, said, key=place == (name,), warning=True)


def _overlaps(name: str, team: Team, document: Document) -> Iterator[Problem]:
    for (_, one), (index, other) in combinations(enumerate(team.overrides), 2):
        if one.start < other.end and other.start < one.end:
            since = max(one.start, other.start).astimezone(team.zone)
            said = (
                f"overlaps with that of {one.member} from {since:%Y-%m-%d %H:%M} on; the later of them holds"
            )
            yield document.problem((name, "overrides", index), said, warning=True)


def _unreached(name: str, team: Team, document: Document) -> Iterator[Problem]:
    """The ladder of critical alerts asks only for who is on call, and at some time nobody is."""
    steps = team.ladder(Severity.critical)
    if team.hours and team.hours.outside == NOBODY and {step.to for step in steps} == {"oncall"}:
        said = (
            "outside the hours nobody is on call, and a critical alert is told to nobody else: the lead hears"
            " of it; say so with a step {to: lead}, or name who is on call outside"
        )
        yield document.problem((name, "ladder", "critical"), said, warning=True)
