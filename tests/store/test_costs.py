"""What runs took, summed by policy."""

from __future__ import annotations

from datetime import datetime, timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import bindparam, text

from bot.core.cost import Cost
from bot.store import RunSave, Store, schema
from bot.store.columns import Moment
from bot.store.database import Database
from sensors.model.run import RunStatus
from tests.store.making import MINUTE, NOON, POLICY, running

SOON = NOON + timedelta(seconds=10)
DAY = timedelta(days=1)
BEFORE = text(f"""
INSERT INTO runs (policy, cause, kind, due, status, incremental, attempt, content, ended_at, rows,
  violations, elapsed_s)
VALUES ('{POLICY}', 'tick:1', 'tick', :at, 'succeeded', true, 1, 'c', :at, 7, 0, 2.5)
""").bindparams(bindparam("at", NOON, type_=Moment()))


def save(store: Store, due: datetime, took: float, rows: int, held: int | None) -> None:
    run = running(store, due=due, now=due)
    done = RunSave(run, run.window, rows=rows, elapsed_s=took, bytes=held, incremental=True)
    store.save(done, due)


def test_they_are_summed_over_the_time_in_which_they_ended(store: Store) -> None:
    for n in range(4):
        save(store, NOON + n * MINUTE, 1.5, 10, 5_000_000_000)
    whole = store.costs.between(NOON, NOON + DAY)
    assert whole == {POLICY: Cost(POLICY, 6.0, 4, 40, 20_000_000_000)}
    some = store.costs.between(NOON + MINUTE, NOON + 3 * MINUTE, [POLICY, "payments.other"])
    assert some == {POLICY: Cost(POLICY, 3.0, 2, 20, 10_000_000_000)}
    assert store.costs.between(NOON, NOON + DAY, ["payments.other"]) == {}
    assert store.costs.between(NOON - DAY, NOON) == {}


def test_bytes_that_nobody_counted_are_not_known_rather_than_none(store: Store) -> None:
    save(store, NOON, 1.0, 3, None)
    (found,) = store.costs.between(NOON, NOON + DAY).values()
    assert (found.rows, found.bytes) == (3, None)


def test_a_failed_attempt_was_paid_for_too(store: Store) -> None:
    first = running(store)
    assert store.runs.fail(first, RunStatus.timed_out, "too slow", NOON, 300.0, retry_at=SOON)
    assert store.costs.between(NOON, SOON)[POLICY].seconds == 300
    again = running(store, now=SOON)
    assert store.costs.between(NOON, SOON) == {}  # it is at it: it ends, and counts, later
    store.save(RunSave(again, again.window, elapsed_s=20.0, incremental=True), SOON)
    (found,) = store.costs.between(NOON, SOON + MINUTE).values()
    assert (found.seconds, found.runs) == (320, 1)
    assert store.runs.recent(POLICY)[0].elapsed_s == 320


def test_what_never_asked_the_warehouse_costs_nothing(store: Store) -> None:
    store.runs.fail(running(store), RunStatus.skipped, "core.chat is late", NOON)
    assert store.costs.between(NOON, NOON + DAY) == {}


def test_a_run_of_before_keeps_what_it_had_and_has_no_bytes(bare_url: str) -> None:
    database = Database(bare_url)
    settings = Config()
    settings.set_main_option("script_location", str(schema.MIGRATIONS))
    with database.write() as c:
        settings.attributes["connection"] = c
        command.upgrade(settings, "0025")
        c.execute(BEFORE)
    database.close()
    store = Store(bare_url)
    assert "it was at 0025" in store.upgrade()
    assert store.costs.between(NOON, NOON + DAY) == {POLICY: Cost(POLICY, 2.5, 1, 7)}
    (run,) = store.runs.recent(POLICY)
    assert (run.status, run.ended_at, run.rows, run.bytes) == (RunStatus.succeeded, NOON, 7, None)
    store.close()
