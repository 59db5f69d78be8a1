"""What only Postgres's driver needs: times that Python has not, and a query that is stopped from outside."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.abc import Loader as Loads
from psycopg.adapt import Loader

LOOKS_FOR_US_S = 2  # seconds between two looks of the server's whether who asked is still there
SINCE = 140_000  # the version of Postgres that looks
TIMES = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
ANSWERS_WITHIN_S = 2.0  # a server that is asked to stop a query
HANGS_UP_AT = 5  # times that it was asked
REACHED: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "patrol",
    "client_encoding": "utf8",
}


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Once for each connection: `infinity`, a year 20000 or BC come as text instead of failing the query; and
    the server ends a query whose process is gone, where it can see that."""
    for kind in TIMES:
        strict = connection.adapters.get_loader(connection.adapters.types[kind].oid, psycopg.pq.Format.TEXT)
        if strict is not None:
            connection.adapters.register_loader(kind, _or_text(strict))
    _watched(connection)


def _watched(connection: psycopg.Connection[Any]) -> None:
    """Servers before 14, and those on systems that cannot tell, go on until `statement_timeout`."""
    if connection.info.server_version >= SINCE:
        with suppress(psycopg.Error):
            connection.execute(f"SET client_connection_check_interval = '{LOOKS_FOR_US_S}s'")
            connection.commit()
        connection.rollback()


def _or_text(strict: type[Loads]) -> type[Loader]:
    class OrText(Loader):
        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            self._strict = strict(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._strict.load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


def stop(connection: psycopg.Connection[Any], asked: int) -> None:
    """Has the server stop what the connection runs, over another one; where it does not listen, hangs up."""
    if asked < HANGS_UP_AT:
        with suppress(psycopg.Error, OSError):
            connection.cancel_safe(timeout=ANSWERS_WITHIN_S)
            return
    if not connection.closed:
        with suppress(psycopg.Error, OSError):
            held = socket.socket(fileno=os.dup(connection.fileno()))
            with held:
                held.shutdown(socket.SHUT_RDWR)
