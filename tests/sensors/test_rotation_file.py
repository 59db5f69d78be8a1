"""What a team's file says of who is on call, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from bot.jobs.pager import problems as pager_problems
from sensors.catalog import load
from sensors.model.policy import Severity
from sensors.model.team import Hours, Override, Rotation
from tests.sensors.project import FILES

TEAMS = "policies/_teams.yml"
LINE = "  rotation: {members: [ana, bo], length: 7d, anchor: 2026-01-05T09:00:00}\n"
Said = Callable[[str], list[str]]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """What is said of the team with these lines in the place of its rotation's, from its name on."""

    def says(lines: str) -> list[str]:
        write(tmp_path, lines)
        return [
            str(problem).partition(" ")[2] for problem in load(tmp_path).problems if TEAMS in problem.path
        ]

    return says


def write(folder: Path, lines: str) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(LINE, lines))


def test_rotation_hours_and_overrides_are_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
  rotation: {length: daily, handoff: "08:30", timezone: America/New_York}
  hours: {days: [mon-thu, sat], from: 09:00, to: 17:00, outside: lead}
  overrides:
    - {member: bo, from: 2026-12-24, to: 2026-12-27T09:00}
    - {member: ana, from: 2026-07-01T09:00:00Z, to: 2026-07-02T09:00:00+02:00}
""",
    )
    found = load(tmp_path)
    assert found.errors == ()
    team = found.teams["payments"]
    day = datetime(2026, 1, 1, tzinfo=UTC).replace
    assert team.rotation == Rotation((), 1 * (day(day=2) - day()), None, "America/New_York", time(8, 30))
    assert team.hours == Hours(frozenset({0, 1, 2, 3, 5}), time(9), time(17), "lead")
    assert team.overrides == (
        Override("bo", day(month=12, day=24, hour=5), day(month=12, day=27, hour=14)),
        Override("ana", day(month=7, hour=9), day(month=7, day=2, hour=7)),
    )


def test_an_anchor_is_of_its_own_zone_where_it_names_one(tmp_path: Path) -> None:
    for anchor, hour in (("2026-01-05T09:00", 14), ("2026-01-05T09:00:00+01:00", 8)):
        write(tmp_path, f"  rotation: {{anchor: {anchor!r}, timezone: America/New_York}}\n")
        rotation = load(tmp_path).teams["payments"].rotation
        assert rotation
        assert rotation.anchor == datetime(2026, 1, 5, hour, tzinfo=UTC)


HOURS = "  rotation: {members: [ana, bo]}\n  hours: "
OVER = "  overrides:\n    - {member: ana, from: 2026-01-01, to: 2026-01-08}\n    - "
GAP = "say outside: lead, team, a member, or nobody"
WRONG = {
    "  rotation: {length: monthly}\n": "length: must be daily, weekly or a duration such as 12h or 14d,",
    "  rotation: {length: 5m}\n": 'payments.rotation.length: must be from 1 h to 366 d, not "5m"',
    "  rotation: {handoff: 25:00}\n": 'rotation.handoff: must be a time of day such as 09:00, not "25:00"',
    "  rotation: {handoff: 9}\n": "payments.rotation.handoff: must be a time of day such as 09:00, not 9",
    '  rotation: {handoff: "09:00", anchor: 2026-01-05T09:00}\n': "rotation.handoff: the anchor says at",
    "  rotation: {timezone: Europe/Berln}\n": 'did you mean "Europe/Berlin"?',
    "  rotation: {anchor: 2026-03-29T02:30, timezone: Europe/Berlin}\n": "clocks of Europe/Berlin",
    "  rotation: {anchor: 9999-12-31T23:00}\n": "payments.rotation.anchor: must be a time such as",
    "  rotation: {members: []}\n": "payments.rotation.members: must not be empty",
    HOURS + "{from: 09:00, to: 18:00}\n": f"payments.hours: nobody is on call on Sat at noon; {GAP}",
    HOURS + "{days: mon-sun, from: 09:00, to: 18:00}\n": f"nobody is on call from 18:00 to 09:00; {GAP}",
    HOURS
    + "{from: 09:00, to: 18:00, outside: led}\n": 'must be lead, team, nobody or a member, not "led"; did',
    HOURS + "{days: mon-frii, from: 09:00, to: 18:00}\n": "payments.hours.days: must be days such as mon-fri",
    HOURS + "{form: 09:00, to: 18:00, outside: lead}\n": 'unknown key "form"; did you mean "from"?',
    "  hours: {from: 09:00, to: 18:00, outside: lead}\n": "payments.hours: hours are those of a rotation",
    OVER + "{member: bob, from: 2026-02-01, to: 2026-02-02}\n": 'overrides[2].member: no member "bob"',
    OVER + "{member: bo, from: 2026-02-02, to: 2026-02-01}\n": "overrides[2].to: must be later than from",
    OVER + "{member: bo, from: 2026-02-02T09:00Z, to: 2026-02-03}\n": "[2].to: write the zone at both times",
    OVER + "{member: bo, from: soon, to: 2026-02-01}\n": "overrides[2].from: must be a time such as",
    OVER
    + "{member: bo, from: 2026-01-07, to: 2026-02-01}\n": "[2]: overlaps with that of ana from 2026-01-07",
}


@pytest.mark.parametrize("lines", WRONG)
def test_what_is_wrong_is_said_once_with_what_to_do(said: Said, lines: str) -> None:
    (one,) = said(lines)
    assert WRONG[lines] in one


def test_a_critical_alert_that_at_times_reaches_nobody_is_said(said: Said, tmp_path: Path) -> None:
    assert said(HOURS + "{from: 09:00, to: 18:00, outside: nobody}\n") == []  # it goes on to the team
    path = tmp_path / TEAMS
    path.write_text(path.read_text().replace(", {after: 5m, to: team}, {after: 10m, to: lead}", ""))
    (one,) = [problem for problem in load(tmp_path).problems if problem.path == TEAMS]
    assert one.warning
    assert "payments.ladder.critical: outside the hours nobody is on call" in one.what


def test_the_team_of_the_guide_is_right(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
    (shown,) = re.findall(r"<!-- team -->\n```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "policies").mkdir()
    (tmp_path / TEAMS).write_text(shown)
    found = load(tmp_path)
    assert found.problems == ()
    team = found.teams["payments"]
    assert [step.to for step in team.ladder(Severity.critical)] == ["oncall", "pager", "lead"]
    assert pager_problems(team) == []
