"""When something breaks: nothing half written, nothing committed lost, and plain words."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from bot.core.alert import Lane
from bot.core.change import Effect, EffectKind
from bot.core.reconcile import Seen
from bot.core.reply import Evidence
from bot.process.errors import Conflict, StoreAway
from bot.store import RunSave, Store
from tests.store.making import MINUTE, NOON, POLICY, acknowledged, alert, change, opened, running, tick

ROOT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=0.3)


class Broken(Exception):
    """What a test raises in the middle of a transaction."""


def whole_save(store: Store) -> RunSave:
    """A save that writes to every table it can."""
    run = running(store)
    found = alert()
    return RunSave(
        run,
        run.window,
        (change(found, "opened", Effect(EffectKind.reply, "hello")),),
        {found.key: Evidence(("id",), ({"id": 1},), 1)},
        (Seen(POLICY, found.key, "r1", NOON),),
        incremental=True,
    )


def everything(store: Store) -> tuple[object, ...]:
    held = store.alerts.held(POLICY, Lane.live, resolved_since=NOON)
    memory = store.alerts.memory(POLICY, [alert().key], None)
    return held, memory, store.runs.watermark(POLICY), store.runs.recent(POLICY)[0].status


def test_a_save_that_breaks_after_any_of_its_statements_leaves_nothing(store: Store) -> None:
    save = whole_save(store)
    before = everything(store)
    engine = store._database.engine
    statements = 0
    while True:
        left = statements

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Broken

        event.listen(engine, "after_cursor_execute", count)
        try:
            store.save(save, NOON)
            break
        except Broken:
            statements += 1
        finally:
            event.remove(engine, "after_cursor_execute", count)
        assert everything(store) == before, f"after statement {statements}"
    assert statements >= 7
    assert store.runs.watermark(POLICY) == NOON


def test_what_was_committed_survives_a_kill(url: str, store: Store) -> None:
    killed = """
import os, sys
from tests.store.making import NOON, opened
from bot.store import Store
store = Store(sys.argv[1])
for n in range(20):
    print(opened(store, f"s_{n}").id, flush=True)
with store._database.write() as c:
    c.exec_driver_sql("DELETE FROM history")
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", killed, url], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -9, done.stderr
    told = [int(line) for line in done.stdout.split()]
    assert len(told) == 20
    assert [a.id for a in store.alerts.many(told)] == told
    assert all(len(store.alerts.history(n)) == 1 for n in told)


def test_a_hundred_clicks_at_once_are_one_change_and_99_conflicts(store: Store) -> None:
    one = opened(store)

    def click(n: int) -> str:
        try:
            store.act([acknowledged(one, f"U_{n}")], NOON)
        except Conflict:
            return "conflict"
        return "done"

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(click, range(100)))
    assert (answers.count("done"), answers.count("conflict")) == (1, 99)
    assert len(store.alerts.history(one.id)) == 2


def test_all_changes_of_an_act_are_kept_or_none(store: Store) -> None:
    one, two = opened(store, "s_1"), opened(store, "s_2")
    stale = replace(two, version=5)
    with pytest.raises(Conflict):
        store.act([acknowledged(one), acknowledged(stale)], NOON)
    assert store.alerts.many([one.id, two.id]) == [one, two]


def test_a_locked_sqlite_is_away_within_its_patience_and_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "patrol.db"
    store = Store(f"sqlite:///{path}", patience=PATIENCE)
    store.upgrade()
    one = opened(store)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(StoreAway, match="locked by another writer"):
        store.act([acknowledged(one)], NOON)
    assert time.monotonic() - began < 5
    assert store.alerts.get(one.id) == one
    other.execute("ROLLBACK")
    assert store.act([acknowledged(one)], NOON)[0].version == 2
    other.close()
    store.close()


def test_a_thread_that_waits_too_long_for_its_turn_is_told(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'patrol.db'}", patience=PATIENCE)
    store.upgrade()
    with (
        ThreadPoolExecutor(1) as pool,
        store._database.write(),
        pytest.raises(StoreAway, match="another write has not ended"),
    ):
        pool.submit(store.runs.skip, POLICY, tick(), NOON, "", NOON).result()
    store.close()


def test_a_row_locked_on_postgres_is_away_within_its_patience(postgres_url: str) -> None:
    store = Store(postgres_url, patience=PATIENCE)
    one = opened(store)
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT * FROM alerts FOR UPDATE")
        with pytest.raises(StoreAway, match="locked by another writer"):
            store.act([acknowledged(one)], NOON)
        assert store.alerts.get(one.id) == one
    assert store.act([acknowledged(one)], NOON)[0].version == 2
    store.close()


def test_connections_that_postgres_dropped_are_made_anew(postgres_url: str) -> None:
    store = Store(postgres_url)
    one = opened(store)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert store.alerts.get(one.id) == one
    assert store.act([acknowledged(one)], NOON)[0].version == 2
    store.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://ana:secret@127.0.0.1:1/patrol", "does not answer"),
        ("sqlite:////proc/nowhere/patrol.db", "cannot be opened"),
    ],
)
def test_a_store_that_is_not_there_is_away_and_its_password_is_not_told(url: str, says: str) -> None:
    with pytest.raises(StoreAway, match=says) as away:
        Store(url).ping()
    assert "secret" not in str(away.value)


def test_a_disk_that_is_full_is_told_in_words(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'patrol.db'}")
    store.upgrade()
    with store._database.engine.connect() as c:
        pages = c.exec_driver_sql("PRAGMA page_count").scalar_one()

    @event.listens_for(store._database.engine, "checkout")
    def small(connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreAway, match="free some room"):
        opened(store, "s" * 100_000)
    store.close()


def test_a_reader_sees_what_is_committed_while_a_writer_is_at_it(store: Store) -> None:
    one = opened(store)
    with store._database.write() as c:
        c.exec_driver_sql("DELETE FROM history")
        c.exec_driver_sql("DELETE FROM alerts")
        assert store.alerts.get(one.id) == one
        c.rollback()
    assert store.alerts.get(one.id) == one


def test_ping_is_quiet_where_the_store_answers(store: Store) -> None:
    store.ping()


def test_a_lease_is_extended_while_others_write(store: Store) -> None:
    run = running(store)
    with ThreadPoolExecutor(4) as pool:
        extended = list(pool.map(lambda n: store.runs.extend(run, NOON + MINUTE * n, MINUTE), range(20)))
    assert all(extended)
