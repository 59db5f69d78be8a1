"""The small language in which Block Kit's rules are written: checks that add problems and never raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

URL = re.compile(r"^[a-z][a-z0-9+.-]*:(//)?[^\s<>\"]+$", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """`pointer` is a JSON pointer to the place; `code` one word for the kind of mistake."""

    code: str
    message: str
    pointer: str

    def line(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


Shows = Callable[[str], bool]  # whether a file may be shown, by its id or address


def any_file(_file: str) -> bool:
    """Where no files are known."""
    return True


@dataclass
class Finding:
    """What one walk through some blocks has met: problems, and the ids seen so far."""

    surface: str
    shows: Shows = any_file
    problems: list[Problem] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    action_ids: set[str] = field(default_factory=set)

    def add(self, code: str, message: str, pointer: str) -> None:
        self.problems.append(Problem(code, message, pointer))


Check = Callable[[Any, str, Finding], None]


@dataclass(frozen=True)
class Need:
    """Marks a field as required."""

    check: Check


Fields = Mapping[str, Check | Need]


def string(high: int, low: int = 1) -> Check:
    def check(value: Any, at: str, found: Finding) -> None:
        if not isinstance(value, str):
            found.add("invalid_type", "must provide a string", at)
        elif len(value) < low:
            found.add("too_short", f"must be more than {low - 1} characters", at)
        elif len(value) > high:
            found.add("too_long", f"must be less than {high + 1} characters", at)

    return check


def url(high: int = 3000) -> Check:
    length = string(high)

    def check(value: Any, at: str, found: Finding) -> None:
        before = len(found.problems)
        length(value, at, found)
        if len(found.problems) == before and not URL.match(value):
            found.add("invalid_url", "invalid url", at)

    return check


def pattern(regex: str, says: str) -> Check:
    compiled = re.compile(regex)

    def check(value: Any, at: str, found: Finding) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            found.add("invalid_format", says, at)

    return check


def boolean(value: Any, at: str, found: Finding) -> None:
    if not isinstance(value, bool):
        found.add("invalid_type", "must provide a boolean", at)


def integer(low: int, high: int) -> Check:
    def check(value: Any, at: str, found: Finding) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            found.add("invalid_type", "must provide an integer", at)
        elif not low <= value <= high:
            found.add("out_of_range", f"must be between {low} and {high}", at)

    return check


def choice(*allowed: str) -> Check:
    def check(value: Any, at: str, found: Finding) -> None:
        if value not in allowed:
            found.add("invalid_value", f"must be one of: {', '.join(allowed)}", at)

    return check


def array(each: Check, low: int, high: int) -> Check:
    def check(value: Any, at: str, found: Finding) -> None:
        if not isinstance(value, list):
            found.add("invalid_type", "must provide an array", at)
            return
        if len(value) < low:
            found.add("too_few", f"no fewer than {low} items allowed", at)
        if len(value) > high:
            found.add("too_many", f"no more than {high} items allowed", at)
        for index, item in enumerate(value[: high + 1]):
            each(item, f"{at}/{index}", found)

    return check


def record(fields: Fields, also: Callable[[dict[str, Any], str, Finding], None] | None = None) -> Check:
    """An object with these fields and no others; `also` is a last look at the whole of it."""

    def check(value: Any, at: str, found: Finding) -> None:
        if not isinstance(value, dict):
            found.add("invalid_type", "must provide an object", at)
            return
        for name, rule in fields.items():
            if isinstance(rule, Need) and name not in value:
                found.add("missing_field", f"missing required field: {name}", at)
        for name, part in value.items():
            rule_of = fields.get(name)
            if rule_of is None:
                found.add("additional_property", f"invalid additional property: {name}", at)
            else:
                (rule_of.check if isinstance(rule_of, Need) else rule_of)(part, f"{at}/{name}", found)
        if also is not None:
            also(value, at, found)

    return check


def typed(kinds: Mapping[str, Check], allowed: Collection[str] | None = None) -> Check:
    """An object whose `type` chooses its rule; `allowed` narrows the kinds for this place."""

    def check(value: Any, at: str, found: Finding) -> None:
        if not isinstance(value, dict):
            found.add("invalid_type", "must provide an object", at)
        elif "type" not in value:
            found.add("missing_field", "missing required field: type", at)
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            found.add("unsupported_type", f"unsupported type: {value['type']}", f"{at}/type")
        elif allowed is not None and value["type"] not in allowed:
            found.add("unsupported_type", f"unsupported type here: {value['type']}", f"{at}/type")
        else:
            kinds[value["type"]](value, at, found)

    return check


def items(value: dict[str, Any], name: str) -> list[Any]:
    """What stands in a list of a value that may be anything."""
    found = value.get(name)
    return found if isinstance(found, list) else []


def anything(_value: Any, _at: str, _found: Finding) -> None:
    """For `type`, which `typed` has looked at already."""


def text(high: int, *kinds: str, low: int = 1) -> Check:
    """A text object of these kinds (both when none is named) with a text no longer than `high`."""
    plain = record({"type": Need(anything), "text": Need(string(high, low)), "emoji": boolean})
    mrkdwn = record({"type": Need(anything), "text": Need(string(high, low)), "verbatim": boolean})
    return typed({"plain_text": plain, "mrkdwn": mrkdwn}, kinds or None)


def plain(high: int, low: int = 1) -> Check:
    return text(high, "plain_text", low=low)


def block_id(value: Any, at: str, found: Finding) -> None:
    string(255)(value, at, found)
    if isinstance(value, str):
        if value in found.block_ids:
            found.add("duplicate_id", f'block_id "{value}" already exists', at)
        found.block_ids.add(value)


def action_id(value: Any, at: str, found: Finding) -> None:
    string(255)(value, at, found)
    if isinstance(value, str):
        if value in found.action_ids:
            found.add("duplicate_id", f'action_id "{value}" already exists', at)
        found.action_ids.add(value)
