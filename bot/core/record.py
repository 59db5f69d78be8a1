"""Values of the core as JSON and back, exactly. Fields that a kept value lacks get their defaults."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from bot.core.action import Action
from bot.core.alert import Alert, Snooze, Terms
from sensors.model.clock import utc
from sensors.model.team import LadderStep

V = TypeVar("V")
Turn = Callable[[Any], Any]
Both = tuple[Turn, Turn]  # to JSON, from JSON


def encode(value: Any) -> Any:
    """A dataclass as JSON, by the types of its fields."""
    return _ways(type(value))[0](value)


def decode(kind: type[V], data: Any) -> V:
    """The value of that type whose JSON it is."""
    return cast(V, _ways(kind)[1](data))


def action_record(action: Action) -> dict[str, Any]:
    """An action as history keeps it: its name and its fields."""
    return {"action": type(action).__name__, **encode(action)}


def action_of(record: Mapping[str, Any]) -> Action:
    """The action that a line of history keeps."""
    fields = {name: part for name, part in record.items() if name != "action"}
    return cast(Action, decode(VALUES[record["action"]], fields))


def _ways(kind: Any) -> Both:
    return _both(kind)


@cache
def _both(hint: Hashable) -> Both:
    """The two ways for a type, worked out once."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(args)
    if origin is tuple:
        put, get = _both(args[0])
        return lambda v: [put(x) for x in v], lambda d: tuple(get(x) for x in d)
    if origin is not None and issubclass(origin, Mapping):
        return pack_values, unpack_values
    if hint is Any:
        return pack, unpack
    if dataclasses.is_dataclass(hint):
        return _dataclass(cast(type, hint))
    return _scalar(hint)


def _optional(args: tuple[Any, ...]) -> Both:
    (inner,) = [a for a in args if a is not type(None)]
    put, get = _both(inner)
    return lambda v: None if v is None else put(v), lambda d: None if d is None else get(d)


def _scalar(hint: Any) -> Both:
    if issubclass(hint, IntEnum):
        return lambda v: v.name, lambda d: hint[d]
    if issubclass(hint, Enum):
        return lambda v: v.value, hint
    if hint is datetime:
        return lambda v: utc(v).isoformat(), datetime.fromisoformat
    if hint is timedelta:
        return microseconds, lambda d: timedelta(microseconds=d)
    return _same, _same


def _same(value: Any) -> Any:
    return value


def _dataclass(kind: type) -> Both:
    hints = get_type_hints(kind)
    ways = {f.name: _both(hints[f.name]) for f in dataclasses.fields(kind)}
    puts = [(name, put) for name, (put, _) in ways.items()]
    gets = {name: get for name, (_, get) in ways.items()}

    def to_json(value: Any) -> Any:
        return {name: put(getattr(value, name)) for name, put in puts}

    def from_json(data: Any) -> Any:
        return kind(**{name: gets[name](part) for name, part in data.items() if name in gets})

    return to_json, from_json


def microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


# Values of no declared type: what a warehouse gave, what an effect carries. What JSON knows stays as it is;
# all else becomes a mapping with one name that begins with `$`, and so does a mapping that looks like one.


def pack_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): pack(value) for name, value in values.items()}


def unpack_values(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: unpack(value) for name, value in data.items()}


def pack(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (str, int, bool):
        return value
    if kind is list:
        return [pack(v) for v in value]
    if kind in PACKED:
        return {f"${kind.__name__}": PACKED[kind][0](value)}
    if kind is float:
        return value if value - value == 0 else {"$float": str(value)}
    return _pack_other(value)


def _pack_other(value: Any) -> Any:
    if isinstance(value, Mapping):
        inside = pack_values(value)
        looks_packed = len(inside) == 1 and next(iter(inside)).startswith("$")
        return {"$map": inside} if looks_packed else inside
    if type(value) in DATACLASSES:
        return {f"${type(value).__name__}": encode(value)}
    if isinstance(value, IntEnum):
        return int(value)
    return str(value)  # text of a StrEnum; for the rest: nothing that a driver invents may stop a save


def unpack(data: Any) -> Any:
    if isinstance(data, list):
        return [unpack(d) for d in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        [(name, inside)] = data.items()
        if name.startswith("$"):
            return _unpack_tagged(name[1:], inside)
    return unpack_values(data)


def _unpack_tagged(name: str, inside: Any) -> Any:
    if name == "map":
        return unpack_values(inside)
    if name == "float":
        return float(inside)
    if name in VALUES:
        return decode(VALUES[name], inside)
    return PACKED_BY_NAME[name](inside)


PACKED: dict[type, Both] = {
    tuple: (lambda v: [pack(x) for x in v], lambda d: tuple(unpack(x) for x in d)),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    date: (date.isoformat, date.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
    timedelta: (microseconds, lambda d: timedelta(microseconds=d)),
    Decimal: (str, Decimal),
    UUID: (str, UUID),
    bytes: (bytes.hex, bytes.fromhex),
}
PACKED_BY_NAME = {kind.__name__: get for kind, (_, get) in PACKED.items()}
VALUES: dict[str, type] = {
    kind.__name__: kind for kind in (*get_args(Action), Alert, Terms, Snooze, LadderStep)
}
DATACLASSES = frozenset(VALUES.values())
