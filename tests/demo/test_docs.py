"""The pages' own files and commands, done as a reader does them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from bot.cli.graph_page import svg
from bot.cli.group import COMMANDS, patrol
from bot.core.around import size
from bot.core.layout import laid_out
from bot.core.reconcile import reconcile
from bot.demo.market import Market
from bot.sandbox import Sandbox
from sensors.catalog import load
from sensors.graph import graph
from sensors.model.window import window_for
from sensors.run import data_until, look
from sensors.title import title
from sensors.warehouse import connect
from tests.shell.typing_in import clean

ROOT = Path(__file__).parents[2]
OWN = ROOT / "docs/project.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
RUN = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)


def follow(page: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Writes a page's files, runs its commands in `folder`, and gives each with what it said."""
    text = page.read_text()
    for path, content in FILE.findall(text):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    for line in "".join(RUN.findall(text)).splitlines():
        program, *words = line.split()
        code, said = (patrolled if program.endswith("patrol") else ran)(words, folder)
        assert code == 0, f"{line}: {said}"
        yield line, said


def patrolled(words: list[str], folder: Path) -> tuple[int, str]:
    """A command of Patrol's within this process: its exit code, and what it said."""
    with chdir(folder), patch.dict(os.environ, clean(), clear=True):
        ended = CliRunner().invoke(patrol, words)
    return ended.exit_code, ended.output if ended.exit_code else ended.stdout


def ran(words: list[str], folder: Path) -> tuple[int, str]:
    """A program of the reader's own, in Python."""
    ended = subprocess.run(
        [sys.executable, *words], cwd=folder, env=clean(), capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_project_from_an_empty_folder_comes_to_its_first_alert(tmp_path: Path) -> None:
    said = dict(follow(OWN, tmp_path))
    assert said["patrol check"] == "1 policy, 1 job, 2 assets: no mistakes\n"
    assert "Eli owes 1150.00" in said["patrol run billing.owes_much"]
    assert "1 row, 1 key, 1 would alert" in said["patrol run billing.owes_much"]
    assert len(said["patrol next billing.owes_much --count 3"].splitlines()) == 3


def test_every_file_beside_the_policies_has_its_example() -> None:
    paths = {path for path, _ in FILE.findall(OWN.read_text())}
    assert {
        f"policies/_{kind}.yml" for kind in ("teams", "jobs", "assets", "entities", "violations")
    } <= paths


@pytest.mark.parametrize("page", ["README.md", "docs/policies.md"])
def test_a_page_s_policy_is_right_in_the_demo(page: str, tmp_path: Path) -> None:
    for name in ("policies", "sql"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "patrol.yml", tmp_path / "patrol.yml")
    Market(tmp_path / ".patrol" / "market", 7, datetime.now(UTC)).close()
    for line, said in follow(ROOT / page, tmp_path):
        assert "mistake" not in said or "no mistakes" in said, line


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_readme_s_recipe_gives_one_to_three_alerts_and_no_flood_later(seed: int, tmp_path: Path) -> None:
    files = dict(FILE.findall((ROOT / "README.md").read_text()))
    for name in ("policies", "sql"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path, content in files.items():
        (tmp_path / path).write_text(content)
    catalog = load(tmp_path)
    policy = catalog.policies["payments.big_order"]
    now = datetime(2026, 11, 23, seed * 3 % 24, tzinfo=UTC)
    market = Market(tmp_path / "market", seed, now)
    warehouse = connect(f"duckdb:///{tmp_path / 'market'}")
    keys: set[str] = set()
    counts = []
    for _ in range(6):  # half an hour
        until = data_until(policy, catalog.assets, warehouse)
        looked = look(policy, warehouse, window_for(policy.window, now, None, until))
        fired = reconcile(policy, looked, catalog.teams["payments"], {}, {}, title).fired
        assert all("ordered for" in fire.title for fire in fired)
        keys |= {fire.key for fire in fired}
        counts.append(len(keys))
        now += timedelta(minutes=5)
        market.beat(now)
    warehouse.close()
    market.close()
    assert 1 <= counts[0] <= 3
    assert counts[-1] <= 6


def test_commands_on_the_pages_are_commands() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for name in re.findall(r"^(?:\S*/)?patrol (\w+)", block, re.MULTILINE):
                assert name in COMMANDS, f"{page.name}: patrol {name}"


@pytest.mark.slow
def test_the_project_s_first_alert_stands_in_the_sandbox(tmp_path: Path) -> None:
    list(follow(OWN, tmp_path))
    policy = tmp_path / "policies/billing/owes_much.yml"
    policy.write_text(policy.read_text().replace("every: 30s", "every: 1s"))
    with Sandbox(channels=["billing"], users=["ana", "bo"]) as slack:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PATROL_", "SLACK_"))}
        env |= {"PATROL_SLACK_URL": slack.api, "PYTHONPATH": str(ROOT)}
        env |= {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        bot = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve", "--port", "0"],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 60
            while not (found := slack.messages("billing")) and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            bot.send_signal(signal.SIGTERM)
            bot.wait(30)
    assert "Eli owes 1150.00" in str(found)


def test_the_picture_of_the_graph_is_what_is_drawn() -> None:
    """Else: `patrol graph -o docs/pictures/graph.svg`, and graph.png as tests/README.md says."""
    whole = graph(load(ROOT))
    drawn = svg(whole, laid_out(whole), size(whole))
    assert drawn == (ROOT / "docs/pictures/graph.svg").read_text()
