"""Sessions with Snowflake: opened when needed, lent to one query at a time, so many for a warehouse."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sensors.model.session import Session
from sensors.warehouse import WarehouseError, WrongSession

Connection = Any  # of the connector, which is imported only when the first one is opened
IDLE_S = 3 * 3600  # Snowflake forgets a session after four hours
REFUSED_S = 60.0  # after a login that was refused for good: a few of them lock the user out


class Sessions:
    """`opening` gives a new connection of a kind, or raises WarehouseError; `usual` is the warehouse of those
    that name none. No more than `most` queries of all kinds run side by side on one warehouse."""

    def __init__(self, opening: Callable[[Session], Connection], most: int, usual: str = "") -> None:
        self._opening = opening
        self._most = most
        self._usual = usual
        self._idle: dict[Session, list[tuple[float, Connection]]] = defaultdict(
            list
        )  # the last used is first
        self._lent: Counter[str] = Counter()  # by warehouse
        self._changed = threading.Condition()
        self._closed = False
        self._one_login = threading.Lock()
        self._refused: dict[Session | None, tuple[float, WarehouseError]] = {}  # None: whoever logs in

    @contextmanager
    def borrow(self, kind: Session, patience_s: float) -> Iterator[Lent]:
        """A session for one query. Raises WarehouseError where none comes free in time."""
        computes = (kind.warehouse or self._usual).upper()
        self._take(computes, patience_s)
        lent = Lent(lambda: self._open(kind), self._from_idle(kind))
        try:
            yield lent
        finally:
            with self._changed:
                self._lent[computes] -= 1
                if lent.open and not self._closed:
                    self._idle[kind].append((time.monotonic(), lent.connection))
                elif lent.open:
                    _end(lent.connection)
                self._changed.notify_all()

    def close(self, patience_s: float = 5.0) -> None:
        """Ends all sessions; those that are lent when they come back, for which it waits a little."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._lent.total(), patience_s)
            idle = [one for held in self._idle.values() for one in held]
            self._idle.clear()
        for _, connection in idle:
            _end(connection)

    def _take(self, computes: str, patience_s: float) -> None:
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._closed or self._lent[computes] < self._most, patience_s
            )
            if self._closed:
                raise WarehouseError("the connection to Snowflake is closed", transient=True)
            if not free:
                of = f" for {computes}" if computes else ""
                said = f"all {self._most} sessions with Snowflake{of} are busy: allow more with ?sessions="
                raise WarehouseError(said, transient=True)
            self._lent[computes] += 1

    def _open(self, kind: Session) -> Connection:
        """A new connection. One login at a time, and none for a while after one that was refused for good."""
        with self._one_login:
            for of in (None, kind):
                if of in self._refused and time.monotonic() < self._refused[of][0]:
                    refused = self._refused[of][1]
                    raise type(refused)(refused.message, name=refused.name)
            try:
                connection = self._opening(kind)
            except WarehouseError as error:
                if not error.transient:
                    of = kind if isinstance(error, WrongSession) else None
                    self._refused[of] = (time.monotonic() + REFUSED_S, error)
                raise
            self._refused.pop(kind, None)
            self._refused.pop(None, None)
            return connection

    def _from_idle(self, kind: Session) -> Connection | None:
        with self._changed:
            held = self._idle[kind]
            while held:
                since, connection = held.pop()
                if time.monotonic() - since < IDLE_S:
                    return connection
                _end(connection)
        return None


class Lent:
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
