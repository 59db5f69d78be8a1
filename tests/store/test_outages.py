"""The store is taken away and given back: what it says, that nothing is half done, and that it heals."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from bot.process.errors import RecordUnknown, StoreAway, StoreUnfit
from bot.store import Store
from bot.store.outage import CALM_S, STILL_S, News, Outage
from tests.databases import own_database
from tests.store.breaking import Server, SmallDisk, locked_by_another, no_more_pages
from tests.store.making import NOON, acknowledged, opened

QUICK = timedelta(seconds=0.2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "patrol.db"


@pytest.fixture
def on_file(path: Path, empty_store: Path) -> Iterator[Store]:
    shutil.copy(empty_store, path)
    made = Store(f"sqlite:///{path}", patience=QUICK)
    yield made
    made.close()


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Store]:
    made = Store(postgres_url, patience=QUICK)
    yield made
    made.close()


# ------------------------------------------------------------------------------ what is said of it


class Steady:
    """Seconds that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_outage_is_said_when_it_begins_and_when_it_ends_and_every_ten_minutes_between() -> None:
    clock = Steady()
    outage = Outage(clock)
    assert outage.news() is None
    outage.failed("locked")
    outage.failed("locked again")
    assert outage.news() == News("locked", 0)
    for clock.now in (1, 2, STILL_S - 1):
        outage.failed("locked")
        assert outage.news() is None
    clock.now = STILL_S
    outage.failed("no room")
    assert outage.news() == News("no room", STILL_S)
    assert outage.news() is None
    clock.now += CALM_S
    outage.worked()
    assert (outage.why, outage.news()) == ("", News("", STILL_S + CALM_S))
    assert outage.news() is None


def test_one_success_between_failures_ends_no_outage() -> None:
    clock = Steady()
    outage = Outage(clock)
    for clock.now in range(20):
        outage.failed("no room")
        outage.worked()  # a small write finds room where a large one does not
    assert outage.news() == News("no room", 0)
    assert (outage.why, outage.news()) == ("no room", None)


def test_a_store_that_was_locked_is_known_to_be_away_until_a_write_goes(on_file: Store, path: Path) -> None:
    one = opened(on_file)
    clock = on_file.outage._clock = Steady()
    with locked_by_another(path):
        with pytest.raises(StoreAway):
            on_file.try_to_write()
        assert "locked by another writer" in on_file.outage.why
        clock.now += 60
        assert on_file.alerts.get(one.id) == one  # it can be read, and is away all the same
        assert on_file.outage.why
    on_file.try_to_write()
    assert on_file.outage.why == ""


# ------------------------------------------------------------------------------ SQLite


def test_on_a_full_disk_nothing_is_recorded_and_all_goes_on_when_there_is_room(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "disk")
    path = disk.folder / "patrol.db"
    store = Store(f"sqlite:///{path}", patience=QUICK)
    try:
        store.upgrade()
        one = opened(store)
        if disk.real:
            disk.fill()
            _nothing_goes(store)
            disk.free()
        else:
            with no_more_pages(path, store._database.engine):
                _nothing_goes(store)
        assert opened(store, "s_2").id > one.id
        assert [a.key_values["seller_id"] for a in store.alerts.open()] == ["s_2", "s_1"]
        with sqlite3.connect(path) as c:
            assert c.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        store.close()
        disk.close()


def _nothing_goes(store: Store) -> None:
    before = store.alerts.open()
    for n in range(3):
        with pytest.raises(StoreAway, match=r"room|disk"):
            opened(store, f"t_{n}", title="t" * 400_000)
    assert store.alerts.open() == before
    assert "Nothing was recorded" in store.outage.why


def test_a_file_that_takes_no_writes_is_said_to_be_so(on_file: Store) -> None:
    one = opened(on_file)

    @event.listens_for(on_file._database.engine, "checkout")
    def only_read(connection, *_: object) -> None:
        connection.execute("PRAGMA query_only = ON")  # as on a disk that is mounted read-only

    with pytest.raises(StoreAway, match="cannot be written: check who owns"):
        on_file.act([acknowledged(one)], NOON)
    assert on_file.alerts.get(one.id) == one


def test_a_file_that_was_deleted_is_missed_at_once_and_none_is_made_in_its_place(
    on_file: Store, path: Path
) -> None:
    one = opened(on_file)
    path.rename(path.with_name("kept.db"))
    for _ in range(2):
        with pytest.raises(StoreAway, match=r"is gone\. Nothing was recorded: put the file back"):
            on_file.act([acknowledged(one)], NOON)
    assert not path.exists()
    path.with_name("kept.db").rename(path)
    assert on_file.act([acknowledged(one)], NOON)[0].version == 2


