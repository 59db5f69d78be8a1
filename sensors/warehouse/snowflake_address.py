"""A warehouse URL and the environment → what the connector is to be given. Opens nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sensors.warehouse import WarehouseError

MOST_SESSIONS = 8  # as many statements as a warehouse runs side by side by default
OPTIONS = ("warehouse", "role", "user", "authenticator", "host", "port", "protocol", "sessions")
SECRET = ("password", "token", "pat", "private_key", "private_key_passphrase")
SHAPE = "snowflake://account/database/schema?warehouse=…&role=…, or snowflake://name of connections.toml"
# Environment variable → the connector's argument. Of each secret there is also a …_FILE with a path.
FROM_ENVIRONMENT = {
    "SNOWFLAKE_USER": "user",
    "SNOWFLAKE_ROLE": "role",
    "SNOWFLAKE_WAREHOUSE": "warehouse",
    "SNOWFLAKE_AUTHENTICATOR": "authenticator",
    "SNOWFLAKE_HOST": "host",
    "SNOWFLAKE_PORT": "port",
    "SNOWFLAKE_PROTOCOL": "protocol",
    "SNOWFLAKE_PASSWORD": "password",
    "SNOWFLAKE_PRIVATE_KEY_FILE": "private_key_file",
    "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "private_key_password",
    "SNOWFLAKE_TOKEN": "token",
}
BY_SECRET = (  # how to log in, by the first secret that there is
    ("private_key_file", "SNOWFLAKE_JWT"),
    ("pat", "PROGRAMMATIC_ACCESS_TOKEN"),
    ("token", "OAUTH"),
    ("password", "SNOWFLAKE"),
)
SET = {
    "private_key_file": "SNOWFLAKE_PRIVATE_KEY_FILE",
    "pat": "SNOWFLAKE_PAT",
    "token": "SNOWFLAKE_TOKEN (OAuth)",
    "password": "SNOWFLAKE_PASSWORD",
}
ATTENDED = ("externalbrowser", "username_password_mfa", "oauth_authorization_code")
SESSION = {  # what every session is opened with
    "TIMEZONE": "UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "QUERY_TAG": '{"app":"patrol"}',
    "ABORT_DETACHED_QUERY": False,  # a query outlives this process, and the next one takes it up
    "STATEMENT_TIMEOUT_IN_SECONDS": 3600,
}


@dataclass(frozen=True)
class Address:
    """The connector's arguments, and how many sessions there may be at once."""

    arguments: Mapping[str, Any]
    sessions: int = MOST_SESSIONS

    @property
    def schema(self) -> str:
        """Where names without a schema are looked for, in lower case; empty where the session says it."""
        return str(self.arguments.get("schema") or "").lower()


def address(url: str, environment: Mapping[str, str]) -> Address:
    """What `url` and SNOWFLAKE_* say. WarehouseError where it cannot be understood, or lacks something."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise WarehouseError(f"a Snowflake URL is {SHAPE}") from None
    options = _options(parts)
    most = _number("sessions", options.pop("sessions", str(MOST_SESSIONS)), 64)
    fixed = {"session_parameters": SESSION, "paramstyle": "qmark", "application": "Patrol", **QUIET}
    path = [unquote(part) for part in parts.path.split("/") if part]
    if not parts.netloc or len(path) > 2:
        raise WarehouseError(f"a Snowflake URL is {SHAPE}")
    if not path and parts.username is None:
        return Address({**options, "connection_name": unquote(parts.netloc), **fixed}, most)
    given = {**_environment(environment), **options, **_login(parts)}
    account = unquote(parts.hostname or "")
    if not re.fullmatch(r"[\w.-]+", account):
        raise WarehouseError(f"a Snowflake URL is {SHAPE}")
    whole = {
        **_authenticated(given),
        "account": account,
        **dict(zip(("database", "schema"), path, strict=False)),
    }
    if "port" in whole:
        whole["port"] = _number("port", str(whole["port"]), 65535)
    return Address({**whole, **fixed}, most)


QUIET = {
    "secondary_roles": "NONE",  # the role that is named, and no other that the user has
    "client_store_temporary_credential": False,
    "login_timeout": 30,
    "enable_server_session_keep_alive_auto_detection": True,  # a logout would abort what another took up
}


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query))
    for name in options:
        if name in SECRET:
            raise WarehouseError(
                f"a secret does not stand in the URL: set SNOWFLAKE_{name.upper()} instead of {name}="
            )
        if name not in OPTIONS:
            near = get_close_matches(name, OPTIONS, 1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise WarehouseError(f"a Snowflake URL takes no {name}{meant}: it takes {', '.join(OPTIONS)}")
    return options


def _login(parts: SplitResult) -> dict[str, str]:
    found = {"user": parts.username, "password": parts.password}
    return {name: unquote(value) for name, value in found.items() if value}


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    named = {**FROM_ENVIRONMENT, "SNOWFLAKE_PAT": "pat"}
    found = {argument: environment[name] for name, argument in named.items() if environment.get(name)}
    for name, argument in named.items():
        if argument in (*SECRET, "private_key_password") and (path := environment.get(f"{name}_FILE")):
            found[argument] = _read(f"{name}_FILE", path)
    return found


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise WarehouseError(f"{name} names {path}, which cannot be read") from None


def _authenticated(given: Mapping[str, str]) -> dict[str, Any]:
    """With the way to log in, and only the secret that belongs to it."""
    said = given.get("authenticator", "")
    if said.lower() in ATTENDED:
        raise WarehouseError(f"{said} needs a person at hand: use a key pair, OAuth, or an access token")
    _known(said)
    which = next(((name, how) for name, how in BY_SECRET if name in given and _is(how, said)), None)
    if which is None:
        wanted = f" that fits {said}" if said else ""
        fit = " or ".join(SET[name] for name, how in BY_SECRET if _is(how, said))
        raise WarehouseError(f"there is no secret{wanted} to log in to Snowflake with: set {fit}")
    if "user" not in given and which[0] != "token":
        raise WarehouseError(
            "nobody is named to log in to Snowflake: set SNOWFLAKE_USER, or write user@ before the account"
        )
    others = {name for name, _ in BY_SECRET if name != which[0]}
    kept = {name: value for name, value in given.items() if name not in others}
    if which[0] == "private_key_file" and not Path(given["private_key_file"]).is_file():
        raise WarehouseError(
            f"SNOWFLAKE_PRIVATE_KEY_FILE names {given['private_key_file']}, which is no file"
        )
    if "pat" in kept:
        kept["token"] = kept.pop("pat")
    return {**kept, "authenticator": which[1]}


def _known(said: str) -> None:
    """Refuses what is no way to log in."""
    ways = [how for _, how in BY_SECRET]
    if said and said.upper() not in ways:
        near = get_close_matches(said.upper(), ways, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        known = f"{', '.join(ways[:-1])} or {ways[-1]}"
        raise WarehouseError(f"the authenticator is {known}, not {said}{meant}")


def _is(how: str, said: str) -> bool:
    return not said or how.lower() == said.lower()


def _number(name: str, text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise WarehouseError(f"{name} in a Snowflake URL is a whole number from 1 to {most}, not {text!r}")
    return int(text)
