"""What a case expects against what fired: which alert is which, and where they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from math import isclose
from typing import Any

from bot.core.action import Fire
from sensors.model.clock import parse_time, utc
from sensors.model.violation import Values, plain, shown

Alert = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """An expected alert and the one that fired for it; None where there is no such thing."""

    expected: Alert | None
    got: Alert | None

    @property
    def differing(self) -> tuple[str, ...]:
        """What is expected and is otherwise."""
        if self.expected is None or self.got is None:
            return ()
        return tuple(n for n, value in self.expected.items() if not agrees(self.got, n, value))

    @property
    def same(self) -> bool:
        return self.expected is not None and self.got is not None and not self.differing


def alert_of(fire: Fire, newest: Values, key: Values) -> Alert:
    """All that a case may say of an alert: its newest row, its key, severity, count and title."""
    return {**newest, **key, "severity": fire.severity.name, "count": fire.count, "title": fire.title}


def compared(expected: Sequence[Alert], fired: Sequence[Alert]) -> tuple[Pair, ...]:
    """Each expected alert with one that fired, as many alike as can be; then what fired besides."""
    found = _matched(expected, fired)
    left = [i for i in range(len(expected)) if i not in found]
    free = [j for j in range(len(fired)) if j not in found.values()]
    for i in left:
        if free:
            found[i] = max(free, key=lambda j: _alike(expected[i], fired[j]))
            free.remove(found[i])
    pairs = [Pair(one, fired[found[i]] if i in found else None) for i, one in enumerate(expected)]
    return (*pairs, *(Pair(None, fired[j]) for j in free))


def _matched(expected: Sequence[Alert], fired: Sequence[Alert]) -> dict[int, int]:
    """The largest matching of expected alerts with alerts that agree in all they say."""
    fits = [[j for j, got in enumerate(fired) if Pair(one, got).same] for one in expected]
    holder: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in fits[i]:
            if j not in tried:
                tried.add(j)
                if j not in holder or place(holder[j], tried):
                    holder[j] = i
                    return True
        return False

    for i in range(len(expected)):
        place(i, set())
    return {i: j for j, i in holder.items()}


def _alike(expected: Alert, got: Alert) -> int:
    return len(expected) - len(Pair(expected, got).differing)


def agrees(got: Alert, name: str, expected: Any) -> bool:
    """Whether the alert has the value: numbers as numbers, times as moments, all else as people read it."""
    if name not in got:
        return False
    return any(_equal(expected, value) for value in _readings(got[name]))


def _readings(value: Any) -> Iterator[Any]:
    """The value, and what it holds if it is JSON as text."""
    yield value
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            yield json.loads(value)
        except (ValueError, RecursionError):
            return


def _equal(expected: Any, got: Any) -> bool:
    match got:
        case None | bool():
            return expected is got or (isinstance(got, bool) and str(expected) == str(got).lower())
        case int() | float() | Decimal():
            return _same_number(expected, got)
        case datetime():
            return isinstance(expected, str) and parse_time(expected) == utc(got)
        case date():
            return str(expected) == got.isoformat()
        case Mapping() | list() | tuple():
            return bool(plain(expected) == plain(got))
    if expected is None or isinstance(expected, bool):
        return False
    return str(shown(expected)) == str(shown(got))


def _same_number(expected: Any, got: float | Decimal) -> bool:
    if isinstance(expected, bool) or not isinstance(expected, int | float | str):
        return False
    try:
        if isinstance(got, float):
            return isclose(float(expected), got, rel_tol=1e-9)
        return Decimal(str(expected)) == Decimal(got)
    except (ValueError, InvalidOperation):
        return False
