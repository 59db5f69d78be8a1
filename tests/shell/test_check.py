"""`patrol check` as people, scripts and pull requests read it: forms, what fails, the warehouse, the bar."""

# ruff: noqa: E501 - a row is one line

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.projects import write
from bot.cli.check import annotation, check
from bot.process.errors import PatrolError
from sensors.model.catalog import Problem
from tests.sensors.project import FILES, MARKET, POLICY, SQL, Project, fill

CASES = """cases:
  - name: three times
    at: 2026-01-05T12:00:00Z
    given:
      core.chat_messages: [{message_id: m1, seller_id: s_1, author_id: s_1, body: "paypal", sent_at: 2026-01-05T11:58:00Z, repeat: 3}]
      core.sellers: [{seller_id: s_1, display_name: Dee}]
    expect: [{seller_id: s_1, severity: medium}]
  - {name: nobody says it, at: 2026-01-05T12:00:00Z, given: {core.chat_messages: []}, expect: []}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path / "project")
    for file, text in {**FILES, "patrol.yml": "warehouse_url: duckdb:///market.duckdb\n"}.items():
        made.write(file, text)
    made.write(POLICY, made.read(POLICY) + CASES)
    fill(made.path / "market.duckdb", *MARKET)
    monkeypatch.setenv("PATROL_OPS_URL", "sqlite:///ops.db")
    monkeypatch.chdir(tmp_path)
    return made


def ran(project: Project, *words: str) -> Result:
    return CliRunner().invoke(check, ["--project", str(project.path), *words])


def test_what_is_right_is_one_line_in_every_form(project: Project) -> None:
    right = "1 policy, 1 job, 2 assets: no mistakes\n"
    assert (ran(project).output, ran(project).exit_code) == (right, 0)
    assert (ran(project, "--format", "github").output, ran(project, "--strict").output) == (right, right)
    assert (
        json.loads(ran(project, "--json").output) == json.loads(ran(project, "--format", "json").output) == []
    )


def test_mistakes_and_warnings_stand_apart_and_are_counted_by_kind(project: Project) -> None:
    project.change(POLICY, "owner: payments", "owner: paymnts")
    project.change(SQL, "AND m.author_id", "AND m.body > 3 AND m.author_id")
    project.change(POLICY, "key: [seller_id]", "key: [seller_id]\nentity: body")
    said = ran(project)
    assert said.exit_code == 1
    assert said.output.endswith(
        "0 policies, 1 job, 2 assets: 2 mistakes (1 in policies, 1 in SQL), 1 warning (1 in policies)\n"
    )
    assert [p["warning"] for p in json.loads(ran(project, "--json").output)] == [False, True, False]


def test_a_warning_fails_only_where_it_is_asked_to(project: Project) -> None:
    project.change(POLICY, "key: [seller_id]", "key: [seller_id]\nentity: body")
    assert (ran(project).exit_code, ran(project, "--strict").exit_code) == (0, 1)
    assert ran(project, "--strict", str(project.path / "sql")).exit_code == 0


def test_github_is_told_the_file_as_seen_from_where_it_ran(project: Project) -> None:
    project.change(POLICY, "key: [seller_id]", "key: [seller_id]\nentity: body")
    first = ran(project, "--format", "github").output.splitlines()[0]
    assert first == (
        f"::warning file=project/{POLICY},line=8,col=9,title=patrol check::entity[1]: no entry of _entities.yml"
        " has the column body, so the card opens nothing"
    )


def test_a_job_that_runs_a_command_is_a_mistake_until_the_project_lets_jobs_do_so(project: Project) -> None:
    jobs = project.read("policies/_jobs.yml")
    for n, kind in enumerate(("kind: command, command: [rescore]", "kind: dbt, project: shop")):
        jobs += f"more_{n}: {{title: More, {kind}, owner: payments}}\n"
    project.write("policies/_jobs.yml", jobs)
    said = ran(project)
    assert (said.exit_code, said.output.count("runs a command on Patrol's host, which is off")) == (1, 2)
    project.write("patrol.yml", project.read("patrol.yml") + "commands: on\n")
    assert (ran(project).exit_code, "1 policy, 3 jobs" in ran(project).output) == (0, True)


def test_what_is_wrong_with_a_job_stands_at_its_key(project: Project) -> None:
    jobs = project.read("policies/_jobs.yml")
    at = len(jobs.splitlines())
    jobs += "tell:\n  title: Tell\n  kind: http\n  owner: payments\n  url: https://x.example/?to={callback}\n"
    jobs += "  poll: {url: 'https://x.example/runs'}\n  called_back: {}\n"
    late = "late: {title: L, kind: http, owner: payments, url: 'https://x.example/', schedule: {every: 6h}}\n"
    project.write("policies/_jobs.yml", jobs + late + late.replace("late:", "la te:"))
    said = ran(project).output
    for line, words in {
        f"{at + 6}:15": "tell: poll.url: needs {id}, which says of which run it is",
        f"{at + 7}:16": "warning: tell: called_back: nobody can call back; say in patrol.yml",
        f"{at + 8}:1": "warning: late: it starts by itself, and nobody is told when it fails",
        f"{at + 9}:1": "la te: people type a job's name: at most 64 letters",
    }.items():
        assert f"_jobs.yml:{line} {words}" in said
    late = late.replace("6h}", "6h}, late_after: 1h")
    project.write("policies/_jobs.yml", jobs.replace("/runs'", "/{id}'") + late)
    project.write("patrol.yml", project.read("patrol.yml") + "url: https://patrol.example\n")
    assert "_jobs.yml" not in ran(project).output


def test_a_path_outside_the_project_is_not_said_to_be_right(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(exist_ok=True)
    said = ran(project, str(tmp_path / "elsewhere"))
    assert isinstance(said.exception, PatrolError)
    assert "does not lie in the project" in str(said.exception)
    assert ran(project, str(project.path.parent)).exit_code == 0


@settings(derandomize=True, max_examples=200)
@given(
    what=st.text(st.sampled_from("a %\r\n:,é🎉0AD"), min_size=1),
    name=st.text(st.sampled_from("a%,:-é"), min_size=1),
    warning=st.booleans(),
)
def test_an_annotation_is_one_line_and_reads_back(what: str, name: str, warning: bool) -> None:
    said = annotation(Problem(f"policies/{name}.yml", 3, 4, what, warning), Path())
    found = re.fullmatch(r"::(error|warning) file=([^,:]*),line=3,col=4,title=patrol check::([^\r\n]*)", said)
    assert found is not None
    assert _read(found[2]) == f"policies/{name}.yml"
    assert (_read(found[3]), found[1] == "warning") == (what, warning)


def _read(text: str) -> str:
    for mark, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(mark, character)
    return text


def test_the_warehouse_is_asked_only_where_that_is_said(project: Project) -> None:
    project.write(
        "policies/_assets.yml",
        project.read("policies/_assets.yml").replace("body: text", "body: text, mood: text"),
    )
    project.change(SQL, "m.body,", "m.body, m.mood,")
    assert ran(project).exit_code == 0
    asked = ran(project, "--warehouse")
    assert asked.exit_code == 1
    assert "the warehouse's core.chat_messages has no column mood" in asked.output
    assert f"{SQL}:2:74 m has no column mood (carried from snowflake to duckdb" in asked.output


def test_a_warehouse_that_cannot_be_asked_is_no_silence(project: Project) -> None:
    (project.path / "market.duckdb").unlink()
    asked = ran(project, "--warehouse")
    assert isinstance(asked.exception, PatrolError)
    assert str(asked.exception).startswith("The warehouse cannot be asked: there is no file")


def test_projects_that_are_made_to_be_timed_have_no_mistake(tmp_path: Path) -> None:
    write(tmp_path, 24)
    said = ran(Project(tmp_path), "--strict")
    assert said.output == "24 policies, 1 job, 4 assets: no mistakes\n"


def test_a_policy_s_mistakes_in_its_folder_s_defaults_are_shown_with_it(project: Project) -> None:
    project.write("policies/payments/_defaults.yml", "tags: money\n")
    project.write("policies/chat/_defaults.yml", "tags: chat\n")
    said = ran(project, str(project.path / POLICY))
    assert said.exit_code == 1
    assert said.output.startswith("policies/payments/_defaults.yml:1:7 tags: must be a list")
    assert "policies/chat" not in said.output
    assert "1 mistake (1 in _defaults.yml)" in said.output


def test_tables_may_come_from_dbt(project: Project) -> None:
    declared = project.read("policies/_assets.yml")
    start = declared.index("core.sellers")
    project.write("policies/_assets.yml", declared[:start])
    assert "core.sellers" in ran(project).output
    project.write("patrol.yml", project.read("patrol.yml") + "dbt_manifest: target/manifest.json\n")
    assert "target/manifest.json:1:1 dbt's manifest is not there" in ran(project).output
    columns = {name: {"name": name, "data_type": "varchar"} for name in ("seller_id", "display_name")}
    node = {
        "resource_type": "seed",
        "schema": "core",
        "name": "sellers",
        "columns": columns,
        "group": "payments",
    }
    project.write("target/manifest.json", json.dumps({"nodes": {"seed.shop.sellers": node}}))
    assert ran(project, "--warehouse").output == "1 policy, 1 job, 2 assets: no mistakes\n"
    node["columns"]["display_name"]["data_type"] = "Emoji(3)"  # type: ignore[index]
    project.write("target/manifest.json", json.dumps({"nodes": {"seed.shop.sellers": node}}))
    project.write("policies/_assets.yml", declared[:start] + "core.sellers: {tier: vetted}\n")
    assert ran(project).output == "1 policy, 1 job, 2 assets: no mistakes\n"


def test_what_a_hook_speaks_of_is_there_and_not_seen_by_patrol_itself(project: Project) -> None:
    hooks = [
        "  typo: {updates: core.chat_mesages, secret: S}",
        "  none: {starts: hold_payout, secret: S}",
        "  twice: {updates: core.chat_messages, secret: S}",
        "  right: {updates: 'job:hold_payouts', secret: S}",
    ]
    project.write("patrol.yml", "\n".join([project.read("patrol.yml") + "hooks:", *hooks, ""]))
    found = json.loads(ran(project, "--json").output)
    assert [(one["line"], one["warning"], one["what"].partition(":")[0]) for one in found] == [
        (3, False, "hooks.typo"),
        (4, False, "hooks.none"),
        (5, True, "hooks.twice"),
    ]
    assert 'did you mean "core.chat_messages"?' in found[0]["what"]
    assert 'did you mean "job:hold_payouts"?' in found[1]["what"]
