"""Small worlds on SQLite, and on Postgres where a test says BOTH; those with a Slack say `slack`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import __main__ as command_line
from bot.sandbox import Sandbox
from tests.databases import own_store
from tests.shell.making import FILES, Clock, Node, Table, World
from tests.shell.typing_in import Patrol, Ran


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store with its tables: SQLite, unless the test asks for `postgres`."""
    with own_store(request, getattr(request, "param", "sqlite"), tmp_path) as its_url:
        yield its_url


@pytest.fixture
def world(tmp_path: Path, url: str) -> Iterator[World]:
    made = World(tmp_path, url, Clock(), Table(tmp_path / "market"))
    for name, text in FILES.items():
        made.write(name, text)
    yield made
    made.close()


@pytest.fixture
def node(world: World) -> Node:
    return world.node()


@pytest.fixture
def slack() -> Iterator[Sandbox]:
    """A Slack without rate limits; faults are made by the test."""
    with Sandbox(
        channels=["payments", "payments-review", "other"], users=["ana", "bo", "cy"], pace=False
    ) as s:
        yield s


@pytest.fixture
def town(world: World, slack: Sandbox) -> World:
    """The world with a Slack: its nodes can deliver."""
    world.sandbox = slack
    return world


@pytest.fixture
def patrol(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Patrol:
    """Runs `patrol …` in the small world's project; PATROL_ settings by name."""
    for name in [n for n in os.environ if n.startswith(("PATROL_", "SLACK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(world.project)

    def run(*words: str, **settings: str) -> Ran:
        given = {"PATROL_WAREHOUSE_URL": world.table.url, "PATROL_STORE_URL": world.url, **settings}
        with monkeypatch.context() as patch:
            for name, value in given.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["patrol", *words])
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        code = ended.value.code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code if isinstance(code, int) else 0, out, err)

    return run
