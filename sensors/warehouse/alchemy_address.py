"""From an address to an engine: which driver, with which bounds, and what is missing, in a sentence."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sensors.near import near
from sensors.warehouse import WarehouseError
from sensors.warehouse.alchemy_sessions import Stop
from sensors.warehouse.alchemy_ways import WAYS, Way, backend

CONNECTIONS = 8  # that are open to a warehouse at most; the ninth query waits
WAITS_S = 30.0
OLD_S = 1800.0  # a connection that is so old is made anew


Reached = tuple[Engine, Way, Stop]


def reach(url: str) -> Reached:
    """An engine that has not connected yet, and how a query of its is stopped. Raises WarehouseError."""
    address = _address(url)
    name = backend(address.drivername)
    way = WAYS[name]
    if name == "postgresql":
        return _postgres(address, way)
    given: dict[str, Any] = {}
    if name == "sqlite":
        address, given = _read_only_file(address)
    return _engine(address, way, given), way, STOPS.get(name, _hang_up)


def _postgres(address: URL, way: Way) -> Reached:
    from sensors.warehouse import alchemy_psycopg as driver

    given = {key: value for key, value in driver.REACHED.items() if key not in address.query}
    engine = _engine(address, way, given).execution_options(postgresql_readonly=True)
    event.listen(engine, "connect", lambda connection, _: driver.prepare(connection))
    return engine, way, lambda _, connection, asked: driver.stop(connection, asked)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        scheme = address.drivername
    except (ArgumentError, ValueError):
        raise WarehouseError("the warehouse's URL is not one: write postgresql://user@host/name") from None
    name = backend(scheme)
    if name not in WAYS:
        meant = near(name, ["duckdb", "snowflake", *WAYS])
        known = ", ".join(f"{one}://" for one in ("duckdb", "snowflake", *WAYS))
        raise WarehouseError(
            f"Patrol knows no warehouse {name!r} (in the URL {scheme}://…){meant}; it can read {known}"
        )
    chosen = scheme.partition("+")[2]  # of Postgres's drivers there is one that is known to be stoppable
    own = WAYS[name].driver if name == "postgresql" or not chosen else f"{name}+{chosen}"
    return address.set(drivername=own)


def _engine(address: URL, way: Way, given: dict[str, Any]) -> Engine:
    try:
        engine = create_engine(
            address,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=WAITS_S,
            pool_recycle=OLD_S,
            pool_pre_ping=True,
            connect_args=given,
        )
    except (NoSuchModuleError, ImportError):
        known = address.drivername == way.driver
        what = f"pip install {way.package}" if known else "install that driver, or name none in the address"
        said = f"what reads {address.drivername}:// is not installed here: {what}"
        raise WarehouseError(said) from None
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise WarehouseError(
            f"the warehouse's URL cannot be used: {str(error).splitlines()[0][:200]}"
        ) from None
    return engine.execution_options(stream_results=True)


def _read_only_file(address: URL) -> tuple[URL, dict[str, Any]]:
    if address.database in (None, "", ":memory:"):
        raise WarehouseError("sqlite:// names no file: write sqlite:///path/to/file.db")
    file = f"file:{address.database}"
    return address.set(database=file, query={"mode": "ro", "uri": "true"}), {"check_same_thread": False}


def _hang_up(_: Engine, driver: Any, __: int) -> None:
    """What every driver has. It takes cancel, where the driver has that, and else closes the connection."""
    cancel = getattr(driver, "cancel", None)
    if callable(cancel):
        with suppress(Exception):  # whatever a driver raises
            cancel()
            return
    driver.close()


def _kill(engine: Engine, driver: Any, _: int) -> None:
    """MySQL and MariaDB: over another connection."""
    with engine.connect() as other:
        other.exec_driver_sql(f"KILL QUERY {int(driver.thread_id())}")


def _interrupt(_: Engine, driver: Any, __: int) -> None:
    driver.interrupt()


STOPS: dict[str, Stop] = {
    "mysql": _kill,
    "mariadb": _kill,
    "sqlite": _interrupt,
}
