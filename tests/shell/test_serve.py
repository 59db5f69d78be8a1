"""Servers as processes: what they say when they cannot start, and how they end."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from tests.shell.making import World
from tests.shell.typing_in import Patrol, clean
from tests.store.breaking import locked_by_another

ROOT = Path(__file__).parents[2]


def test_serve_names_everything_that_is_missing(patrol: Patrol) -> None:
    ran = patrol("serve")
    assert ran.code == 2
    assert "SLACK_BOT_TOKEN is not set" in ran.err
    assert "SLACK_APP_TOKEN is not set" in ran.err


def serving(world: World, slack: Sandbox, *words: str, **settings: str) -> subprocess.Popen[str]:
    given = {
        "PATROL_SLACK_URL": slack.api,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "PATROL_WAREHOUSE_URL": world.table.url,
        "PATROL_STORE_URL": world.url,
        "PATROL_LOG": "json",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--project", str(world.project), *words],
        cwd=ROOT,
        env={**clean(), **given, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_serve_on_a_port_that_is_taken_or_with_a_token_that_is_refused(world: World, slack: Sandbox) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ours = serving(world, slack, "--port", str(port))
        refused = serving(world, slack, "--port", "0", SLACK_BOT_TOKEN="xoxb-wrong")
        said, _ = ours.communicate(timeout=60)
        assert (ours.returncode, f"Port {port} on 127.0.0.1 is taken" in said) == (2, True), said
        said, _ = refused.communicate(timeout=60)
        assert (refused.returncode, "Slack refuses SLACK_BOT_TOKEN: invalid_auth" in said) == (2, True), said
        assert "Traceback" not in said


def test_serve_waits_for_a_store_and_ends_for_one_that_cannot_be_used(
    world: World, slack: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "words.db").write_text("no database " * 100)
    wrong = serving(world, slack, "--port", "0", PATROL_STORE_URL=f"sqlite:///{tmp_path / 'words.db'}")
    with locked_by_another(world.folder / "patrol.db"):
        waits = serving(world, slack, "--port", "0")
        assert waits.stdout
        for line in waits.stdout:
            if "the store is waited for" in line:
                assert "is locked by another writer" in line
                break
        waits.send_signal(signal.SIGTERM)
        said, _ = waits.communicate(timeout=30)
        assert waits.returncode == 0, said
        assert "Traceback" not in said
    said, _ = wrong.communicate(timeout=60)
    assert (wrong.returncode, "is no SQLite file: name another one" in said) == (2, True), said


def test_serve_ends_cleanly_when_asked(world: World, slack: Sandbox) -> None:
    process = serving(world, slack, "--port", "0")
    assert process.stdout
    for line in process.stdout:
        if "on patrol" in line:
            break
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "off patrol" in said
    assert "Traceback" not in said


def test_sandbox_says_its_address_first_and_a_taken_port_plainly(patrol: Patrol) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = patrol("sandbox", "--port", port)
        assert (ran.code, f"port {port} is taken" in ran.err) == (2, True)
        assert f"port {port} is taken" in patrol("demo", "--port", port).err
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", "--port", "0"],
        cwd=ROOT,
        env=clean(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_the_installed_command_is_the_same(tmp_path: Path) -> None:
    installed = shutil.which("patrol", path=str(Path(sys.executable).parent))
    if installed is None:
        pytest.skip("not installed here: `make setup` does that")
    ran = subprocess.run([installed, "--version"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0
    assert ran.stdout.startswith("patrol, version")
