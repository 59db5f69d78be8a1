"""The door that files come through: shared pydantic types, and pydantic's errors said as plain sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, TypeVar, get_args
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from sensors.model.catalog import Problem
from sensors.model.clock import parse_duration, parse_time
from sensors.near import near
from sensors.yaml_marks import Document, Path

M = TypeVar("M", bound="Door")
Json = dict[str, Any]


class Door(BaseModel):
    """A mapping in a file: no unknown keys, and no value taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


def wrong(what: str, *at: str | int) -> PydanticCustomError:
    """A mistake as a plain sentence, at a path below the value under validation."""
    return PydanticCustomError("plain", "{what}", {"what": what, "at": at})


@dataclass(frozen=True)
class one_of:
    """Lets through one of a few words."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)

    def check(self, value: Any) -> str:
        if value not in self.words:
            raise wrong(f"must be {_or(self.words)}, not {shown(value)}{near(value, self.words)}")
        return str(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, found: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Schema:
    """What a JSON Schema says of a type that pydantic cannot read off: it replaces, or adds to, its own.

    `names`: of what the value is a name, such as teams, so that an editor offers those there are.
    """

    says: Mapping[str, Any] = field(default_factory=dict)
    names: str = ""
    or_else: Mapping[str, Any] = field(default_factory=dict)  # another thing that is taken, too

    def __hash__(self) -> int:
        return hash((repr(self.says), self.names))

    def __get_pydantic_json_schema__(self, found: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        said: Json = dict(self.says) if self.says else handler(found)
        if self.names:
            said = {**said, NAMES: self.names}
        return {"anyOf": [self.or_else, said]} if self.or_else else said


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def shown(value: Any) -> str:
    """A wrong value as the reader typed it, cut short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value[:60]}{"…" if len(value) > 60 else ""}"'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value)[:60]


@cache
def timezones() -> frozenset[str]:
    """Names of all time zones; finding them reads hundreds of files."""
    return frozenset(available_timezones())


def _duration(value: Any) -> timedelta:
    span = parse_duration(value) if isinstance(value, str) else None
    if span is None:
        raise wrong(f"must be a duration such as 30s, 15m, 2h, 1d or 4w, not {shown(value)}")
    return span


def _moment(value: Any) -> Any:
    at = parse_time(value) if isinstance(value, str) else None
    if at is None:
        raise wrong(f"must be a time such as 2026-01-05T12:00:00Z, not {shown(value)}")
    return at


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, bool | int | float):
        raise wrong(f'must be text; put quotes around it: "{shown(value)}"')
    raise wrong(f"must be text, not {shown(value) if value != '' else 'empty'}")


def slack_id(first: str, what: str) -> Any:
    """Lets through Slack's ids that begin with one of the letters."""

    def check(value: str) -> str:
        if not re.fullmatch(rf"[{first}][A-Z0-9]{{2,}}", value):
            raise wrong(f"must be Slack's id of a {what}, such as {first[0]}0123ABCD, not {shown(value)}")
        return value

    return check


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise wrong(f"is not a regular expression: {error.msg}") from None
    return value


def _lower_name(what: str) -> Any:
    def check(value: str) -> str:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", value):
            raise wrong(f"must be the bare name of {what}, not {shown(value)}")
        return value.lower()

    return check


