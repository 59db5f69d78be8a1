"""Logins and sessions: who may, what a session has set, and where its statements run."""

from __future__ import annotations

import re
import secrets
import threading
from typing import Any

import jwt
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.instance import FakeSnow

from bot.demo.snowflake.refusals import NO_SESSION, WRONG_PASSWORD, Refusal
from bot.demo.snowflake.roles import Roles

USER = "PATROL"
SECRETS = {  # by authenticator: the one secret that is right, and under which name it comes
    "": ("PASSWORD", "patrol"),
    "SNOWFLAKE": ("PASSWORD", "patrol"),
    "OAUTH": ("TOKEN", "oauth-patrol"),
    "PROGRAMMATIC_ACCESS_TOKEN": ("TOKEN", "pat-patrol"),
}
WRONG = {
    "OAUTH": Refusal(390303, "Invalid OAuth access token."),
    "PROGRAMMATIC_ACCESS_TOKEN": Refusal(390394, "Programmatic access token is invalid."),
}
LASTS_S = 3600


class Session:
    def __init__(
        self, database: str, schema: str, parameters: dict[str, Any], role: str, warehouse: str
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        self.master = secrets.token_urlsafe(24)
        self.number = secrets.randbelow(1 << 40)
        self.database = database
        self.schema = schema
        self.role = role
        self.warehouse = warehouse  # "" where there is none of the name
        self.secondary = "ALL"  # or NONE: whether the user's other roles count, too
        self.parameters = {name.upper(): value for name, value in parameters.items()}

    def current(self, call: re.Match[str]) -> str:
        """What CURRENT_ROLE() and its kin are in it, as SQL; the call itself where others know it."""
        others = f'{{"roles":"","value":"{self.secondary if self.secondary != "NONE" else ""}"}}'
        known = {"ROLE": self.role, "WAREHOUSE": self.warehouse, "SECONDARY_ROLES": others}
        value = known.get(call[1].upper())
        return call[0] if value is None else f"NULLIF('{value}', '')"

    @property
    def told(self) -> dict[str, Any]:
        """What a client is told when it has logged in."""
        return {
            "token": self.token,
            "masterToken": self.master,
            "validityInSeconds": LASTS_S,
            "masterValidityInSeconds": 4 * LASTS_S,
            "sessionId": self.number,
            "serverVersion": "9.0.0",
            "parameters": [
                {"name": "TIMEZONE", "value": "UTC"},
                {"name": "AUTOCOMMIT", "value": True},
                {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
                {"name": "CLIENT_TELEMETRY_ENABLED", "value": False},
            ],
            "sessionInfo": {
                "databaseName": self.database or None,
                "schemaName": self.schema or None,
                "roleName": self.role,
                "warehouseName": self.warehouse or None,
            },
        }


class Sessions:
    """By token. All share one set of databases, in memory."""

    def __init__(self, fake: FakeSnow, key: str = "") -> None:
        self.fake = fake
        self.roles = Roles()
        self._key = key  # the user's public one, in PEM
        self._by_token: dict[str, Session] = {}
        self._connecting = threading.Lock()

    def login(
        self, data: dict[str, Any], database: str, schema: str, role: str = "", warehouse: str = ""
    ) -> Session:
        """Raises Refusal for a wrong user or secret, and for a role that is not there."""
        which = str(data.get("AUTHENTICATOR") or "").upper()
        if which == "SNOWFLAKE_JWT" and self._key:
            _signed(str(data.get("TOKEN")), self._key)
        elif which in SECRETS:
            name, right = SECRETS[which]
            if str(data.get("LOGIN_NAME", USER)).upper() != USER or data.get(name) != right:
                raise WRONG.get(which, WRONG_PASSWORD)
        else:
            raise Refusal(390140, f"the local server knows no authenticator {which}")
        chosen = self.roles.admit(role, warehouse)
        parameters = data.get("SESSION_PARAMETERS") or {}
        session = Session(database.upper(), schema.upper(), parameters, *chosen)
        session.secondary = str(data.get("SECONDARY_ROLES") or session.secondary).upper()
        self._by_token[session.token] = session
        return session

    def of(self, authorization: str) -> Session:
        """The session of a request's header; raises Refusal where there is none."""
        token = authorization.partition('Token="')[2].rstrip('"')
        if token not in self._by_token:
            raise NO_SESSION
        return self._by_token[token]

    def renew(self, authorization: str) -> Session:
        """The session under a new token, by its master token."""
        master = authorization.partition('Token="')[2].rstrip('"')
        found = next((s for s in self._by_token.values() if s.master == master), None)
        if found is None:
            raise NO_SESSION
        self._by_token.pop(found.token)
        found.token = secrets.token_urlsafe(24)
        self._by_token[found.token] = found
        return found

    def end(self, session: Session) -> None:
        self._by_token.pop(session.token, None)

    def forget(self) -> int:
        """Ends all sessions, as a server does that is started again."""
        count = len(self._by_token)
        self._by_token.clear()
        return count

    def connection(self, session: Session) -> FakeSnowflakeConnection:
        """A connection of its own for one statement: statements of a session run side by side."""
        with self._connecting:
            return self.fake.connect(session.database or None, session.schema or None)


def _signed(token: str, key: str) -> None:
    """Raises Refusal unless the user's private key has signed it."""
    try:
        said = jwt.decode(token, key, algorithms=["RS256"], options={"require": ["iss", "sub", "exp"]})
    except jwt.InvalidTokenError:
        raise Refusal(390144, "JWT token is invalid.") from None
    if str(said["sub"]).upper().rpartition(".")[2] != USER:
        raise Refusal(390144, "JWT token is invalid.")
