"""Sql jobs on SQLite and Postgres: wholly or not at all, and honest about what is not known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.core.job_run import JobState
from bot.jobs import statement
from bot.jobs.sql import SqlRunner
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.job import Job, Param
from tests.databases import own_database

HOLD = "INSERT INTO payout_holds (seller_id, n) VALUES (:seller_id, 1)"


def job(sql: str = HOLD, *, timeout: timedelta = timedelta(seconds=20), **config: Any) -> Job:
    names = sorted(statement.binds(sql) - {"idempotency_key"})
    params = tuple(Param(name, pattern=r"(?s).{1,200}", required=False) for name in names)
    whole = {"url": "${PATROL_OPS_URL}", "statement": sql, **config}
    return Job("hold_payouts", "sql", "Hold payouts", "payments", whole, params, timeout=timeout)


def run(url: str, wanted: Job, **params: Any) -> Any:
    return SqlRunner({"PATROL_OPS_URL": url}).start(wanted, params, "k1")


@pytest.fixture
def lite(ops: Path) -> str:
    return f"sqlite:///{ops}?timeout=0.2"


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The address of a database of the test's own; the table stands in a schema of its own."""
    with own_database(postgres_server) as url, psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA ops")
        admin.execute("CREATE TABLE ops.payout_holds (key text UNIQUE, seller_id text NOT NULL, n integer)")
        yield url


def held(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT seller_id FROM ops.payout_holds ORDER BY 1").fetchall()


def test_how_many_rows_changed_is_the_outcome(lite: str) -> None:
    assert run(lite, job(), seller_id="s_1").outcome == "1 row changed"
    assert run(lite, job(), seller_id="s_1").outcome == "1 row changed"
    release = job("DELETE FROM payout_holds WHERE seller_id = :seller_id")
    assert run(lite, release, seller_id="s_1").outcome == "2 rows changed"
    nothing = run(lite, release, seller_id="s_1")
    assert (nothing.state, nothing.outcome) == (JobState.succeeded, "no row changed")


def test_only_one_that_says_so_is_repeated() -> None:
    runner = SqlRunner({})
    assert not runner.repeatable(job())
    assert runner.repeatable(job(idempotent=True))


def test_quotes_and_casts_are_not_taken_for_binds(lite: str, ops: Path) -> None:
    values = "('at 12:30 :not', :seller_id) -- or :this\n /* :that */"
    sql = f"INSERT INTO payout_holds (key, seller_id) VALUES {values}"
    assert run(lite, job(sql), seller_id="s_1").state is JobState.succeeded
    with sqlite3.connect(ops) as connection:
        rows = connection.execute("SELECT key, seller_id FROM payout_holds").fetchall()
    assert rows == [("at 12:30 :not", "s_1")]


def test_a_missing_optional_parameter_is_null(lite: str, ops: Path) -> None:
    run(lite, job("INSERT INTO payout_holds (key, seller_id) VALUES (:key, :seller_id)"), seller_id="s_1")
    with sqlite3.connect(ops) as connection:
        assert connection.execute("SELECT key FROM payout_holds").fetchall() == [(None,)]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("INSERT INTO nothing_there VALUES (:seller_id)", "no such table: nothing_there"),
        (
            "INSERT INTO payout_holds (seller_id) SELECT NULL WHERE :seller_id = 's_1'",
            "NOT NULL constraint failed",
        ),
        ("INSRT :seller_id", "syntax error"),
    ],
)
def test_a_refusal_gives_the_databases_reason_and_no_values(lite: str, sql: str, why: str) -> None:
    with pytest.raises(
        JobRefused, match=rf"The database refused: .*{why}.*\. Nothing was changed\."
    ) as caught:
        run(lite, job(sql), seller_id="s_1")
    assert "INSERT" not in str(caught.value)


def test_a_locked_database_is_tried_again(lite: str, ops: Path) -> None:
    other = sqlite3.connect(ops, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JobUnknown, match=r"locked\. Nothing was changed"):
        run(lite, job(), seller_id="s_1")
    other.execute("ROLLBACK")
    other.close()
    assert run(lite, job(), seller_id="s_1").outcome == "1 row changed"


