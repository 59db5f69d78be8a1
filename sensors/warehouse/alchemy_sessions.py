"""A bounded pool of connections, and queries under way on them: bounded in time, stopped, called by name."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from sensors.warehouse import QueryTimeout, WarehouseError
from sensors.warehouse.alchemy_errors import plainly
from sensors.warehouse.alchemy_ways import TAG_CHARACTERS, Way
from sensors.warehouse.watchdog import Watchdog

GRACE_S = 2.0  # a server that knows the timeout stops the query itself; after that it is stopped from here
AGAIN_S = 0.5  # one that came before the query began is lost
Stop = Callable[[Engine, Any, int], object]  # engine, the driver's connection, how often it has been called


@dataclass(eq=False)
class Running:
    """A query under way. `stop` is given how often it has been called by now."""

    stop: Callable[[int], object]
    asked: int = 0
    last: float = 0.0
    ending: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def halt(self) -> None:
        """May be called as often as one likes."""
        with self.lock, suppress(Exception):  # a driver's own; the next call tries again
            if time.monotonic() - self.last >= AGAIN_S:
                self.last, self.asked = time.monotonic(), self.asked + 1
                self.stop(self.asked)


class Sessions:
    """Of one warehouse. Each query has a connection, and a transaction that is undone at the end."""

    def __init__(self, engine: Engine, way: Way, stop: Stop) -> None:
        self.engine = engine
        self._way, self._stop = way, stop
        self._watchdog = Watchdog()
        self._running: set[Running] = set()
        self._closed = False

    @contextmanager
    def connected(self, sql: str = "") -> Iterator[Connection]:
        """What fails within it is a WarehouseError, with its place in `sql`."""
        if self._closed:
            raise WarehouseError("Patrol is ending", transient=True)
        try:
            with self.engine.connect() as connection:
                yield connection
                connection.rollback()
        except SQLAlchemyError as error:
            raise plainly(error, sql) from None

    @contextmanager
    def asking(self, sql: str, timeout: timedelta, tag: str, schema: str = "") -> Iterator[Connection]:
        """Within it the query is stopped after `timeout` (QueryTimeout), and when all is closed.

        `schema`: where Postgres looks for bare names first.
        """
        with self.connected(sql) as connection:
            driver = connection.connection.driver_connection
            began = time.monotonic()
            running = Running(lambda asked: self._stop(self.engine, driver, asked))
            self._running.add(running)
            seconds = timeout.total_seconds() + (GRACE_S if self._way.bounds_time else 0.0)
            try:
                with self._watchdog.watch(seconds, running.halt) as guard:
                    self._before(connection, timeout, tag, schema)
                    yield connection
            except SQLAlchemyError:
                self._say_if_stopped(running, guard.fired, time.monotonic() - began, timeout)
                raise
            finally:
                self._running.discard(running)
                if running.asked:
                    connection.invalidate()  # one that was hung up on is of no use to anybody

    def close(self) -> None:
        """What still runs is stopped, here and on the server."""
        self._closed = True
        for running in list(self._running):
            running.ending = True
            running.halt()
        self._watchdog.close()
        self.engine.dispose()

    def _before(self, connection: Connection, timeout: timedelta, tag: str, schema: str) -> None:
        seconds = max(timeout.total_seconds(), 0.001)
        name = cleaned(f"patrol {tag}".strip())[:TAG_CHARACTERS]
        for statement in self._way.before:
            said = statement.format(ms=round(seconds * 1000), s=f"{seconds:.3f}", tag=name)
            connection.execute(text(said.replace(":", r"\:")), execution_options={"stream_results": False})
        if schema:  # a plain name, see Session; `public` holds extensions
            path = f"SELECT set_config('search_path', '\"{schema}\", public', true)"
            connection.execute(text(path), execution_options={"stream_results": False})

    def _say_if_stopped(self, running: Running, fired: bool, took_s: float, timeout: timedelta) -> None:
        """What fails after its time was stopped, by whom and in whatever words that is told."""
        if running.ending:
            said = "the query was stopped, since Patrol is ending"
            raise WarehouseError(said, transient=True) from None
        if fired or (self._way.bounds_time and took_s >= timeout.total_seconds()):
            seconds = f"{timeout.total_seconds():g} s"
            raise QueryTimeout(f"the query took longer than {seconds} and was stopped") from None


def cleaned(tag: str) -> str:
    """What may stand in a comment or a name of a session, whatever a policy is called."""
    return re.sub(r"[^\w.: -]", "", tag)
