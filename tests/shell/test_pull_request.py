"""The workflow that the docs give away is one, and every command and option in it is one of Patrol's."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot.cli.group import COMMANDS, patrol

FILE = Path(__file__).parents[2] / "docs" / "pull-request.yml"


def steps() -> list[dict[str, Any]]:
    (job,) = yaml.safe_load(FILE.read_text())["jobs"].values()
    return list(job["steps"])


def commands() -> list[list[str]]:
    """Every `patrol …` of its scripts, in words, without what the shell does with its output."""
    scripts = [line.strip() for step in steps() for line in str(step.get("run", "")).splitlines()]
    found = [shlex.split(line.partition(">")[0]) for line in scripts if line.startswith("patrol ")]
    return [words[1:] for words in found]


def command_of(name: str) -> click.Command:
    found = patrol.get_command(click.Context(patrol), name)  # type: ignore[attr-defined]
    assert isinstance(found, click.Command), name
    return found


def test_it_checks_tests_and_compares_each_pull_request() -> None:
    workflow = yaml.safe_load(FILE.read_text())
    assert "pull_request" in workflow[True]  # YAML 1.1 reads the word `on` so
    assert [words[0] for words in commands()] == ["check", "test", "diff"]
    assert "--markdown" in commands()[-1]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_in_it_is_one(words: list[str]) -> None:
    name, options = words[0], [word for word in words[1:] if word.startswith("--")]
    assert name in COMMANDS
    known = {opt for param in command_of(name).params for opt in param.opts}
    assert set(options) <= known


def test_all_of_the_history_is_fetched_for_the_comparison() -> None:
    (checkout,) = [step for step in steps() if "checkout" in step.get("uses", "")]
    assert checkout["with"]["fetch-depth"] == 0


def test_nothing_of_the_pull_request_reaches_the_shell_by_itself() -> None:
    """A branch can be named so that it is a command: it stands in a variable, never in a script."""
    assert [step["name"] for step in steps() if re.search(r"\$\{\{", str(step.get("run", "")))] == []


def test_every_setting_in_it_is_one() -> None:
    from bot.process.settings import ENVIRONMENT

    assert set(re.findall(r"\bPATROL_[A-Z_]+", FILE.read_text())) <= {*ENVIRONMENT}


GH = """#!/bin/sh
case "$*" in
  *--paginate*) while [ $# -gt 1 ]; do shift; done; jq -r "$1" comments.json ;;
  *) echo "$@" >> said ;;
esac
"""


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's own command brings a jq; here there is none")
@pytest.mark.parametrize(
    ("diff", "comments", "said"),
    [
        ("### Patrol: x", [], ["pr comment 7 --body-file diff.md"]),
        ("", [], []),
        (
            "### Patrol: x",
            [(1, "Bot", "### Coverage"), (2, "Bot", "### Patrol: old"), (3, "User", "### Patrol: quoted")],
            ["api --silent --method PATCH repos/shop/rules/issues/comments/2 --field body=@diff.md"],
        ),
    ],
    ids=["the first", "it could not begin", "the next"],
)
def test_a_comment_of_ours_is_brought_up_to_date_and_no_other(
    tmp_path: Path, diff: str, comments: list[tuple[int, str, str]], said: list[str]
) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "diff.md").write_text(diff)
    made = [{"id": n, "user": {"type": who}, "body": body} for n, who, body in comments]
    (tmp_path / "comments.json").write_text(json.dumps(made))
    (script,) = [step["run"] for step in steps() if step.get("name", "").startswith("Post it")]
    given = {"GITHUB_REPOSITORY": "shop/rules", "NUMBER": "7"}
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env={**given, "PATH": path}, check=True)
    heard = tmp_path / "said"
    assert (heard.read_text().splitlines() if heard.exists() else []) == said
