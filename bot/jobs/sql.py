"""Jobs of kind sql: one statement with bound values in one transaction, on a database that is not Patrol's.

A foreign database has no table for our keys, so a job is made once by the record of its run alone: after an
unknown outcome it is reported as unknown and not repeated, unless its config says `idempotent: true` (perhaps
since the statement keeps `:idempotency_key` in a unique column).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from bot.core.job_run import JobState, Progress
from bot.jobs import Runner, config, fill, statement
from bot.jobs.answer import one_line
from bot.jobs.config.sql import Config
from bot.process.errors import JobRefused, JobUnknown
from sensors.model.clock import say_duration
from sensors.model.job import KEY, Job

# SQLSTATE classes of what passes: connection, deadlock, resources, locks, operator
AGAIN = ("08", "40", "53", "55", "57")
WAITS: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {"timeout": 5},
    "postgresql": {"connect_timeout": 10},
}

LOST = "The connection broke at the commit, so it may or may not be made. Look before you start it again."


class SqlRunner(Runner):
    """An engine for each address; a connection for each start, since starts are rare."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._engines: dict[str, sqlalchemy.Engine] = {}
        self._lock = threading.Lock()

    def repeatable(self, job: Job) -> bool:
        return job.config.get("idempotent") is True

    def start(self, job: Job, params: Mapping[str, Any], idempotency_key: str) -> Progress:
        wanted = config.of(job, Config)
        values = fill.values(job, params, idempotency_key)
        filler = fill.Filler(self._environ, values)
        try:
            engine = self._engine(filler.text(wanted.url))
            with _connected(engine) as connection:
                changed = _execute(connection, wanted.statement, values, job.timeout)
                return _commit(connection, changed, wanted.idempotent)
        except (JobRefused, JobUnknown) as error:
            raise type(error)(filler.mask(str(error), job.config)) from None

    def poll(self, job: Job, external_id: str) -> Progress:  # noqa: ARG002 - the protocol's
        raise JobRefused(f"{job.title} ends with its statement: there is nothing to ask for later.")

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        wanted = config.of(job, Config)
        values = fill.values(job, params, f"{{{KEY}}}")
        bound = [f":{name} = {values[name]!r}" for name in sorted(statement.binds(wanted.statement))]
        return "\n".join([wanted.statement.strip(), *bound])

    def _engine(self, address: str) -> sqlalchemy.Engine:
        with self._lock:
            if address not in self._engines:
                self._engines[address] = _open(address)
            return self._engines[address]


def _open(address: str) -> sqlalchemy.Engine:
    try:
        url = sqlalchemy.make_url(address)
        waits = WAITS.get(url.get_backend_name(), {})
        waits = {name: value for name, value in waits.items() if name not in url.query}
        return sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=waits, hide_parameters=True)
    except (ArgumentError, ValueError):
        raise JobRefused("The job's url is not the address of a database.") from None
    except (NoSuchModuleError, ImportError):
        raise JobRefused(f"Patrol has no driver for {address.partition(':')[0]} databases here.") from None


@contextmanager
def _connected(engine: sqlalchemy.Engine) -> Iterator[sqlalchemy.Connection]:
    """A connection that is given back. A SQLite file that is absent is not made by looking for it."""
    file = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
    if file and file != ":memory:" and not file.startswith("file:") and not Path(file).exists():
        raise JobUnknown(f"The database file {Path(file).name} does not exist (yet). Nothing was changed.")
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise JobUnknown(
            f"The database could not be reached: {_reason(error)}. Nothing was changed."
        ) from None
    with connection:
        yield connection


def _execute(
    connection: sqlalchemy.Connection, sql: str, values: Mapping[str, Any], limit: timedelta
) -> int | None:
    """Rows changed, None where the database does not say. Nothing is final yet, whatever happens here."""
    bound = {name: values[name] for name in statement.binds(sql)}
    try:
        with _stopped(connection, limit) as late:
            result = connection.execute(sqlalchemy.text(statement.sealed(sql)), bound)
            changed = None if result.returns_rows else result.rowcount
            result.close()
    except SQLAlchemyError as error:
        if late.is_set():
            raise JobRefused(_too_long(limit)) from None
        if _passing(error):
            raise JobUnknown(
                f"The database did not take it: {_reason(error)}. Nothing was changed."
            ) from None
        raise JobRefused(f"The database refused: {_reason(error)}. Nothing was changed.") from None
    if late.is_set():
        connection.rollback()
        raise JobRefused(_too_long(limit))
    return changed if changed is None or changed >= 0 else None


def _commit(connection: sqlalchemy.Connection, changed: int | None, idempotent: bool) -> Progress:
    try:
        connection.commit()
    except SQLAlchemyError as error:
        if _undone(error):
            kind = JobUnknown if _passing(error) else JobRefused
            raise kind(f"The database did not take it: {_reason(error)}. Nothing was changed.") from None
        if idempotent:
            raise JobUnknown("The connection broke at the commit; it can safely be done again.") from None
        return Progress(JobState.failed, outcome=LOST)
    if changed is None:
        return Progress(JobState.succeeded, outcome="done")
    said = {0: "no row changed", 1: "1 row changed"}.get(changed, f"{changed} rows changed")
    return Progress(JobState.succeeded, outcome=said)


@contextmanager
def _stopped(connection: sqlalchemy.Connection, limit: timedelta) -> Iterator[threading.Event]:
    """Stops the statement when its time is up, by the driver's own means; the event says that it was."""
    raw: Any = connection.connection.dbapi_connection
    stop = getattr(raw, "interrupt", None) or getattr(raw, "cancel", None)
    late = threading.Event()

    def fire() -> None:
        late.set()
        if stop:
            stop()

    timer = threading.Timer(limit.total_seconds(), fire)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _passing(error: SQLAlchemyError) -> bool:
    """Whether the same may succeed a little later: locks, deadlocks, a lost connection, too many clients."""
    if not isinstance(error, DBAPIError):
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or state[:2] in AGAIN or "locked" in str(error.orig)


def _undone(error: SQLAlchemyError) -> bool:
    """At a commit: a lock or a constraint is a no; a lost connection says nothing."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return "locked" in str(error.orig) or state[:2] in ("23", "40", "53", "55")


def _too_long(limit: timedelta) -> str:
    return f"It took longer than {say_duration(limit)} and was stopped. Nothing was changed."


def _reason(error: SQLAlchemyError) -> str:
    """The database's own first line, without the statement and its values."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    return one_line(str(orig).strip().partition("\n")[0], 200).rstrip(".")
