"""Values as JSON and back, exactly, by their type hints: what the store keeps of alerts and actions."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

from bot.core import action as actions

ACTIONS: Mapping[str, Any] = {kind.__name__: kind for kind in typing.get_args(actions.Action)}


def to_record(value: Any) -> Any:
    """The value as JSON. Mappings of unknown type must hold plain JSON already."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value / timedelta(microseconds=1)
        case Mapping():
            return {to_record(k): to_record(v) for k, v in value.items()}
        case tuple() | list() | frozenset():
            return [to_record(v) for v in (sorted(value) if isinstance(value, frozenset) else value)]
        case _ if is_dataclass(value):
            return {f.name: to_record(getattr(value, f.name)) for f in fields(value)}
    return value


def from_record(kind: Any, data: Any) -> Any:
    """The value of type `kind` whose record is `data`; fields that the record lacks take their defaults."""
    if data is None or kind is Any:
        return data
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return from_record(next(a for a in args if a is not type(None)), data)
    if origin is tuple:
        inner = [args[0]] * len(data) if args[-1] is Ellipsis else args
        return tuple(from_record(a, v) for a, v in zip(inner, data, strict=True))
    if origin is frozenset:
        return frozenset(from_record(args[0], v) for v in data)
    if origin is not None and issubclass(origin, Mapping):
        return {from_record(args[0], k): from_record(args[1], v) for k, v in data.items()}
    return _leaf(kind, data)


def _leaf(kind: Any, data: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: from_record(hints[name], v) for name, v in data.items() if name in hints})
    if kind is datetime:
        return datetime.fromisoformat(data)
    if kind is timedelta:
        return timedelta(microseconds=data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return data


def action_record(action: Any) -> dict[str, Any]:
    """An action as history keeps it: its fields and its name."""
    return {"action": type(action).__name__, **to_record(action)}


def action_of(record: Mapping[str, Any]) -> Any:
    """The action that a line of history keeps."""
    return from_record(ACTIONS[record["action"]], {k: v for k, v in record.items() if k != "action"})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)
