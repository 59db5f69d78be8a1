"""A case as YAML text, written so that reading it gives the same values again. Writes no file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sensors.cases.slicing import Tables
from sensors.model.clock import utc
from sensors.model.line import printable
from sensors.model.violation import Values, plain

PLAIN = re.compile(r"[A-Za-z][\w.-]*(?: [\w.-]+)*")
WORDS = re.compile(r"(?:true|false|null|yes|no|on|off|y|n)", re.IGNORECASE)  # for people and other readers
TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)?")
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True)
class CaseText:
    """A case to be written down: `notes` become comments above it."""

    name: str
    at: datetime
    given: Tables
    expect: Sequence[Mapping[str, Any]]
    notes: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """What a reader of the text must find."""
        return {
            "name": self.name,
            "at": _time(self.at),
            "given": {t: [written(row) for row in rows] for t, rows in self.given.items()},
            "expect": [written(row) for row in self.expect],
        }


def written(row: Values) -> dict[str, Any]:
    """A row as YAML can say it: times and exact numbers that a float would round are texts."""
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    match value:
        case None | bool() | str() | int():
            return _sayable(value) if isinstance(value, str) else value
        case datetime():
            return _time(value)
        case date():
            return value.isoformat()
        case float():
            return value if value - value == 0 else str(value)
        case Decimal():
            return _number(value)
        case Mapping():
            return {_sayable(str(name)): _value(inside) for name, inside in value.items()}
        case list() | tuple():
            return [_value(inside) for inside in value]
        case bytes() | bytearray():
            return bytes(value).hex()
    return str(value)


def _number(value: Decimal) -> Any:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if plain(float(value)) == plain(value) else f"{value:f}"


def _time(at: datetime) -> str:
    return utc(at).isoformat().replace("+00:00", "Z")


def _sayable(text: str) -> str:
    """Without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


# ---------------------------------------------------------------------------------- text


def block(case: CaseText, indent: int) -> str:
    """The case as an item of a list in lines; `indent` is where its dash stands."""
    pad = " " * indent
    data = case.data()
    lines = [f"{pad}# {_comment(note)}" for note in case.notes]
    lines += [f"{pad}- name: {scalar(data['name'])}", f"{pad}  at: {scalar(data['at'])}", f"{pad}  given:"]
    for table, rows in data["given"].items():
        lines += _listed(f"{pad}    {scalar(table)}:", rows, f"{pad}      ")
    if not data["given"]:
        lines[-1] += " {}"
    lines += _listed(f"{pad}  expect:", data["expect"], f"{pad}    ")
    return "\n".join(lines) + "\n"


def _listed(head: str, rows: Sequence[Any], pad: str) -> list[str]:
    return [head, *(f"{pad}- {flow(row)}" for row in rows)] if rows else [f"{head} []"]


def flowing(case: CaseText, indent: int) -> str:
    """The case as a part of a list in brackets."""
    pad = " " * indent
    notes = "".join(f"{pad}# {_comment(note)}\n" for note in case.notes)
    return f"{notes}{pad}{flow(case.data())}"


def flow(value: Any) -> str:
    """Any value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {flow(inside)}" for name, inside in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(inside) for inside in value) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    bare = (PLAIN.fullmatch(text) and not WORDS.fullmatch(text)) or TIME.fullmatch(text)
    return text if bare and text.isascii() else '"' + "".join(_character(c) for c in text) + '"'


def _character(c: str) -> str:
    if c in ESCAPES:
        return ESCAPES[c]
    if c.isprintable() and c != "\ufeff":
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _comment(note: str) -> str:
    return " ".join(printable(note).split())
