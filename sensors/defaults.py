"""Defaults by folder: what holds for every policy below a _defaults.yml that does not say otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sensors.file_defaults import DefaultsFile
from sensors.file_policy import PolicyFile
from sensors.files import validated
from sensors.model.catalog import Problem
from sensors.sources import DEFAULTS
from sensors.yaml_marks import Document, Path, read

OF_EVERY_POLICY = ("owner", "status", "violation", "channel", "review_channel")  # wrong by themselves


@dataclass
class Defaults:
    """Those of a project, by their paths."""

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
        if not where or where[0] not in self.taken:
            return self
        return next(one for one in self.under if where[0] in one.data)

    def problem(self, where: Path, what: str, *, key: bool = False, warning: bool = False) -> Problem:
        layer = self.layer(where)
        if layer is self:
            return super().problem(where, what, key=key, warning=warning)
        whose = "" if where[0] in OF_EVERY_POLICY else f" (for {self.path})"
        return layer.problem(where, what + whose, key=key, warning=warning)


def layered(document: Document, under: Sequence[Document]) -> Document:
    """The document with what the defaults say where it says nothing: each key whole, from the nearest."""
    given = [one for one in under if isinstance(one.data, dict)]
    if not given or not isinstance(document.data, dict):
        return document
    taken: dict[str, Any] = {}
    for one in given:
        taken |= {key: one.data[key] for key in one.data if key not in taken and key not in document.data}
    return Layered(
        document.path,
        document.text,
        {**document.data, **taken},
        document.keys,
        document.values,
        document.problems,
        under=given,
        taken=taken,
    )


def as_taken(taken: Mapping[str, Any]) -> Defaults:
    """Defaults that say just this: what a policy took, as its content keeps it."""
    path = f"policies/{DEFAULTS}"
    return Defaults({path: Document(path, "", dict(taken))} if taken else {})
