"""What is refused, with Snowflake's own numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
from snowflake.connector.errors import Error as SnowflakeError


@dataclass(frozen=True)
class Refusal(Exception):
    """A statement, session or login that is refused: Snowflake's number, SQL state and sentence."""

    code: int
    said: str
    state: str = ""


CANCELLED = Refusal(604, "SQL execution canceled", "57014")
NO_SESSION = Refusal(390104, "User must login again to access the service.")
WRONG_PASSWORD = Refusal(390100, "Incorrect username or password was specified.")
RESULT_GONE = Refusal(707, "The result of the query is gone.", "02000")
NO_SUCH_QUERY = Refusal(709, "Statement not found")


NO_WAREHOUSE = Refusal(606, "No active warehouse selected in the current session.", "57P03")


def no_role(name: str) -> Refusal:
    said = f"Role '{name}' specified in the connect string does not exist or not authorized."
    return Refusal(390189, said)


def timed_out(seconds: float) -> Refusal:
    said = f"Statement reached its statement or warehouse timeout of {seconds:g} second(s) and was canceled."
    return Refusal(630, said, "57014")


COLUMN = "invalid identifier '{0}'"
OBJECT = "Object '{0}' does not exist or not authorized."
NUMBER, TIME = "Numeric value '{0}' is not recognized", "Timestamp '{0}' is not recognized"
GROUP = "[{0}] is not a valid group by expression"
# What DuckDB says → Snowflake's number, state and sentence.
SAID = (
    (r'Referenced column "([^"]+)" not found', 904, "42000", COLUMN),
    (r'does not have a column named "([^"]+)"', 904, "42000", COLUMN),
    (r'Referenced table "([^"]+)" not found', 904, "42000", COLUMN),
    (r'Ambiguous reference to column name "([^"]+)"', 2028, "42601", "ambiguous column name '{0}'"),
    (r'(?:Table|View) with name "?([^"! ]+?)"? does not exist', 2003, "42S02", OBJECT),
    (r"Function with name (\S+) does not exist", 2140, "42601", "Unknown function {0}"),
    (r"Could not convert string '(.*?)' to (?:U?INT|DOUBLE|DECIMAL|FLOAT)", 100038, "22018", NUMBER),
    (r"invalid (?:timestamp|date) field format: \"(.*?)\"", 100035, "22007", TIME),
    (r'column "([^"]+)" must appear in the GROUP BY', 979, "42601", GROUP),
)  # fmt: skip


def refusal(error: Exception) -> Refusal:
    """What went wrong, as Snowflake would say it; what only DuckDB knows keeps its own words."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, duckdb.InterruptException):
        return CANCELLED
    text = str(getattr(error, "raw_msg", None) or error)
    for pattern, code, state, sentence in SAID:
        if found := re.search(pattern, text):
            return Refusal(code, f"SQL compilation error:\n{sentence.format(found[1])}", state)
    if isinstance(error, SnowflakeError):
        return Refusal(int(error.errno or 1), text, str(error.sqlstate or "42000"))
    if isinstance(error, NotImplementedError):
        return Refusal(2, f"Unsupported feature '{error}'.", "0A000")
    return Refusal(1001, f"SQL compilation error: {error}", "42601")
