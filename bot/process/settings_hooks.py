"""`hooks:` of patrol.yml: name → what a signed request to /hooks/<name> does. All mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

FILE = "patrol.yml"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,60}")
VARIABLE = re.compile(r"[A-Za-z_]\w{0,100}")
KEYS = {
    "updates": "What the request says to have been updated: a table such as core.orders, or job:dbt_build",
    "starts": "The job of policies/_jobs.yml that it starts",
    "secret": "The name of the environment variable that holds the secret it is signed with",
}


@dataclass(frozen=True)
class Hook:
    """One of `updates` (a reference) and `starts` (a job's name) is said. `secret` names a variable."""

    name: str
    secret: str
    updates: str = ""
    starts: str = ""
    place: tuple[int, int] = field(default=(1, 1), compare=False)  # line and column in patrol.yml

    @property
    def path(self) -> str:
        return f"/hooks/{self.name}"


def schema() -> dict[str, Any]:
    """What may stand there, as a JSON Schema."""
    texts = {name: {"type": "string", "description": about} for name, about in KEYS.items()}
    return {
        "type": ["object", "null"],
        "description": "Signed requests that others may send, by their names",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"type": "object", "properties": texts, "additionalProperties": False},
    }


def read(root: yaml.Node | None) -> tuple[tuple[Hook, ...], list[str]]:
    """All hooks that are declared right, and every mistake at its place."""
    if root is None or root.tag == "tag:yaml.org,2002:null":
        return (), []
    if not isinstance(root, yaml.MappingNode):
        return (), [
            _at(root, "hooks", "must hold lines of the form `name: {updates: core.orders, secret: X}`")
        ]
    found: dict[str, Hook] = {}
    mistakes: list[str] = []
    for key, value in root.value:
        name = str(key.value)[:80]
        wrong = list(_wrong(name, key, value, found))
        mistakes += wrong
        if not wrong:
            said = {part.value: node.value.strip() for part, node in value.value}
            updates, starts, at = said.get("updates", ""), said.get("starts", ""), key.start_mark
            place = (at.line + 1, at.column + 1) if at else (1, 1)
            found[name] = Hook(name, said["secret"], updates, starts, place)
    return tuple(found.values()), mistakes


def _wrong(name: str, key: yaml.Node, value: yaml.Node, known: dict[str, Hook]) -> Iterator[str]:
    of = f"hooks.{name}"
    if not NAME.fullmatch(name):
        yield _at(key, of, "must be a short name of a-z, 0-9, _ and -")
    if name in known:
        yield _at(key, of, "stands here a second time")
    if not isinstance(value, yaml.MappingNode):
        yield _at(value, of, "must say what it does: {updates: core.orders, secret: DBT_HOOK_SECRET}")
        return
    said: dict[str, str] = {}
    for part, node in value.value:
        if part.value not in KEYS:
            yield _at(part, f"{of}.{str(part.value)[:40]}", f"there is no such key{_meant(str(part.value))}")
        elif not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            yield _at(node, f"{of}.{part.value}", "must be a text")
        else:
            said[part.value] = node.value.strip()
    yield from (_at(value, of, what) for what in _lacking(said))


def _lacking(said: dict[str, str]) -> Iterator[str]:
    if ("updates" in said) == ("starts" in said):
        yield "must say one of updates and starts"
    secret = said.get("secret", "")
    if not secret:
        yield "must say secret: the name of the environment variable that holds it"
    elif not VARIABLE.fullmatch(secret):
        yield "secret: must be the name of an environment variable, not the secret itself"


def _at(node: yaml.Node, of: str, what: str) -> str:
    mark = node.start_mark
    return f"{FILE}:{mark.line + 1}:{mark.column + 1} {of}: {what}" if mark else f"{of}: {what}"


def _meant(word: str) -> str:
    near = next(iter(get_close_matches(word.lower(), list(KEYS), n=1, cutoff=0.6)), "")
    return f'; did you mean "{near}"?' if near else ""
