"""One database, SQLite or Postgres: short transactions, and `StoreAway` in plain words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    Insert,
    RootTransaction,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.schema import Table

from bot.process.errors import RecordUnknown, SettingsError, StoreAway
from bot.store.columns import write_json
from bot.store.outage import Outage
from bot.store.sentences import in_plain_words

AT_ONCE = 1000  # values in one IN
PATIENCE = timedelta(seconds=2)  # a person waits for the click's answer meanwhile
CONNECTIONS = 20
STATEMENTS = 32  # that each connection to SQLite keeps prepared: Python's 128 take more than a MiB
PRAGMAS = (
    *("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"),
    "cache_size=-256",  # KiB of each connection: the system keeps the file's pages in memory anyway
)
Statement = TypeVar("Statement", bound=Executable)
V = TypeVar("V")


class Database:
    """Opens transactions. None may stay open over anything slow: no network, no query of the warehouse."""

    def __init__(self, url: str, patience: timedelta = PATIENCE) -> None:
        self.url = address(url)
        self.patience = patience
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine: Engine = _sqlite(self.url, patience) if self.sqlite else _postgres(self.url, patience)
        self._reader = (
            self.engine if self.sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        self._statements: dict[str, Any] = {}
        self.outage = Outage()
        self._file: tuple[int, int] | None = None  # of SQLite: which file it is, whatever its name
        self._writing = Lock()  # SQLite has one writer: threads queue here, not in its sleeping busy handler

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that writes. An exception inside undoes all of it."""
        with (
            self._plainly(),
            self._turn(),
            self.engine.connect() as connection,
            connection.begin() as transaction,
        ):
            if self.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            self._commit(transaction)
        self.outage.worked()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Reads: each statement sees all that is committed, and nothing waits for a writer."""
        with self._plainly(), self._reader.connect() as connection:
            yield connection

    def _commit(self, transaction: RootTransaction) -> None:
        """A line that breaks just then leaves us not knowing: it must not be called "not recorded"."""
        if not transaction.is_active:
            return
        try:
            transaction.commit()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            where = self.url.render_as_string(hide_password=True)
            raise RecordUnknown(
                f"The store at {where} went away in the middle: whether it was recorded is not known."
            ) from error

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT; both dialects spell it alike."""
        return sqlite.insert(table) if self.sqlite else postgresql.insert(table)

    def insert_or_leave(self, table: Table) -> Insert:
        """An INSERT that leaves what is there already, and gives the id where it inserted."""

        def build() -> Insert:
            new = self.insert(table).on_conflict_do_nothing()
            return new.returning(table.c.id) if "id" in table.c else new

        return self.statement(table.name, build)

    def statement(self, name: str, build: Callable[[], Statement]) -> Statement:
        """A statement by its name, built once: half the price of a statement is its building."""
        if name not in self._statements:
            self._statements[name] = build()
        return self._statements[name]  # type: ignore[no-any-return]  # what was built under this name

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self.sqlite:
            yield
            return
        if not self._writing.acquire(timeout=self.patience.total_seconds()):
            raise StoreAway(
                "The store is busy: another write has not ended. Nothing was recorded; try again."
            )
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            self._same_file()
            with self._in_words():
                yield
        except StoreAway as away:
            self.outage.failed(str(away))
            raise

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise StoreAway(
                "The store is busy: all its connections are in use. Try again shortly."
            ) from error
        except DatabaseError as error:
            away = in_plain_words(error, self.url)
            if away is None:
                raise
            raise away from error

    def _same_file(self) -> None:
        """What is written into a file that was deleted is gone with this process, and SQLite says nothing of
        it. One that was put in its place is opened; a new and empty one is never made while we run."""
        if not self.sqlite:
            return
        try:
            found = os.stat(self.url.database or "")
        except OSError:
            if self._file:
                raise StoreAway(
                    f"The store's file {self.url.database} is gone. Nothing was recorded: put the file back,"
                    " or start Patrol anew to begin with an empty one."
                ) from None
            return
        is_now = (found.st_dev, found.st_ino)
        if self._file and self._file != is_now:
            self.engine.dispose()
        self._file = is_now


def address(url: str) -> URL:
    """The URL as SQLAlchemy needs it; every driver of Postgres becomes psycopg. Raises SettingsError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            f"The store's URL is not one: {url!r}. Write sqlite:///patrol.db or postgresql://…"
        ) from error
    kind = parsed.get_backend_name()
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise SettingsError(f"The store is SQLite or Postgres, not {kind}.")
    if parsed.database in (None, "", ":memory:"):
        raise SettingsError(
            "The store needs a file, since one in memory forgets all: write sqlite:///patrol.db"
        )
    return parsed


def _sqlite(url: URL, patience: timedelta) -> Engine:
    with suppress(OSError):  # opening it says what is wrong
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={
            "isolation_level": None,
            "timeout": patience.total_seconds(),
            "check_same_thread": False,
            "cached_statements": STATEMENTS,
        },
        pool_size=CONNECTIONS,
        pool_use_lifo=True,  # those that are not needed stay as small as they are
        max_overflow=0,
        pool_timeout=patience.total_seconds(),
        json_serializer=write_json,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # synchronous=NORMAL in WAL: what is committed survives a kill of the process, since the file has it.
        # It may not survive a loss of power: then the whole store stands at an earlier commit, and is sound.
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _postgres(url: URL, patience: timedelta) -> Engine:
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=patience.total_seconds(),
        pool_pre_ping=True,
        json_serializer=write_json,
    )
    milliseconds = round(patience.total_seconds() * 1000)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET timezone = 'UTC'; SET lock_timeout = {milliseconds}; SET statement_timeout = '30s';"
                "SET idle_in_transaction_session_timeout = '30s'"
            )
        connection.commit()

    @event.listens_for(engine, "handle_error")
    def leave(context: ExceptionContext) -> None:
        # After a failover its sessions would stay with the server that takes no writes any more.
        if "read-only transaction" in str(context.original_exception):
            context.is_disconnect = True

    return engine


def in_parts(values: Iterable[V]) -> Iterator[Sequence[V]]:
    """So many at a time that every database takes them as one list."""
    rest = iter(values)
    while part := list(islice(rest, AT_ONCE)):
        yield part
