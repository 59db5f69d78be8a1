"""What a team's file says of its targets, and what is wrong with it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from sensors.catalog import load
from sensors.model.policy import Severity
from sensors.model.team import Targets
from tests.sensors.test_rotation_file import TEAMS, write

MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


def targets(folder: Path, text: str) -> Targets:
    write(folder, f"  targets: {text}\n")
    found = load(folder)
    assert found.errors == ()
    return found.teams["payments"].targets


def test_a_target_is_one_for_all_or_by_severity(tmp_path: Path) -> None:
    found = targets(tmp_path, "{acknowledge: 15m, resolve: {critical: 1h, high: 4h}}")
    assert found.acknowledge == dict.fromkeys(Severity, 15 * MINUTES)
    assert found.resolve == {Severity.critical: HOURS, Severity.high: 4 * HOURS}
    assert targets(tmp_path, "{resolve: 1d}") == Targets({}, dict.fromkeys(Severity, 24 * HOURS))


def test_the_analysts_guide_shows_one_that_is_taken(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()
    (shown,) = re.findall(r"<!-- targets -->\n```yaml\n(.*?)```", guide, re.DOTALL)
    write(tmp_path, "")
    (tmp_path / TEAMS).write_text(shown)
    found = load(tmp_path)
    assert [problem for problem in found.problems if TEAMS in problem.path] == []
    assert found.teams["payments"].targets.acknowledge[Severity.low] == 15 * MINUTES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{acknowledge: 15}", "must be a duration such as 15m, 4h or 1d, not 15"),
        ("{acknowledge: soon}", 'must be a duration such as 15m, 4h or 1d, not "soon"'),
        ("{acknowledge: 1000d}", "must be 90d at most"),
        ("{acknowledge: {hihg: 5m}}", 'did you mean "high"?'),
        ("{acknowledge: {high: 0m}}", "must be a duration such as 15m"),
        ("{acknowledge: {}}", "must be a duration such as 15m, or one by severity"),
        ("{acknowlege: 5m}", 'did you mean "acknowledge"?'),
        ("{acknowledge: 2h, resolve: {high: 1h}}", "of high alerts it is sooner than acknowledge"),
        ("{}", "must say acknowledge or resolve"),
        ("15m", "must be"),
        ("[1]", "must be"),
        ("{acknowledge: [5m]}", "must be a duration such as 15m"),
        ("{acknowledge: {5: 5m}}", "no severity"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, f"  targets: {text}\n")
    (said,) = [str(problem) for problem in load(tmp_path).problems if TEAMS in problem.path]
    place, _, what = said.partition(" ")
    assert place.startswith(f"{TEAMS}:")
    assert place.split(":")[1].isdigit()
    assert says in what
