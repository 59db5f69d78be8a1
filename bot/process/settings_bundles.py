"""`bundles:` of patrol.yml: name → where its files come from. All mistakes at once, each at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml

from sensors.model.bundle import Bundle
from sensors.model.graph import KINDS
from sensors.model.session import NAME as PLAIN
from sensors.model.session import SHAPE, USUAL, Session

FILE = "patrol.yml"
NAME = re.compile(r"[a-z][a-z0-9_-]*")
KEYS = {
    "path": "The folder, seen from this file; with git, the folder within the repository",
    "git": "The repository's address: https://…, ssh://…, git@host:… or file://…",
    "branch": "The branch that is pulled; default: main",
    "token": "The name of the environment variable that holds a token which may read the repository",
    "owner": "The team of policies/_teams.yml that all its policies must belong to",
    "dialect": "The dialect that its sql/ is written in; default: the project's",
}
DIALECTS = (
    *("snowflake", "duckdb", "postgres", "bigquery", "redshift", "databricks", "spark"),
    *("trino", "presto", "mysql", "sqlite", "clickhouse", "tsql", "oracle"),
)
SESSION = {
    "role": "The role that its queries are asked as",
    "warehouse": "Snowflake's warehouse that computes them",
    "schema": "Where a table is looked for whose name says no schema",
}
OUR_OWN = ("PATROL_", "SLACK_")  # variables that no bundle may name, whatever it is called
Say = Callable[[yaml.Node, str, str], None]  # notes a mistake: where, of which key, what


def schema() -> dict[str, Any]:
    """What may stand there, as a JSON Schema."""
    texts = {name: {"type": "string", "description": about} for name, about in KEYS.items()}
    names = {
        n: {"type": "string", "pattern": f"^{PLAIN.pattern}$", "description": d} for n, d in SESSION.items()
    }
    session = {"type": "object", "properties": names, "additionalProperties": False}
    each = {"type": "object", "properties": {**texts, "session": session}, "additionalProperties": False}
    about = "Other sets of policies by their names, each with its own files"
    return {
        "type": ["object", "null"],
        "description": about,
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": each,
    }


class Own(Protocol):
    """What the project's other settings say."""

    bundle: str
    dialect: str
    bundle_folders: str | None


def read(root: yaml.Node | None, own: Own) -> tuple[tuple[Bundle, ...], list[str]]:
    """All bundles that are declared right, in the order of their names, and every mistake."""
    mistakes: list[str] = []

    def say(node: yaml.Node, of: str, what: str) -> None:
        mark = node.start_mark
        mistakes.append(f"{FILE}:{mark.line + 1}:{mark.column + 1} {of}: {what}" if mark else f"{of}: {what}")

    found = () if root is None else _declared(root, own.bundle, own.dialect, say)
    try:
        return from_folders(found, own.bundle_folders or "", Path.cwd()), mistakes
    except ValueError as wrong:
        return found, [*mistakes, f"bundle_folders: {wrong}"]


def _declared(root: yaml.Node, main: str, dialect: str, say: Say) -> tuple[Bundle, ...]:
    if not isinstance(root, yaml.MappingNode):
        if root.tag != "tag:yaml.org,2002:null":
            say(root, "bundles", "must hold lines of the form `name: {path: ../folder}`")
        return ()
    found: dict[str, Bundle] = {}
    for key, value in root.value:
        name = str(key.value)[:80]
        if wrong := _name(name, main, found):
            say(key, f"bundles.{name}", wrong)
        elif bundle := _one(name, dialect, key, value, say):
            found[name] = bundle
            for other in (one for one in found.values() if one is not bundle):
                if wrong := _shared(bundle, other):
                    say(key, f"bundles.{name}", wrong)
    return tuple(found[name] for name in sorted(found))


def _name(name: str, main: str, found: dict[str, Bundle]) -> str:
    if not NAME.fullmatch(name):
        return "must be a short name of a-z, 0-9, _ and -"
    if name == main:
        return "is the name of the project's own bundle; choose another"
    if name in KINDS:
        return f"means something else in {name}:x, which is how a {name} is named; choose another name"
    if Bundle(name).variables.startswith(OUR_OWN):
        return (
            f"must not begin so: what begins with {Bundle(name).variables} in the environment is Patrol's own"
        )
    return "stands here a second time" if name in found else ""


def _shared(one: Bundle, other: Bundle) -> str:
    """A bundle's files may name the variables that begin with its name, and these must be its own alone."""
    first, second = sorted((one, other), key=lambda bundle: len(bundle.variables))
    if not second.variables.startswith(first.variables):
        return ""
    said = f"begin with {first.variables}, so {first.name} could name what belongs to {second.name}"
    return f"its variables {said}; choose another name"


