"""Roles, what they are granted, and warehouses: kept and told as Snowflake does; only logins heed them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from bot.demo.snowflake.refusals import NO_WAREHOUSE, no_role

USUAL = "PATROL"  # role and warehouse of who names none
WORD = r'("[^"]+"|[\w$]+)'
NAME = r'((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))*)'
COLUMNS = ("created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option")


@dataclass(frozen=True)
class Grant:
    role: str
    privilege: str
    kind: str  # TABLE, WAREHOUSE, ROLE …
    name: str


class Roles:
    """Thread-safe. Begins with the role and the warehouse PATROL, the user's own."""

    def __init__(self) -> None:
        self.roles = {USUAL, "PUBLIC"}
        self.warehouses = {USUAL}
        self.grants = [Grant(USUAL, "USAGE", "WAREHOUSE", USUAL)]
        self._lock = threading.Lock()
        self._statements: tuple[tuple[re.Pattern[str], Callable[..., str]], ...] = (
            (_whole(rf"CREATE(?: OR REPLACE)? ROLE(?: IF NOT EXISTS)? {WORD}"), self._role),
            (_whole(rf"CREATE(?: OR REPLACE)? WAREHOUSE(?: IF NOT EXISTS)? {WORD}.*"), self._warehouse),
            (_whole(rf"GRANT ROLE {WORD} TO (?:USER|ROLE) {WORD}"), self._member),
            (_whole(rf"GRANT (.+?) ON (\w+) {NAME} TO ROLE {WORD}"), self._grant),
            (_whole(rf"REVOKE (.+?) ON (\w+) {NAME} FROM ROLE {WORD}"), self._revoke),
            (_whole(rf"SHOW GRANTS TO ROLE {WORD}"), self._shown),
        )

    def admit(self, role: str, warehouse: str) -> tuple[str, str]:
        """The role and warehouse of a new session; as in Snowflake a warehouse that is not there is none.
        Raises Refusal for a role that is not there."""
        if role and role.upper() not in self.roles:
            raise no_role(role)
        chosen = warehouse.upper() or USUAL
        return role.upper() or USUAL, chosen if chosen in self.warehouses else ""

    def instead(self, sql: str) -> str | None:
        """What to run in place of a statement about roles and warehouses; None for any other."""
        for pattern, answer in self._statements:
            if found := pattern.fullmatch(sql.strip().rstrip(";")):
                with self._lock:
                    return answer(*map(_plain, found.groups()))
        return None

    def _role(self, name: str) -> str:
        self.roles.add(name)
        return _done(f"Role {name} successfully created.")

    def _warehouse(self, name: str) -> str:
        self.warehouses.add(name)
        return _done(f"Warehouse {name} successfully created.")

    def _member(self, role: str, to: str) -> str:
        self.grants += [Grant(to, "USAGE", "ROLE", role)] if to in self.roles else []
        return _done("Statement executed successfully.")

    def _grant(self, privileges: str, kind: str, name: str, role: str) -> str:
        self.grants += [Grant(role, one, kind, name) for one in _listed(privileges)]
        return _done("Statement executed successfully.")

    def _revoke(self, privileges: str, kind: str, name: str, role: str) -> str:
        gone = {Grant(role, one, kind, name) for one in _listed(privileges)}
        self.grants = [one for one in self.grants if one not in gone]
        return _done("Statement executed successfully.")

    def _shown(self, role: str) -> str:
        if role not in self.roles:
            raise no_role(role)
        rows = [
            ("2026-01-01", one.privilege, one.kind, one.name, "ROLE", one.role, "false")
            for one in self.grants
            if one.role == role
        ]
        names = ", ".join(f'column{n} AS "{name}"' for n, name in enumerate(COLUMNS, start=1))
        values = ", ".join(f"({', '.join(_text(cell) for cell in row)})" for row in rows or [("",) * 7])
        return f"SELECT {names} FROM VALUES {values}{'' if rows else ' WHERE FALSE'}"


def computes(sql: str) -> bool:
    """Whether a statement needs a warehouse: what reads or writes rows does, what only names things not."""
    try:
        root = sqlglot.parse_one(sql, read="snowflake")
    except sqlglot.errors.SqlglotError:
        return True
    if isinstance(root, exp.Create):
        return root.expression is not None
    writes = isinstance(root, exp.Insert | exp.Update | exp.Delete | exp.Merge)
    return writes or (isinstance(root, exp.Query) and root.find(exp.From) is not None)


def may_compute(sql: str, warehouse: str) -> str | None:
    """The warehouse that runs it, None for none. Raises Refusal where it needs one and has none."""
    if not computes(sql):
        return None
    if not warehouse:
        raise NO_WAREHOUSE
    return warehouse


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL)


def _plain(name: str) -> str:
    """As Snowflake keeps it: unquoted names in upper case."""
    parts = re.findall(r'"[^"]+"|[^".]+', name)
    return ".".join(part[1:-1] if part.startswith('"') else part.strip().upper() for part in parts)


def _listed(privileges: str) -> list[str]:
    return [one.strip() for one in privileges.split(",")]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _done(said: str) -> str:
    return f"SELECT {_text(said)} AS status"
