"""YAML with the place of every value, read as YAML 1.2 reads it. Knows nothing of policies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from sensors.model.catalog import Problem
from sensors.yaml_mistakes import say

Path = tuple[str | int, ...]
Place = tuple[int, int]  # line and column, from 1

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(SafeLoader):  # type: ignore[misc]  # the C loader has no types
    """Resolves nothing by itself: `no`, `on`, `1:30` and `010` stay what was typed."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 - PyYAML's own name


@dataclass
class Document:
    """What a file says, where it says it, and what is wrong with how it is written."""

    path: str
    text: str
    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at(self, where: Path, *, key: bool = False) -> Place:
        """The place of a value (or of its key), or of the nearest thing around it."""
        places = self.keys if key else self.values
        while where and where not in places:
            where, places = where[:-1], self.values
        return places.get(where, (1, 1))

    def layer(self, where: Path) -> Document:  # noqa: ARG002  what lies below another says where it stands
        """The document that holds the value at this path."""
        return self

    def problem(self, where: Path, what: str, *, key: bool = False, warning: bool = False) -> Problem:
        """A problem at a value, its path said in front: `alert.title: …`."""
        return self.problem_at(self.at(where, key=key), f"{dotted(where)}{what}", warning=warning)

    def problem_at(self, place: Place, what: str, *, warning: bool = False) -> Problem:
        return Problem(self.path, place[0], place[1], what, warning, line_of(self.text, place[0]))


def dotted(where: Path) -> str:
    """`alert.fields[2]: ` in front of a sentence; nothing for the file itself."""
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return f"{text}: " if text else ""


def line_of(text: str, line: int) -> str:
    lines = _lines(text)
    return lines[line - 1].rstrip() if 0 < line <= len(lines) else ""


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    """Kept, because each value of a file asks for its line."""
    return text.splitlines()


def read(path: str, text: str) -> Document:
    """The file's data and marks; `data` is None where it could not be read at all."""
    document = Document(path, text)
    try:
        root = _composed(text)
    except yaml.YAMLError as error:
        line, column, what = say(text, error)
        document.problems.append(document.problem_at((line, column), what))
        return document
    except RecursionError:
        document.problems.append(document.problem_at((1, 1), "this is nested too deeply to be read"))
        return document
    if root is not None:
        _Reader(document).value(root, ())
        document.data = _Reader(document).data(root)
    return document


DEEPEST = 100  # lists and mappings in one another
PERHAPS_DEEP = re.compile(rf"^[ \t?-]{{{DEEPEST},}}", re.MULTILINE)


def _composed(text: str) -> yaml.Node | None:
    """The nodes; RecursionError where they are nested more deeply than anybody would write.

    The C parser makes them by recursion and dies with the process where there are too many, so that the
    depth is counted first, in the few files that could have it.
    """
    if text.count("[") + text.count("{") > DEEPEST or PERHAPS_DEEP.search(text):
        depth = 0
        for event in yaml.parse(text, Loader=Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise RecursionError
    return yaml.compose(text, Loader=Loader)


NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


def scalar(text: str) -> Any:
    """A plain scalar's value: true, false, null, numbers; everything else is the text as typed."""
    if text in WORDS:
        return WORDS[text]
    if (found := NUMBER.fullmatch(text)) is None or len(text) > 300:
        return text
    return float(text) if found[2] or found[3] else int(text)


class _Reader:
    """Walks the nodes twice: once for marks and mistakes, once for data."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, where: Path) -> None:
        place = _place(node)
        self.document.values[where] = place
        if id(node) in self.seen:
            self._wrong(place, f"{dotted(where)}&name and *name are not used here: write the value out again")
            return
        self.seen.add(id(node))
        if node.tag not in TAGS:
            tag = node.tag.rpartition(":")[2].lstrip("!")
            self._wrong(place, f"{dotted(where)}the tag !{tag} is not used here: write the plain value")
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, where)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.value(item, (*where, index))
        elif isinstance(node, yaml.ScalarNode) and not node.style:
            self._cut_short(node, where)

    def _cut_short(self, node: yaml.ScalarNode, where: Path) -> None:
        """`Order #5 came late` is read as `Order`: the rest is a comment to YAML."""
        rest = line_of(self.document.text, node.end_mark.line + 1)[node.end_mark.column :]
        lost = re.match(r"\s+(#\w.*)", rest)
        if lost and not node.value:
            said = f'# begins a comment, so nothing stands here; put quotes around it: "{lost[1][:40]}"'
            place = (node.end_mark.line + 1, node.end_mark.column + lost.start(1) + 1)
            self._wrong(place, f"{dotted(where)}{said}")
        elif lost:
            said = f'YAML takes "{lost[1][:40]}" for a comment; put quotes around the text'
            self._wrong(_place(node), f"{dotted(where)}{said}")

    def _mapping(self, node: yaml.MappingNode, where: Path) -> None:
        first: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                said = 'a value that begins with {{ needs quotes: "{{ … }}"'
                self._wrong(_place(node), f"{dotted(where)}{said}")
                continue
            name = str(key.value)
            if name in first:
                said = f"{name} stands here twice, first in line {first[name]}; keep one"
                self._wrong(_place(key), f"{dotted(where)}{said}")
                continue
            first[name] = key.start_mark.line + 1
            self.document.keys[(*where, name)] = _place(key)
            self.value(value, (*where, name))

    def _wrong(self, place: Place, what: str) -> None:
        self.document.problems.append(self.document.problem_at(place, what))

    def data(self, node: yaml.Node) -> Any:
        if self.document.problems:
            return None
        if isinstance(node, yaml.MappingNode):
            return {str(key.value): self.data(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self.data(item) for item in node.value]
        plain = isinstance(node, yaml.ScalarNode) and not node.style
        return scalar(str(node.value)) if plain else str(node.value)


def _place(node: yaml.Node) -> Place:
    return (node.start_mark.line + 1, node.start_mark.column + 1)
