"""A declared request held against the published description of the API, which comes with botocore. Where that
is not installed nothing is said: AWS itself looks at the start."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from bot.jobs import fill
from bot.jobs.config import meant

NUMBERS = ("integer", "long", "float", "double")
NAMED = {
    "structure": "a mapping",
    "map": "a mapping",
    "list": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
}


def problems(operation: str, request: Mapping[str, Any], ours: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with the template of a request, as far as it can be seen before values are filled in.
    `ours` are the members that Patrol gives itself."""
    shape = _input(operation)
    if shape is not None:
        given = {**request, **dict.fromkeys(ours, "{idempotency_key}")}
        yield from _wrong("request", shape, given)


def fitted(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A filled request in the types of the API. What an absent parameter would have filled is left out, and
    with it the entry of a list that needs it: a pipeline's parameter then has the pipeline's own default."""
    found = _fit(_input(operation), request)
    return found if isinstance(found, dict) else {}


def _input(operation: str) -> Any:
    model = _model()
    return None if model is None else model.operation_model(operation).input_shape


@cache
def _model() -> Any:
    try:
        import botocore.session
    except ImportError:
        return None
    return botocore.session.Session().get_service_model("sagemaker")


# ------------------------------------------------------------------------------ what is wrong


def _wrong(where: str, shape: Any, value: Any) -> Iterator[str]:
    if isinstance(value, str) and fill.PLACE.search(value):
        return  # what it will be is not known yet
    kind = shape.type_name
    if not _of(kind, value):
        yield f"{where}: must be {NAMED.get(kind, f'a {kind}')}"
    elif kind == "structure":
        yield from _members(where, shape, value)
    elif kind == "map":
        for key, one in value.items():
            yield from _wrong(f"{where}.{key}", shape.value, one)
    elif kind == "list":
        yield from _sized(where, shape.metadata, len(value), "entries")
        for index, one in enumerate(value):
            yield from _wrong(f"{where}[{index + 1}]", shape.member, one)
    elif kind == "string":
        yield from _text(where, shape, str(value).lower() if isinstance(value, bool) else str(value))
    elif kind in NUMBERS:
        yield from _sized(where, shape.metadata, value, "")


def _members(where: str, shape: Any, value: Mapping[str, Any]) -> Iterator[str]:
    for key in value:
        if key not in shape.members:
            yield f"{where}.{key}: SageMaker knows no such key here{meant(str(key), shape.members)}"
    for key in shape.required_members:
        if value.get(key) is None:
            yield f"{where}.{key}: is missing; SageMaker needs it"
    for key, one in value.items():
        if key in shape.members and one is not None:
            yield from _wrong(f"{where}.{key}", shape.members[key], one)


def _text(where: str, shape: Any, value: str) -> Iterator[str]:
    yield from _sized(where, shape.metadata, len(value), "characters")
    if shape.enum and value not in shape.enum:
        known = f": {', '.join(shape.enum)}" if len(shape.enum) <= 8 else ""
        yield f'{where}: SageMaker does not know "{value[:60]}"{meant(value, shape.enum) or known}'
    pattern = shape.metadata.get("pattern")
    if pattern and not shape.enum and not _matches(pattern, value):
        yield f'{where}: must match {pattern}, not "{value[:60]}"'


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # not every pattern of theirs is one of Python's
        return True


def _sized(where: str, limits: Mapping[str, Any], size: float, what: str) -> Iterator[str]:
    words = f" {what}" if what else ""
    if (most := limits.get("max")) is not None and size > float(most):
        yield f"{where}: must be at most {most}{words}, not {size}"
    if (least := limits.get("min")) is not None and size < float(least):
        yield f"{where}: must be at least {least}{words}, not {size}"


def _of(kind: str, value: Any) -> bool:
    """Whether a value of a file can be one of that kind. A number may stand where a text is wanted."""
    match kind:
        case "structure" | "map":
            return isinstance(value, Mapping)
        case "list":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str | int | float)
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return True


# ------------------------------------------------------------------------------ made fit


def _fit(shape: Any, value: Any) -> Any:
    if shape is None:
        return value
    if isinstance(value, Mapping):
        inner = getattr(shape, "members", None)
        kept = {k: v for k, v in value.items() if v is not None}
        if inner is None:
            return {k: _fit(getattr(shape, "value", None), v) for k, v in kept.items()}
        return {k: _fit(inner.get(k), v) for k, v in kept.items()}
    if isinstance(value, list | tuple):
        member = getattr(shape, "member", None)
        return [_fit(member, one) for one in value if not _lacks(member, one)]
    return _scalar(shape.type_name, value)


def _lacks(member: Any, value: Any) -> bool:
    """Whether an entry is empty for want of a parameter."""
    needed = getattr(member, "required_members", None) or ()
    return value is None or (
        isinstance(value, Mapping) and any(k in value and value[k] is None for k in needed)
    )


def _scalar(kind: str, value: Any) -> Any:
    """The value as the API writes it; one that cannot be is left for the API to refuse."""
    if kind == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        return value
    if kind in ("integer", "long") and re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        return int(value)
    if kind in ("float", "double") and re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", value, re.ASCII):
        return float(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value