def test_a_copy_that_was_put_back_is_what_is_written_to(on_file: Store, path: Path) -> None:
    one = opened(on_file)
    with sqlite3.connect(path) as c:
        c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    opened(on_file, "s_2")
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink()
    copy.rename(path)
    assert on_file.alerts.open() == [one]
    opened(on_file, "s_3")
    other = Store(f"sqlite:///{path}")
    assert [a.key_values["seller_id"] for a in other.alerts.open()] == ["s_3", "s_1"]
    other.close()


def test_a_damaged_file_is_said_to_be_one(on_file: Store, path: Path) -> None:
    one = opened(on_file)
    on_file.close()
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreUnfit, match=r"is damaged .*malformed.*recover"):
        on_file.alerts.get(one.id)


def test_a_store_of_a_newer_patrol_is_left_alone(url: str, store: Store) -> None:
    with store._database.write() as c:
        c.exec_driver_sql("UPDATE alembic_version SET version_num = '9876'")
    with pytest.raises(StoreUnfit, match="at version 9876, of a newer Patrol"):
        Store(url).upgrade()
    assert store.alerts.open() == []


def test_a_store_that_lacks_a_column_says_what_to_run(store: Store) -> None:
    with store._database.write() as c:
        c.exec_driver_sql("ALTER TABLE history RENAME COLUMN story TO tale")
    with pytest.raises(StoreAway, match="run `patrol db upgrade`"):
        opened(store)
    assert store.alerts.open() == []


# ------------------------------------------------------------------------------ Postgres


def test_a_postgres_that_was_stopped_is_used_again_as_soon_as_it_is_there(own_postgres: Server) -> None:
    with own_database(own_postgres.url) as url:
        store = Store(url)
        store.upgrade()
        one = opened(store)
        own_postgres.stop()
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(StoreAway, match="does not answer"):
                store.act([acknowledged(one)], NOON)
            assert time.monotonic() - began < 2
        own_postgres.start()
        assert store.act([acknowledged(one)], NOON)[0].version == 2
        store.close()


def test_after_a_failover_no_session_stays_with_the_server_that_takes_no_writes(
    on_postgres: Store, postgres_url: str
) -> None:
    one = opened(on_postgres)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(StoreAway, match="takes no writes just now"):
        on_postgres.act([acknowledged(one)], NOON)
    assert on_postgres.alerts.get(one.id) == one
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with pytest.raises(StoreAway):
        on_postgres.act([acknowledged(one)], NOON)  # the session that was opened to read
    assert on_postgres.act([acknowledged(one)], NOON)[0].version == 2


def test_without_a_free_connection_it_says_so_and_goes_on_when_there_is_one(
    on_postgres: Store, postgres_url: str
) -> None:
    one = opened(on_postgres)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute("CREATE ROLE guest LOGIN CONNECTION LIMIT 0")
        admin.execute(f"GRANT ALL ON DATABASE {name} TO guest")
    try:
        guest = Store(postgres_url.replace("//postgres", "//guest"), patience=QUICK)
        with pytest.raises(StoreAway, match="has no connection free"):
            guest.ping()
        guest.close()
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("DROP OWNED BY guest")
            admin.execute("DROP ROLE guest")
    assert on_postgres.act([acknowledged(one)], NOON)[0].version == 2


@pytest.mark.parametrize(("right", "wrong"), [("//postgres@", "//nobody@"), ("/patrol_", "/no_such_place_")])
def test_an_address_that_does_not_let_us_in_is_no_outage(postgres_url: str, right: str, wrong: str) -> None:
    with pytest.raises(StoreUnfit, match=r"does not let Patrol in .* set PATROL_STORE_URL right"):
        Store(postgres_url.replace(right, wrong)).upgrade()


def test_a_line_that_breaks_at_the_commit_is_not_called_not_recorded(
    on_postgres: Store, postgres_url: str
) -> None:
    one = opened(on_postgres)

    def cut(_connection: object) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as admin, suppress(psycopg.Error):
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    event.listen(on_postgres._database.engine, "commit", cut)
    with pytest.raises(RecordUnknown, match="whether it was recorded is not known") as unknown:
        on_postgres.act([acknowledged(one)], NOON)
    assert "Nothing was recorded" not in str(unknown.value)
    event.remove(on_postgres._database.engine, "commit", cut)
    assert on_postgres.act([acknowledged(one)], NOON)[0].version == 2
