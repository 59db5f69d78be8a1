"""`patrol schema` as somebody calls it: what it writes, and that it leaves a person's own settings alone."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli.schema import FILES, FOLDER, schema
from bot.process import settings
from bot.process.errors import PatrolError
from bot.process.settings_words import ABOUT
from tests.sensors.project import FILES as PROJECT
from tests.sensors.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    for file, text in PROJECT.items():
        made.write(file, text)
    return made


def ran(project: Project, *words: str) -> Result:
    return CliRunner().invoke(schema, ["--project", str(project.path), *words])


def held(project: Project) -> Any:
    return json.loads(project.read(".vscode/settings.json"))


def test_it_is_shown_and_nothing_is_written(project: Project) -> None:
    assert json.loads(ran(project).output)["properties"]["owner"]["enum"] == ["payments"]
    assert json.loads(ran(project, "teams").output)["title"] == "policies/_teams.yml"
    assert json.loads(ran(project, "patrol").output)["title"] == "patrol.yml"
    assert not (project.path / ".patrol").exists()


def test_all_are_written_and_the_line_for_other_editors_is_told(project: Project) -> None:
    said = ran(project, "--write")
    assert said.exit_code == 0
    assert {p.stem for p in (project.path / FOLDER).iterdir()} == set(FILES)
    assert "# yaml-language-server: $schema=../../.patrol/schema/policy.json" in said.output
    assert not (project.path / ".vscode").exists()


def test_each_pattern_for_vs_code_is_of_its_own_files() -> None:
    assert FILES["policy"] == "policies/**/[!_]*.yml"
    assert {FILES[kind] for kind in ("teams", "jobs")} == {"policies/_teams.yml", "policies/_jobs.yml"}


def test_vs_code_is_told_and_keeps_what_it_knew(project: Project) -> None:
    project.write(
        ".vscode/settings.json", '{"editor.rulers": [110], "yaml.schemas": {"https://x/y.json": "*.yml"}}'
    )
    assert ran(project, "--vscode").exit_code == 0
    assert ran(project, "--vscode").exit_code == 0
    assert held(project)["editor.rulers"] == [110]
    assert held(project)["yaml.schemas"]["https://x/y.json"] == "*.yml"
    assert held(project)["yaml.schemas"]["./.patrol/schema/policy.json"] == FILES["policy"]
    assert len(held(project)["yaml.schemas"]) == 1 + len(FILES)


@pytest.mark.parametrize("text", ["{ // mine\n}", "[]", '{"yaml.schemas": 3}', "\x00"])
def test_settings_with_words_of_a_persons_own_are_not_written_over(project: Project, text: str) -> None:
    project.write(".vscode/settings.json", text)
    said = ran(project, "--vscode")
    assert isinstance(said.exception, PatrolError)
    assert '"./.patrol/schema/policy.json": "policies/**/[!_]*.yml"' in str(said.exception)
    assert project.read(".vscode/settings.json") == text


def test_a_folder_that_cannot_be_written_is_said(project: Project) -> None:
    project.write(".patrol", "a file where a folder belongs")
    said = ran(project, "--write")
    assert isinstance(said.exception, PatrolError)
    assert "cannot be written" in str(said.exception)


def test_names_of_a_project_with_mistakes_are_offered_all_the_same(project: Project) -> None:
    project.write("policies/payments/broken.yml", "title: {{ x }}")
    assert json.loads(ran(project).output)["properties"]["owner"]["enum"] == ["payments"]


def test_every_setting_that_a_file_may_hold_is_told_with_its_meaning() -> None:
    """Secrets have no place in a file."""
    others = {"project", *settings.NESTED, *settings.SECRETS}
    assert set(ABOUT) == {field.name for field in fields(settings.Settings)} - others
    told = settings.schema()["properties"]
    assert all(told[name]["description"] == about for name, about in ABOUT.items())
