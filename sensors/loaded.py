"""A catalog that still knows where its entries stand, for problems that are found later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sensors.draft import Draft
from sensors.model.bundle import Bundle
from sensors.model.catalog import Catalog, Problem
from sensors.sources import Root
from sensors.yaml_marks import Document

NOWHERE = Root(Bundle("main"), Path())


@dataclass(frozen=True)
class Loaded(Catalog):
    """Of one bundle, in its own words; or of several under the names that all know, with each in `parts`."""

    root: Root = field(default=NOWHERE, compare=False, repr=False)  # of several: the project's own
    documents: Mapping[str, Document] = field(default_factory=dict, compare=False, repr=False)  # by path
    drafts: tuple[Draft, ...] = field(default=(), compare=False, repr=False)  # of broken policies too
    texts: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)  # by path
    bad: frozenset[str] = field(default=frozenset(), compare=False, repr=False)  # paths that are not good
    declared: tuple[Problem, ...] = field(default=(), compare=False, repr=False)  # what patrol.yml says of it
    away: bool = field(default=False, compare=False, repr=False)  # this is what it last said
    trouble: str = field(default="", compare=False, repr=False)  # why it is not its newest version
    dbt: str = field(default="", compare=False, repr=False)  # its tables, as they are or last were good

    @property
    def each(self) -> Iterator[Loaded]:
        """Each bundle by itself, in its own words."""
        for part in self.parts.values() if self.parts else (self,):
            assert isinstance(part, Loaded)
            yield part

    def placed(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Problems of this bundle's files where people find the files."""
        for problem in problems:
            yield replace(problem, path=self.root.shown + problem.path) if self.root.shown else problem

    def file(self, path: str) -> Path:
        """Where the file lies whose path people read so."""
        for part in self.each:
            if part.root.shown and path.startswith(part.root.shown):
                return part.root.folder / path.removeprefix(part.root.shown)
        return self.root.folder / path
