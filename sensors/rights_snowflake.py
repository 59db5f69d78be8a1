"""What Snowflake grants the role that Patrol asks as, and whether that is more than reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sensors.told import Told
from sensors.warehouse import Warehouse, WarehouseError
from sensors.warehouse.able import Granting

TIMEOUT = timedelta(seconds=30)
READS = frozenset({"USAGE", "SELECT", "REFERENCES", "MONITOR", "READ"})
CALLS = ("PROCEDURE", "TASK", "INTEGRATION")  # to use these is to do what they do, as their owner may
DO = "REVOKE it, or give Patrol a role of its own: docs/warehouses.md has the statements"
MOST = 5  # grants that are named
SECOND = re.compile(r'"value":\s*"[^"]+"')  # of what other roles count, as Snowflake says it in JSON
DEEP = 100  # roles that are followed
NAME = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*){0,2}")
WHO = "SELECT CURRENT_ROLE() AS role, CURRENT_WAREHOUSE() AS computes, CURRENT_SECONDARY_ROLES() AS others"
Grants = Callable[[str], Sequence[Mapping[str, Any]]]


def role_told(warehouse: Warehouse) -> Iterator[Told]:
    """Of the session: its warehouse, other roles that count in it, and all that its role may do."""
    found = warehouse.query(WHO, {}, limit=1, timeout=TIMEOUT, tag="doctor").rows
    role, computes, others = (str(cell or "") for cell in found[0])
    if not computes:
        said = "no warehouse is chosen, or the role may not use it"
        do = f"write ?warehouse=NAME in the URL or `session:`; GRANT USAGE ON WAREHOUSE … TO ROLE {role}"
        yield Told(said, False, do)
    if SECOND.search(others):
        do = "ALTER USER … SET DEFAULT_SECONDARY_ROLES = () for the user that Patrol logs in as"
        yield Told("the rights of all roles of its user count, not of its role alone", False, do)
    if not isinstance(warehouse, Granting):
        yield Told(f"what its role {role} may do is not asked", None, f"SHOW GRANTS TO ROLE {role}")
        return
    yield may(role, warehouse.grants)


def may(role: str, grants: Grants) -> Told:
    """Whether a role, with those that were granted to it and PUBLIC, can do more than read."""
    wrong: list[str] = []
    followed: set[str] = set()
    left = [role, "PUBLIC"]
    while left and len(followed) < DEEP:
        name = left.pop(0)
        if name in followed:
            continue
        followed.add(name)
        for one in _granted(name, grants, first=name == role):
            kind, privilege = (str(one.get(key) or "").upper() for key in ("granted_on", "privilege"))
            if kind == "ROLE" and privilege == "USAGE":
                left.append(str(one["name"]))
            elif privilege not in READS or any(word in kind for word in CALLS):
                by = "" if name == role else f" (by the role {name})"
                wrong.append(f"{privilege} on {kind.lower().replace('_', ' ')} {one['name']}{by}")
    if not wrong:
        return Told(f"its role {role} can only read", True)
    more = f" and {len(wrong) - MOST} more" if len(wrong) > MOST else ""
    return Told(f"its role {role} can do more than read: {'; '.join(wrong[:MOST])}{more}", False, DO)


def _granted(role: str, grants: Grants, first: bool) -> Iterable[Mapping[str, Any]]:
    """Of a role that was granted to ours it may be that only its owner is told."""
    try:
        return grants(role)
    except WarehouseError:
        if first:
            raise
        return ()


def table_told(warehouse: Warehouse, table: str) -> Iterator[Told]:
    """Whether it can be read: Snowflake says so before it computes anything."""
    if not NAME.fullmatch(table):
        yield Told(f"{table} is not asked of: its name is no plain one", None)
        return
    try:
        sql = f"SELECT 1 AS one FROM {table} WHERE 1 = 0"
        warehouse.query(sql, {}, limit=1, timeout=TIMEOUT, tag="doctor")
    except WarehouseError as error:
        do = f"GRANT SELECT ON {table}, and USAGE on its schema and database, to its role"
        yield Told(f"its role cannot read {table}: {error.message}", False, do)
