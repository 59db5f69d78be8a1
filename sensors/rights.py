"""What a warehouse lets Patrol's role do: whether it can read what it must, and write what it must not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from sensors import rights_snowflake
from sensors.model.session import USUAL, Session
from sensors.told import Told
from sensors.warehouse import Warehouse, WarehouseError
from sensors.warehouse.able import within

TIMEOUT = timedelta(seconds=30)
SKEW_S = 30.0  # clocks that differ by less do no harm
CLOCK = {
    "postgres": "SELECT EXTRACT(EPOCH FROM clock_timestamp()) AS at",
    "snowflake": "SELECT DATE_PART(epoch_second, CURRENT_TIMESTAMP()) AS at",
}
ABOVE = """
SELECT CAST(current_user AS TEXT) AS role, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls AS above,
  (SELECT string_agg(CAST(nspname AS TEXT), ', ' ORDER BY nspname) FROM pg_namespace
   WHERE has_schema_privilege(oid, 'CREATE') AND nspname NOT LIKE 'pg\\_%'
   AND nspname <> 'information_schema')
   AS makes,
  (SELECT string_agg(CAST(r.rolname AS TEXT), ', ') FROM pg_roles r WHERE r.rolname IN
   ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data')
   AND pg_has_role(r.oid, 'MEMBER')) AS member
FROM pg_roles WHERE rolname = current_user
"""
TABLE = """
SELECT has_table_privilege(CAST(to_regclass(:name) AS OID), 'SELECT') AS reads,
  has_table_privilege(CAST(to_regclass(:name) AS OID), 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes
"""


def rights(warehouse: Warehouse, read: Iterable[tuple[Session, str]]) -> Iterator[Told]:
    """All that can be asked of this one, of each table in the session that it is read in. Never raises."""
    began = time.monotonic()
    try:
        warehouse.ping()
    except WarehouseError as error:
        do = "mend its address or the way there" if error.transient else ""  # else the sentence says it
        yield Told(f"it cannot be asked: {error.message}", False, do)
        return
    yield Told(f"it answers in {(time.monotonic() - began) * 1000:.0f} ms", True)
    yield from _asked(warehouse, lambda: _clock(warehouse))
    yield from _asked(warehouse, lambda: _role(warehouse))
    asked = {USUAL}
    for session, table in read:
        there, new = within(warehouse, session), session not in asked
        asked.add(session)
        with_ = f"with {session.words}: " if there is not warehouse else ""
        for told in _asked(warehouse, partial(_read, there, table, new and there is not warehouse), table):
            yield replace(told, what=with_ + told.what)


def skew(theirs: float, ours: float) -> Told:
    """Of two clocks, in seconds since the epoch."""
    apart = theirs - ours
    if abs(apart) < SKEW_S:
        return Told("its clock and ours agree", True)
    said = f"its clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} ours"
    return Told(said, False, "set the clocks by NTP: what is looked at, and when, depends on them")


def _asked(warehouse: Warehouse, ask: Callable[[], Iterator[Told]], table: str = "") -> Iterator[Told]:
    """What is told, or that it is not: of a `table` that is wrong, for then no policy can read it either."""
    try:
        yield from ask()
    except WarehouseError as error:
        of = f"{table} cannot be read" if table else f"{warehouse.dialect} does not say"
        yield Told(f"{of}: {error.message}", False if table and not error.transient else None)


def _read(warehouse: Warehouse, table: str, role: bool) -> Iterator[Told]:
    """Of a table, and before it of the role that it is read as, where that was not told yet."""
    if role:
        yield from _role(warehouse)
    yield from _table(warehouse, table)


def _row(warehouse: Warehouse, sql: str, binds: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    found = warehouse.query(sql, binds or {}, limit=1, timeout=TIMEOUT, tag="doctor").rows
    return found[0] if found else ()


def _clock(warehouse: Warehouse) -> Iterator[Told]:
    if sql := CLOCK.get(warehouse.dialect):
        (theirs,) = _row(warehouse, sql)
        yield skew(float(theirs), time.time())


def _role(warehouse: Warehouse) -> Iterator[Told]:
    if warehouse.dialect == "duckdb":
        yield Told("the file is opened for reading only, and reaches nothing outside", True)
    elif warehouse.dialect == "sqlite":
        yield Told("the file is opened for reading only", True)
    elif warehouse.dialect == "postgres":
        yield from _postgres_role(*_row(warehouse, ABOVE))
    elif warehouse.dialect == "snowflake":
        yield from rights_snowflake.role_told(warehouse)
    else:
        yield Told(f"what its role may do is not asked of {warehouse.dialect}", None, "look yourself")


def _postgres_role(role: str, above: bool, makes: str | None, member: str | None) -> Iterator[Told]:
    wrong = [
        *(["it is a superuser, may make roles or databases, or passes over row security"] if above else []),
        *([f"it may create in {makes}"] if makes else []),
        *([f"it is a member of {member}"] if member else []),
    ]
    if wrong:
        do = "give Patrol a role of its own that can only read: docs/warehouses.md has the statements"
        yield Told(f"its role {role} can do more than read: {'; '.join(wrong)}", False, do)
    else:
        yield Told(f"its role {role} can only read", True)


def _table(warehouse: Warehouse, table: str) -> Iterator[Told]:
    if not warehouse.columns(table):
        yield Told(
            f"there is no table {table}, or its role does not see it",
            False,
            f"GRANT SELECT ON {table}, or mend policies/_assets.yml",
        )
        return
    if warehouse.dialect == "snowflake":
        yield from rights_snowflake.table_told(warehouse, table)
    if warehouse.dialect == "postgres":
        name = ".".join(table.split(".")[-2:])
        reads, writes = _row(warehouse, TABLE, {"name": name})
        if writes:
            yield Told(
                f"its role may write to {table}", False, f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {table}"
            )
        if not reads:
            yield Told(f"its role may not read {table}", False, f"GRANT SELECT ON {table}")