NAMES = "x-names"  # in a schema: of what a text is the name
SPAN = r"^\s*(\d{1,9}\s*[smhdwSMHDW]\s*)+$"
TEXT = {"type": "string", "pattern": r"\S"}
COLUMN = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_$]*$"}

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    Schema({"type": "string", "pattern": SPAN, "examples": ["30s", "15m", "2h", "1d", "4w"]}),
]
Moment = Annotated[
    Any, BeforeValidator(_moment), Schema({"type": "string", "examples": ["2026-01-05T12:00:00Z"]})
]
Text = Annotated[str, BeforeValidator(_text), Schema(TEXT)]
Pattern = Annotated[str, BeforeValidator(_text), AfterValidator(_pattern), Schema(TEXT)]
Column = Annotated[str, BeforeValidator(_text), AfterValidator(_lower_name("a column")), Schema(COLUMN)]
Channel = Annotated[
    Text,
    AfterValidator(slack_id("CG", "channel")),
    Schema({"type": "string", "pattern": "^[CG][A-Z0-9]{2,}$", "examples": ["C0123ABCD"]}),
]
Person = Annotated[
    Text,
    AfterValidator(slack_id("UW", "person")),
    Schema({"type": "string", "pattern": "^[UW][A-Z0-9]{2,}$", "examples": ["U0123ABCD"]}),
]
Group = Annotated[
    Text,
    AfterValidator(slack_id("S", "user group")),
    Schema({"type": "string", "pattern": "^S[A-Z0-9]{2,}$", "examples": ["S0123ABCD"]}),
]
TeamName = Annotated[Text, Schema(TEXT, "teams")]
JobName = Annotated[Text, Schema(TEXT, "jobs")]
TableName = Annotated[str, Schema(TEXT, "assets")]
ViolationName = Annotated[Text, Schema(TEXT, "violations")]
Upstream = Annotated[Text, Schema(TEXT, "upstream")]


def validated(model: type[M], document: Document, where: Path = ()) -> tuple[M | None, list[Problem]]:
    """The part of a document at `where` as `model`, or its problems, each at its place."""
    data: Any = document.data
    for part in where:
        data = data[part]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found = error.errors()
        meant = _meant(model, found)
        return None, [_problem(model, document, where, one) for one in found if not _misspelt(one, meant)]


def _meant(model: type[Door], found: list[ErrorDetails]) -> set[tuple[Path, str]]:
    """Where an unknown key is likely a needed one misspelt: the place and what is suggested there."""
    unknown = [one["loc"] for one in found if one["type"] == "extra_forbidden"]
    return {(loc[:-1], near(loc[-1], _fields(model, loc[:-1]))) for loc in unknown}


def _misspelt(one: ErrorDetails, meant: set[tuple[Path, str]]) -> bool:
    """A key is not missing where it stands misspelt: that is said already."""
    return one["type"] == "missing" and (one["loc"][:-1], f'; did you mean "{one["loc"][-1]}"?') in meant


def _problem(model: type[Door], document: Document, where: Path, details: ErrorDetails) -> Problem:
    loc: Path = tuple(part for part in details["loc"] if part != "[key]")
    context = details.get("ctx", {})
    here = (*where, *loc, *context.get("at", ()))
    match details["type"]:
        case "missing":
            parent = (*where, *loc[:-1])
            return document.problem(parent, f"{loc[-1]} is missing")
        case "extra_forbidden":
            known = _fields(model, loc[:-1])
            said = f'unknown key "{loc[-1]}"{near(loc[-1], known)}'
            held = document.layer(here)
            return held.problem_at(held.at(here, key=True), said)
        case "plain":
            return document.problem(here, str(context["what"]))
    return document.problem(here, _sentence(details))


SHAPES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list such as [a, b]",
    "dict_type": "must be a mapping such as {a: b}",
    "model_type": "must be a mapping such as {a: b}",
    "model_attributes_type": "must be a mapping such as {a: b}",
}


def _sentence(details: ErrorDetails) -> str:
    value, context = details["input"], details.get("ctx", {})
    match details["type"]:
        case "greater_than_equal":
            return f"must be at least {context['ge']}, not {shown(value)}"
        case "less_than_equal":
            return f"must be at most {context['le']}, not {shown(value)}"
        case "too_short":
            return "must not be empty"
    return f"{SHAPES.get(details['type'], 'does not fit here')}, not {shown(value)}"


def _fields(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys that the mapping at `loc` below `model` may have."""
    found: type[BaseModel] | None = model
    for part in loc:
        info = None if found is None else found.model_fields.get(str(part))
        if info is not None:
            found = _model_in(info)
    return [info.alias or name for name, info in found.model_fields.items()] if found else []


def _model_in(info: FieldInfo) -> type[BaseModel] | None:
    queue: list[Any] = [info.annotation]
    while queue:
        kind = queue.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        queue.extend(get_args(kind))
    return None