def test_a_file_that_is_absent_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(JobUnknown, match=r"gone\.db does not exist"):
        run(f"sqlite:///{tmp_path}/gone.db", job(), seller_id="s_1")
    assert not (tmp_path / "gone.db").exists()


@pytest.mark.parametrize(
    "url", ["carrier+pigeon://x", "oracle://u:hush@h/d", "://", "postgresql://u:hush@h:port/d"]
)
def test_an_address_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises((JobRefused, JobUnknown)) as caught:
        run(url, job(), seller_id="s_1")
    assert "hush" not in str(caught.value)


def test_it_is_done_on_postgres_too(postgres: str) -> None:
    hold = job("INSERT INTO ops.payout_holds (seller_id, n) VALUES (:seller_id::text, length('100% :x'))")
    assert run(postgres, hold, seller_id="s_1'; --").outcome == "1 row changed"
    assert held(postgres) == [("s_1'; --",)]


def test_numbers_arrive_as_numbers(postgres: str) -> None:
    sql = "INSERT INTO ops.payout_holds (seller_id, n) VALUES (:seller_id, :n)"
    wanted = replace(job(sql), params=(Param("seller_id"), Param("n", "integer", r"\d+")))
    assert run(postgres, wanted, seller_id="s_1", n="7").state is JobState.succeeded


def test_postgres_stops_when_the_time_is_up(postgres: str) -> None:
    slow = job(
        "INSERT INTO ops.payout_holds (seller_id) SELECT :seller_id FROM pg_sleep(20)",
        timeout=timedelta(seconds=1),
    )
    with pytest.raises(JobRefused, match=r"longer than 1 s and was stopped\. Nothing was changed"):
        run(postgres, slow, seller_id="s_1")
    assert held(postgres) == []


def at_commit(url: str, body: str) -> None:
    """Has the database do something when the change is made final."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            f"CREATE FUNCTION ops.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )
        admin.execute(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ops.payout_holds"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ops.late()"
        )


ON_POSTGRES = "INSERT INTO ops.payout_holds (seller_id) VALUES (:seller_id)"
BREAK = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL;"


def test_a_connection_lost_at_the_commit_is_reported_as_not_known(postgres: str) -> None:
    at_commit(postgres, BREAK)
    lost = run(postgres, job(ON_POSTGRES), seller_id="s_1")
    assert lost.state is JobState.failed
    assert lost.outcome.startswith("The connection broke at the commit, so it may or may not be made.")


def test_one_that_may_be_repeated_is_then_repeated(postgres: str) -> None:
    at_commit(postgres, BREAK)
    with pytest.raises(JobUnknown, match="can safely be done again"):
        run(postgres, job(ON_POSTGRES, idempotent=True), seller_id="s_1")


def test_a_constraint_at_the_commit_is_a_plain_no(postgres: str) -> None:
    at_commit(postgres, "RAISE unique_violation USING MESSAGE = 'held already';")
    with pytest.raises(JobRefused, match=r"held already\. Nothing was changed"):
        run(postgres, job(ON_POSTGRES), seller_id="s_1")
    assert held(postgres) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT :a, ':b', \":c\", x::d, :e::f -- :g", {"a", "e"}),
        ("SELECT $$ :a $$, $t$ ; :b $t$, arr[1:n]", set()),
        ("SELECT 'it''s :a', :b", {"b"}),
    ],
)
def test_binds_are_found_where_they_are(sql: str, found: set[str]) -> None:
    assert statement.binds(sql) == found


@pytest.mark.parametrize(
    ("sql", "several"),
    [
        ("DELETE FROM x;", False),
        ("DELETE FROM x; -- done", False),
        ("SELECT ';'", False),
        ("SELECT 1; SELECT 2", True),
    ],
)
def test_a_second_statement_is_seen(sql: str, several: bool) -> None:
    assert statement.several(sql) is several
