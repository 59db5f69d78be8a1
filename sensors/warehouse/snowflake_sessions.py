"""Sessions with Snowflake: opened when needed, lent to one query at a time, at most so many at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sensors.warehouse import WarehouseError

Connection = Any  # of the connector, which is imported only when the first one is opened
IDLE_S = 3 * 3600  # Snowflake forgets a session after four hours
REFUSED_S = 60.0  # after a login that was refused for good: a few of them lock the user out


class Sessions:
    """`opening` gives a new connection, or raises WarehouseError."""

    def __init__(self, opening: Callable[[], Connection], most: int) -> None:
        self._opening = opening
        self._most = most
        self._idle: list[tuple[float, Connection]] = []  # the last used is taken first
        self._lent = 0
        self._changed = threading.Condition()
        self._closed = False
        self._one_login = threading.Lock()
        self._refused: tuple[float, WarehouseError] | None = None

    @contextmanager
    def borrow(self, patience_s: float) -> Iterator[Session]:
        """A session for one query. Raises WarehouseError where none comes free in time."""
        self._take(patience_s)
        session = Session(self._open, self._from_idle())
        try:
            yield session
        finally:
            with self._changed:
                self._lent -= 1
                if session.open and not self._closed:
                    self._idle.append((time.monotonic(), session.connection))
                elif session.open:
                    _end(session.connection)
                self._changed.notify()

    def close(self, patience_s: float = 5.0) -> None:
        """Ends all sessions; those that are lent when they come back, for which it waits a little."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._lent, patience_s)
            idle, self._idle = self._idle, []
        for _, connection in idle:
            _end(connection)

    def _take(self, patience_s: float) -> None:
        with self._changed:
            free = self._changed.wait_for(lambda: self._closed or self._lent < self._most, patience_s)
            if self._closed:
                raise WarehouseError("the connection to Snowflake is closed", transient=True)
            if not free:
                said = f"all {self._most} sessions with Snowflake are busy: allow more with ?sessions="
                raise WarehouseError(said, transient=True)
            self._lent += 1

    def _open(self) -> Connection:
        """A new connection. One login at a time, and none for a while after one that was refused for good."""
        with self._one_login:
            if self._refused and time.monotonic() < self._refused[0]:
                raise WarehouseError(self._refused[1].message)
            try:
                connection = self._opening()
            except WarehouseError as error:
                self._refused = None if error.transient else (time.monotonic() + REFUSED_S, error)
                raise
            self._refused = None
            return connection

    def _from_idle(self) -> Connection | None:
        with self._changed:
            while self._idle:
                since, connection = self._idle.pop()
                if time.monotonic() - since < IDLE_S:
                    return connection
                _end(connection)
        return None


class Session:
    """A lent session, which is opened when it is first asked for."""

    def __init__(self, opening: Callable[[], Connection], held: Connection | None) -> None:
        self._opening = opening
        self._held = held

    @property
    def open(self) -> bool:
        return self._held is not None

    @property
    def connection(self) -> Connection:
        if self._held is None:
            self._held = self._opening()
        return self._held

    def drop(self) -> None:
        """This one is over: the next `connection` is a new one."""
        held, self._held = self._held, None
        if held is not None:
            _end(held)


def _end(connection: Connection) -> None:
    with suppress(Exception):
        connection.close()
