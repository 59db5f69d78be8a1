"""Values of cases as the YAML or a CSV file writes them → values of their column's type, or why not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from sensors.files import shown
from sensors.model.clock import parse_time
from sensors.warehouse.column_type import ColumnType

BITS = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63, "HUGEINT": 127}
PLAIN = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d{1,3})?")


class Misfit(Exception):
    """A value that its column cannot take; says what it must be."""


def fitted(value: Any, kind: ColumnType, *, from_csv: bool = False) -> Any:
    """The value as the column holds it; None stays null. Raises Misfit with `must be …`.

    Times become UTC, aware where the column has a zone. A CSV file holds text only: JSON and lists are
    read from it there.
    """
    if value is None:
        return None
    if from_csv and kind.kind in ("json", "list"):
        value = _json(value)
        if kind.kind == "json" and value is None:
            return "null"
    return FITTING[kind.kind](value, kind)


DEEPEST = 50  # lists and mappings in one another


def from_json(text: str) -> Any:
    """What a text of JSON holds. ValueError: it is none, or nested more deeply than anybody would read."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [found]
    for _ in range(DEEPEST):
        level = [inside for one in level for inside in _inside(one)]
    if level:
        raise ValueError("nested too deeply")
    return found


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _json(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        raise Misfit(f'must be JSON, such as {{"a": 1}}, not {shown(text)}') from None


def _text(value: Any, _: ColumnType) -> str:
    if not isinstance(value, str):
        hint = f'; put quotes around it: "{shown(value)}"' if isinstance(value, bool | int | float) else ""
        raise Misfit(f"must be text, not {shown(value)}{hint}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Misfit("must be text that can be written as UTF-8")
    return value


def _exact(value: Any, what: str) -> Decimal:
    """A number as it was written, digit for digit."""
    written = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not PLAIN.fullmatch(written):
        raise Misfit(f"must be {what}, not {shown(value)}")
    return Decimal(written)


def _integer(value: Any, kind: ColumnType) -> int:
    exact = _exact(value, "a whole number")
    if exact != exact.to_integral_value():
        raise Misfit(f"must be a whole number, not {shown(value)}")
    bound = 2 ** BITS.get(kind.sql, 63)
    if not -bound <= exact < bound:
        raise Misfit(f"must fit into {kind.sql.lower()}, which {shown(value)} does not")
    return int(exact)


def _decimal(value: Any, kind: ColumnType) -> Decimal:
    exact = _exact(value, "a number")
    whole = kind.precision - kind.scale
    said = f"decimal({kind.precision},{kind.scale})"
    with localcontext(prec=1100):
        if abs(exact) >= Decimal(10) ** whole:
            raise Misfit(f"must fit into {said}, which has {whole} digits before the point")
        try:
            rounded = exact.quantize(Decimal(1).scaleb(-kind.scale))
        except InvalidOperation:
            raise Misfit(f"must fit into {said}") from None
    if rounded != exact:
        raise Misfit(f"must fit into {said}, which has {kind.scale} digits after the point")
    return rounded


def _float(value: Any, _: ColumnType) -> float:
    if isinstance(value, str) and value.strip().lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
        return float(value)
    found = float(_exact(value, "a number"))
    if math.isinf(found):
        raise Misfit(f"must fit into a floating-point number, which {shown(value)} does not")
    return found


def _boolean(value: Any, _: ColumnType) -> bool:
    word = str(value).strip().lower() if isinstance(value, bool | str) else ""
    if word not in ("true", "false"):
        raise Misfit(f"must be true or false, not {shown(value)}")
    return word == "true"


def _time(value: Any, kind: ColumnType) -> datetime:
    at = parse_time(value) if isinstance(value, str) else None
    if at is None:
        raise Misfit(f"must be a time such as 2026-01-05T12:00:00Z, not {shown(value)}")
    return at if kind.zoned else at.astimezone(UTC).replace(tzinfo=None)


def _date(value: Any, _: ColumnType) -> date:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value.strip())
    except ValueError:
        pass
    raise Misfit(f"must be a date such as 2026-01-05, not {shown(value)}")


def _clock(value: Any, _: ColumnType) -> time:
    try:
        if isinstance(value, str):
            return time.fromisoformat(value.strip())
    except ValueError:
        pass
    raise Misfit(f"must be a time of day such as 12:30:00, not {shown(value)}")


def _semi(value: Any, _: ColumnType) -> str:
    return json.dumps(value, ensure_ascii=False)


def _list(value: Any, kind: ColumnType) -> list[Any]:
    if not isinstance(value, list) or kind.of is None:
        raise Misfit(f"must be a list such as [a, b], not {shown(value)}")
    return [fitted(one, kind.of) for one in value]


def _bytes(value: Any, _: ColumnType) -> bytes:
    try:
        if isinstance(value, str):
            return bytes.fromhex(value)
    except ValueError:
        pass
    raise Misfit(f"must be bytes in hexadecimal, such as 0a1b, not {shown(value)}")


FITTING: dict[str, Callable[[Any, ColumnType], Any]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
    "boolean": _boolean,
    "time": _time,
    "date": _date,
    "clock": _clock,
    "json": _semi,
    "list": _list,
    "bytes": _bytes,
    "other": lambda value, _: value,  # the database itself says whether it fits
}


def numbered(value: Any, nth: int) -> Any:
    """The value's `nth` successor, for rows that are repeated: m1, m1_2, m1_3; 7, 8, 9; a second, a day on.

    None where the value has no successor.
    """
    match value:
        case str():
            return f"{value}_{nth + 1}" if nth else value
        case bool() | bytes() | None:
            return None
        case int() | float() | Decimal():
            return value + nth
        case datetime():
            return value + timedelta(seconds=nth)
        case date():
            return value + timedelta(days=nth)
    return None
