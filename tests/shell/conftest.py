"""Small worlds on SQLite, and on Postgres where a test says BOTH; those with a Slack say `slack`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import Sandbox
from bot.store import Store
from tests.shell.making import FILES, Clock, Node, Table, World
from tests.store.conftest import own_database, postgres_server

__all__ = ["postgres_server"]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store with its tables, to be copied: migrations are slow."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    store = Store(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, empty_store: Path) -> Iterator[str]:
    """A store with its tables: SQLite, unless the test asks for `postgres`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copy(empty_store, tmp_path / "patrol.db")
        yield f"sqlite:///{tmp_path / 'patrol.db'}"
        return
    with own_database(request.getfixturevalue("postgres_server")) as its_url:
        store = Store(its_url)
        store.upgrade()
        store.close()
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
