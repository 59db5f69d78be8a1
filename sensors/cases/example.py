"""Rows made up for a policy, by the types of its columns: ordinary ones, and such as a card must bear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sensors.model.policy import Now, Policy
from sensors.model.violation import FoundRow, row_hash

MOST = 200  # rows; a threshold beyond is not reached by them
ORDINARY = (
    "a first example",
    "another one",
    "a third, somewhat longer than the others",
    "one more",
    "the last",
)
# What people, and those who mean ill, write into a marketplace.
HOSTILE = (
    "<https://evil.example/login|Open seller> https://evil.example/x?a=1&b=2",
    "*bold* _italic_ ~struck~ `code` ```block``` > quote",
    "unbroken" * 300,
    "👩‍👩‍👧‍👦🏴‍☠️💳🔥" * 12,
    "{{ 7*7 }} '; DROP TABLE alerts; -- %s {0}",
    "a very long text without an end " * 200,
    "مرحبا بالعالم שלום עולם \u202etxt.exe\u202c",
    "<!channel> <!here> @everyone <@U0ANA> #general",
    "two\nlines\r\nand\ta tab\x00\x07 Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d",
)
HUGE = (10**30, -(10**15), 0, 7, 123_456_789)
NUMBERS = ("INT", "DECIMAL", "NUMERIC", "NUMBER", "DOUBLE", "FLOAT", "REAL", "LONG", "UINT", "HUGEINT")


def rows(
    policy: Policy, columns: Mapping[str, str], at: datetime, *, extreme: bool = False
) -> tuple[FoundRow, ...]:
    """Rows of one key, oldest first, as many as its threshold asks for and at least two, the newest at `at`.

    `columns` are those that the query gives, with their SQL types; those that the policy names are added.
    """
    count = min(MOST, max(policy.threshold.count, 8 if extreme else 2))
    step = min(timedelta(minutes=1), (policy.threshold.within or timedelta(hours=1)) / (count + 1))
    make = _extreme if extreme else _ordinary
    named = dict.fromkeys((*policy.key, *policy.row_key, *policy.alert.fields), "")
    types = {**columns, **{name: kind for name, kind in named.items() if name not in columns}}
    return tuple(_row(policy, types, make, n, at - step * (count - 1 - n)) for n in range(count))


def _row(
    policy: Policy,
    types: Mapping[str, str],
    make: Callable[[str, str, int, datetime], Any],
    n: int,
    at: datetime,
) -> FoundRow:
    values = {name: make(name, kind, n, at) for name, kind in types.items()}
    values |= {
        name: make(name, types[name], 0, at) or _ordinary(name, types[name], 0, at) for name in policy.key
    }
    told_apart = {policy.threshold.distinct, *policy.row_key} - {None} - set(policy.key)
    values |= {name: _ordinary(name, types.get(name, ""), n, at) for name in told_apart if name}
    if isinstance(policy.window, Now):
        return FoundRow(row_hash(values, policy.row_key), values)
    values[policy.window.column] = at
    return FoundRow(row_hash(values, policy.row_key), values, at)


def _ordinary(name: str, kind: str, n: int, at: datetime) -> Any:
    match _family(kind):
        case "number":
            return Decimal("12.50") + n if kind.startswith(("DEC", "NUM")) else 12 + n
        case "time":
            return at
        case "date":
            return at.date()
        case "yes or no":
            return n % 2 == 0
    if name == "id" or name.endswith("_id"):
        return f"{name.removesuffix('_id')[:1] or 'x'}_{n + 1}"
    if "name" in name:
        return ("Ana Cards", "Bo's Vintage", "Cy Sneakers")[len(name) % 3]  # the same in all rows
    return ORDINARY[n % len(ORDINARY)]


def _extreme(name: str, kind: str, n: int, at: datetime) -> Any:
    del name
    if n % 5 == 4:
        return None
    match _family(kind):
        case "number":
            return HUGE[n % len(HUGE)]
        case "time":
            return at.replace(year=9999 if n % 2 else 1)
        case "date":
            return at.date().replace(year=9999)
        case "yes or no":
            return n % 2 == 0
    return HOSTILE[n % len(HOSTILE)]


def _family(kind: str) -> str:
    """What a SQL type is to people."""
    kind = kind.upper()
    if any(word in kind for word in NUMBERS):
        return "number"
    if kind.startswith(("TIMESTAMP", "DATETIME")):
        return "time"
    return {"DATE": "date", "BOOLEAN": "yes or no", "BOOL": "yes or no"}.get(kind, "text")
