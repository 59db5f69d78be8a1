"""Snowflake's errors as plain sentences that say what to do, and whether trying again may help."""

# ruff: noqa: E501 - a table reads by its rows

from __future__ import annotations

import re
from typing import Any

from sensors.warehouse import QueryTimeout, WarehouseError, WrongSession

# By Snowflake's number: the sentence, in which {0} is what the message names between quotes.
PERMANENT = {
    604: "the query was cancelled from outside",
    606: "no warehouse is chosen to run it, or the role may not use it: write ?warehouse=NAME or `session:`",
    904: "the tables read have no column {0}",
    979: "{0} stands neither in GROUP BY nor in an aggregate",
    1003: "the warehouse cannot read the SQL: {said}",
    1044: "a function does not take what it is given: {said}",
    2003: "the warehouse has no {0}, or the role may not read it: GRANT SELECT on it to the role",
    2043: "the warehouse has no {0}, or the role may not use it: GRANT USAGE on it to the role",
    2140: "the warehouse has no function {0}",
    2141: "the warehouse has no function {0}",
    2028: "{0} is in several tables: write which one is meant",
    3001: "the role may not do this: {said}",
    3540: "the account is suspended: ask who administers it",
    90073: "the warehouse may not be started, its resource monitor is used up: ask who administers it",
    90105: "no database is chosen, or the role may not use it: write snowflake://account/database/schema",
    90106: "no schema is chosen, or the role may not use it: write snowflake://account/database/schema",
    100035: "a text cannot be read as a time: {said}",
    100038: "a text cannot be read as a number: {said}",
    100051: "the query divides by zero: write NULLIF(…, 0)",
    100072: "a column that may not be empty would be: {said}",
    390100: "Snowflake does not take this user and password: set SNOWFLAKE_USER and SNOWFLAKE_PASSWORD anew",
    390101: "the user is locked or disabled: ask who administers the account",
    390102: "the user is locked for a while after wrong passwords: ask who administers the account",
    390106: "the password has run out: set a new one, or use a key pair",
    390140: "Snowflake does not take this way to log in: {said}",
    390144: "Snowflake does not take this key: its public half must be the user's RSA_PUBLIC_KEY",
    390186: "the user does not have this role: GRANT it, or name another in ?role= or `session:`",
    390189: "the role is not there, or not granted to the user: name another in ?role= or `session:`",
    390201: "the database, schema or warehouse of the URL is not there, or the role may not use it",
    390302: "Snowflake does not take this OAuth token: get a new one",
    390303: "Snowflake does not take this OAuth token: get a new one",
    390318: "the OAuth token has run out: get a new one",
    390394: "Snowflake does not take this access token (PAT): make a new one",
    390395: "the access token (PAT) has run out: make a new one",
    390422: "Snowflake takes no one from this address: its network policy must allow it",
    390432: "Snowflake takes no one from this address: its network policy must allow it",
}
PASSING = {
    603: "Snowflake failed inside: {said}",
    608: "the warehouse is stopped or being resized",
    610: "the warehouse is stopped or being resized",
    625: "the warehouse stopped while the query ran",
    639: "the warehouse stopped while the query ran",
    707: "the query's result is gone from Snowflake",
    709: "the query is gone from Snowflake",
    390103: "the session with Snowflake is over",
    390104: "the session with Snowflake is over",
    390110: "the session with Snowflake is over",
    390111: "the session with Snowflake is over",
    390112: "the session with Snowflake is over",
    390114: "the session with Snowflake is over",
    390115: "the session with Snowflake is over",
    390198: "Snowflake has too many requests just now",
}
NO_LOGIN = 250001
UNREACHED = re.compile(r"HTTP request failed|timed out")
TIMED_OUT = (630, 601)
SESSION_OVER = frozenset({390103, 390104, 390110, 390111, 390112, 390114, 390115})
UNSET = "Configuration error: "
NO_STATUS = "missing field `queries`"  # what the driver makes of "log in again" when asked how a query does
KEY = (  # what the driver says of a key file, and what that is called
    (r"Private key is encrypted", "the key of SNOWFLAKE_PRIVATE_KEY_FILE has a passphrase: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
    (r"Authentication failed\. (.*private key.*)", "SNOWFLAKE_PRIVATE_KEY_FILE is no private key: {0}"),
    (r"Authentication failed\. (?:Unspecified|UnexpectedError)", "the driver could not log in and does not say why: most often SNOWFLAKE_PRIVATE_KEY_FILE is no key in PEM, or SNOWFLAKE_PRIVATE_KEY_PASSPHRASE not that of the key"),
)  # fmt: skip
OPERATIONAL = ("OperationalError", "InternalError")  # the network, or the driver's own
HEAD = re.compile(r"SQL compilation error:?( error line \d+ at position \d+)?:?")
PREFIX = re.compile(r"^(Failed to login: |Login error: |SQL compilation error: ?)+")


WRONG_SESSION = (606, 390186, 390189, 390201)  # of a role, or of what it may not use: another role may do


def number(error: BaseException) -> int:
    """Snowflake's number of the error; -1 where there is none."""
    found = getattr(error, "errno", -1)
    return found if isinstance(found, int) else -1


def plainly(error: BaseException, timeout_s: float = 0) -> WarehouseError:
    """What a failed statement or login is to be called."""
    code, said = number(error), _said(error)
    if code in TIMED_OUT:
        return QueryTimeout(f"the query took longer than {timeout_s:g} s and was stopped")
    name = _named(said)
    for sentences, passing in ((PERMANENT, False), (PASSING, True)):
        if code in sentences:
            text = sentences[code].format(name or "such thing", said=said)
            raised = WrongSession if code in WRONG_SESSION else WarehouseError
            return raised(text, passing, name=name.lower())
    if said.startswith(UNSET):
        return WarehouseError(f"the connection to Snowflake is not set up right: {said.removeprefix(UNSET)}")
    kind = type(error).__name__
    if kind in OPERATIONAL or (code == NO_LOGIN and UNREACHED.search(said)):
        return WarehouseError(f"Snowflake cannot be reached: {said}", transient=True)
    for pattern, sentence in KEY:
        if found := re.search(pattern, said):
            return WarehouseError(sentence.format(*found.groups()))
    if kind == "DatabaseError" or 390000 <= code < 391000:
        return WarehouseError(f"Snowflake does not let us in: {said}")
    return WarehouseError(f"the query failed: {said}")


def lost(error: BaseException) -> bool:
    """Whether only the session is over, so that another one may do."""
    return number(error) in SESSION_OVER or NO_STATUS in str(error)


def _said(error: BaseException) -> str:
    """The message without numbers and ids, its first sentence on one line."""
    text: Any = getattr(error, "raw_msg", None) or getattr(error, "msg", None) or str(error)
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    while len(lines) > 1 and HEAD.fullmatch(lines[0]):
        lines.pop(0)
    line = PREFIX.sub("", lines[0] if lines else "")
    line = re.sub(r"(\.?, code: \d+| \((request_id|sfqid)=.*\))$", "", line)
    return line[:300].rstrip(".! ") or "no reason given"


def _named(said: str) -> str:
    found = re.search(r"'([^']+)'", said) or re.search(r"function (\S+)", said)
    return found[1].strip('"').lower() if found else ""
