"""Defaults by folder: what holds for every policy below a _defaults.yml that does not say otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sensors.file_defaults import DefaultsFile
from sensors.file_policy import PolicyFile
from sensors.files import validated
from sensors.model.catalog import Problem
from sensors.sources import DEFAULTS
from sensors.yaml_marks import Document, Path, read

JOINED: tuple[Path, ...] = (("alert",), ("alert", "columns"), ("needs",), ("params",))
OF_EVERY_POLICY = ("owner", "status", "violation", "channel", "review_channel")  # wrong by themselves


@dataclass
class Defaults:
    """One bundle's, by their paths."""

    documents: dict[str, Document] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def over(self, path: str) -> list[Document]:
        """Those that hold for the policy at `path`, the nearest first."""
        return [self.documents[one] for one in chain(path) if one in self.documents]


def chain(path: str) -> Iterator[str]:
    """Where defaults for the file at `path` may lie, the nearest first."""
    folder = path.rpartition("/")[0]
    while folder:
        yield f"{folder}/{DEFAULTS}"
        folder = folder.rpartition("/")[0]


def load(texts: Mapping[str, str]) -> Defaults:
    found = Defaults()
    for path in sorted(texts):
        if path.startswith("policies/") and path.endswith(f"/{DEFAULTS}"):
            document = found.documents[path] = read(path, texts[path])
            wrong = list(_wrong(document))
            found.problems += wrong
            if any(not one.warning for one in wrong):
                found.broken.add(path)
    return found


def _wrong(document: Document) -> Iterator[Problem]:
    yield from document.problems
    if document.problems or document.data is None:
        return
    if not isinstance(document.data, dict):
        yield document.problem_at((1, 1), "this file is a mapping of keys that a policy may have: owner: …")
        return
    own = [key for key in document.data if key in PolicyFile.model_fields.keys() - DefaultsFile.model_fields]
    for key in own:
        yield document.problem((key,), "belongs to each policy; a folder gives no default for it", key=True)
    if not own:
        yield from validated(DefaultsFile, document)[1]


@dataclass
class Layered(Document):
    """A policy's document with the defaults below it: a problem stands where the wrong value was written."""

    under: Sequence[Document] = ()  # the nearest first
    taken: dict[str, Any] = field(default_factory=dict)  # what was not said here

    def layer(self, where: Path) -> Document:
        for length in range(len(where), 0, -1):
            for one in (self, *self.under):
                if where[:length] in one.values:
                    return one
        return self

    def problem(self, where: Path, what: str, *, key: bool = False, warning: bool = False) -> Problem:
        layer = self.layer(where)
        if layer is self:
            return super().problem(where, what, key=key, warning=warning)
        whose = "" if where[0] in OF_EVERY_POLICY else f" (for {self.path})"
        return layer.problem(where, what + whose, key=key, warning=warning)

    @property
    def content(self) -> list[str]:
        """What a policy's runs depend on besides its own text."""
        return [json.dumps(self.taken, sort_keys=True, ensure_ascii=False)] if self.taken else []


def layered(document: Document, under: Sequence[Document]) -> Document:
    """The document with what the defaults say where it says nothing; itself where they say nothing."""
    given = [one for one in under if isinstance(one.data, dict)]
    if not given or not isinstance(document.data, dict):
        return document
    data, taken = document.data, dict[str, Any]()
    for one in given:
        data, more = joined(data, one.data)
        taken = joined(taken, more)[0]
    return Layered(
        document.path,
        document.text,
        data,
        document.keys,
        document.values,
        document.problems,
        under=given,
        taken=taken,
    )


def joined(
    over: Mapping[str, Any], below: Mapping[str, Any], at: Path = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All of `over`, with what only `below` says; and the latter by itself.

    A key is taken whole or not at all, but `JOINED` ones are joined entry by entry.
    """
    data, taken = dict(over), dict[str, Any]()
    for key, value in below.items():
        here = (*at, key)
        if key not in over:
            data[key] = taken[key] = value
        elif here in JOINED and isinstance(over[key], dict) and isinstance(value, dict):
            data[key], more = joined(over[key], value, here)
            if more:
                taken[key] = more
    return data, taken
