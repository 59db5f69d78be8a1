"""What a policy's text says of the rows that it finds, and of the alerts that it makes of them. Pure."""

from __future__ import annotations

import json
import re

BLOCK = re.compile(r"^(\w+):.*(?:\n(?:[ \t-].*)?)*", re.MULTILINE)
COLUMN = re.compile(r"\bcolumn:\s*([^\s,}]+)")
FINDS = ("key", "row_key", "params")
JUDGED = ("threshold", "window")


def finds_the_same(was: str, now: str) -> bool:
    """Whether two bodies of a policy find the same rows in a window, letter for letter: then what the one has
    looked at the other has, too. An edited schedule, lookback, title or name changes no row."""
    return bool(was) and _finding(was) == _finding(now)


def alerts_the_same(was: str, now: str) -> bool:
    """Whether two bodies also count alike, in the same lane: then what people said of the alerts of the one
    holds for the other. An edited title, grade, owner or schedule changes no alert's being right."""
    return finds_the_same(was, now) and _judged(was) == _judged(now)


def _finding(body: str) -> object:
    """What of a body says which rows there are, and what makes them the same."""
    queries, dialect, said = _read(body)
    column = COLUMN.search(said.get("window", ""))
    return queries, dialect, [said.get(name) for name in FINDS], column and column[1]


def _judged(body: str) -> object:
    said = _read(body)[2]
    taken = json.loads(body).get("defaults") or {}
    return [said.get(name) for name in JUDGED], "shadow" in said.get("status", str(taken.get("status")))


def _read(body: str) -> tuple[list[object], object, dict[str, str]]:
    """Its queries, their dialect, and each top key of its YAML with all that stands under it."""
    read = json.loads(body)
    policy, *queries = read["files"]
    return queries, read.get("dialect"), {found[1]: found[0].strip() for found in BLOCK.finditer(policy)}