def _one(name: str, dialect: str, key: yaml.Node, value: yaml.Node, say: Say) -> Bundle | None:
    given: dict[str, str] = {}
    session = USUAL
    wrong = False

    def refuse(node: yaml.Node, of: str, what: str) -> None:
        nonlocal wrong
        wrong = True
        say(node, f"bundles.{name}{of}", what)

    for part, node in value.value if isinstance(value, yaml.MappingNode) else ():
        if part.value == "session" and session == USUAL:
            session = _session(node, refuse)
        elif part.value == "session":
            refuse(part, ".session", "stands here a second time")
        else:
            _take(part, node, given, refuse)
    if not isinstance(value, yaml.MappingNode):
        refuse(value, "", "must say where its files are: {path: ../folder} or {git: https://…}")
    elif not wrong:
        for of, what in _mistakes(given):
            refuse(
                next((node for part, node in value.value if part.value == of), key),
                f".{of}" if of else "",
                what,
            )
    if wrong:
        return None
    mark = key.start_mark
    place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    path = given.pop("path", "")
    if "git" in given:
        path = str(PurePosixPath("/", path)).strip("/")
    said: dict[str, Any] = {"dialect": dialect, **given}
    return Bundle(name, path=path, place=place, session=session, **said)


def _session(node: yaml.Node, refuse: Say) -> Session:
    """As whom and with which compute the bundle's queries are asked."""
    found: dict[str, str] = {}
    if not isinstance(node, yaml.MappingNode):
        refuse(node, ".session", f"must hold {', '.join(SESSION)}, or some of them: {{role: patrol_risk}}")
        return USUAL
    for part, value in node.value:
        key = str(part.value)[:80]
        if key not in SESSION:
            refuse(part, f".session.{key}", f"there is no such key; there are {', '.join(SESSION)}")
        elif not isinstance(value, yaml.ScalarNode) or not PLAIN.fullmatch(value.value):
            refuse(value, f".session.{key}", SHAPE)
        else:
            found[key] = value.value
    return Session(**found)


def _take(part: yaml.Node, node: yaml.Node, given: dict[str, str], refuse: Say) -> None:
    key = str(part.value)[:80]
    if key not in KEYS:
        refuse(part, f".{key}", f"there is no such key; there are {', '.join(KEYS)}, session")
    elif key in given:
        refuse(part, f".{key}", "stands here a second time")
    elif not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        refuse(node, f".{key}", "must be a single value")
    else:
        given[key] = node.value.strip().lower() if key == "dialect" else node.value.strip()


def _mistakes(given: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with the values, and of which key."""
    path = given.get("path", "")
    if "git" not in given:
        if not path:
            yield "", "must say where its files are: {path: ../folder} or {git: https://…}"
        for key in ("branch", "token"):
            if key in given:
                yield key, "has a meaning only with git"
    elif ".." in PurePosixPath(path).parts or "\\" in path:
        yield "path", "must be a folder within the repository, such as rules/risk"
    if "git" in given:
        yield from _address(given["git"], "token" in given)
    yield from _words(given)


def _words(given: dict[str, str]) -> Iterator[tuple[str, str]]:
    if given.get("dialect", "duckdb") not in DIALECTS:
        yield "dialect", f"must be a dialect of SQL such as {', '.join(DIALECTS[:4])}"
    branch = given.get("branch", "main")
    if not re.fullmatch(r"[\w./+#@-]{1,200}", branch) or branch[0] in "-/." or ".." in branch:
        yield "branch", "must be the name of a branch"
    if not re.fullmatch(r"[A-Za-z_]\w*", given.get("token", "X")):
        yield "token", "must be the name of an environment variable; the token itself has no place in a file"
    elif given.get("token", "").startswith(OUR_OWN):
        yield "token", "must be a variable of its own: the names that begin so are Patrol's"


def _address(url: str, token: bool) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(url)
        password, host = parts.password, parts.hostname
    except ValueError:
        parts, password, host = urlsplit(""), None, None
    like_ssh = re.fullmatch(r"[\w.-]+@[\w.-]+:[^\s:]+", url)
    if not like_ssh and parts.scheme not in ("https", "http", "ssh", "file"):
        yield "git", "must be an address that begins with https://, ssh:// or file://, or git@host:path"
    elif re.search(r"[\s\x00-\x1f]", url):
        yield "git", "must be an address without spaces"
    elif password:
        yield "git", "must not hold a password; write token: and the variable that holds it"
    elif token and (like_ssh or parts.scheme not in ("https", "http")):
        yield "token", "has a meaning only with an address that begins with https://"
    elif token and parts.scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        yield "git", "must begin with https://, or everybody on the way could read the token"


def from_folders(bundles: tuple[Bundle, ...], given: str, here: Path) -> tuple[Bundle, ...]:
    """The same, with those named in `risk=../risk,shop=.` taken from these folders; ValueError says what is
    wrong with that."""
    folders: dict[str, str] = {}
    for one in filter(None, (part.strip() for part in given.split(","))):
        name, equals, folder = (part.strip() for part in one.partition("="))
        if not (equals and name and folder):
            raise ValueError("must be names and folders, such as risk=../risk,shop=.")
        if name not in {bundle.name for bundle in bundles}:
            known = ", ".join(bundle.name for bundle in bundles) or "none"
            raise ValueError(f"there is no bundle {name[:80]!r} in patrol.yml; there are {known}")
        folders[name] = str((here / folder).resolve())
    return tuple(
        replace(one, path=folders[one.name], git=None, token=None) if one.name in folders else one
        for one in bundles
    )
