"""What reading all bundles is asked and gives; and done in this process. What it takes is imported only then:
who has it done in another process (`apart`) need not hold it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sensors.model.asset import Asset
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy
from sensors.sources import Root, Sources
from sensors.warehouse import WarehouseError
from sensors.warehouse.dialect import native

if TYPE_CHECKING:
    from sensors.loaded import Loaded


class ReadingFailed(Exception):
    """The files could not be read as a whole, by no fault of one of them: what was read before goes on.

    Says in words what happened. `detail`: the last that the process said which was to read them.
    """

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(what)
        self.detail = detail


def shelf_of(project: Path) -> Path:
    """Where what was proved of its files is kept for the next start."""
    return project / ".patrol" / "proved"


@dataclass(frozen=True)
class Wanted:
    """Bundles to be read, and what was good of them before."""

    roots: tuple[Root, ...]  # the project's own first
    last_good: Catalog = field(default_factory=Catalog)
    versions: Mapping[str, str] = field(default_factory=dict)  # by bundle the one in use, maybe elsewhere
    kept: Mapping[str, str] = field(default_factory=dict)  # by bundle its files as they were good, as JSON
    speaks: str = "duckdb"  # the dialect of the warehouse that they will be asked of

    @property
    def shelf(self) -> Path:
        return shelf_of(self.roots[0].folder)

    @property
    def first(self) -> bool:
        """Nothing was read yet since the start."""
        return not self.last_good.version

    def behind(self, bundle: str) -> bool:
        """Whether what is good of it is known elsewhere: nothing was read yet since the start, or another
        process has read a version that this one has not."""
        return bundle in self.kept and self.last_good.part(bundle).version != self.versions.get(bundle)


@dataclass(frozen=True)
class Read:
    """The catalog, and nothing that only its making needs."""

    catalog: Catalog
    dbt: str  # the project's tables of dbt, as they are or last were good
    good: Mapping[str, str]  # by bundle that is there its files as they are, or last were, good, as JSON

    def version(self, bundle: str) -> str:
        return self.catalog.part(bundle).version


class Reader(Protocol):
    """Reads files. Raises ReadingFailed."""

    def read(self, wanted: Wanted) -> Read:
        """Reads and proves all that the files say. A file that does not load keeps its last good version."""
        ...

    def earlier(self, policy: Policy, body: str, assets: Mapping[str, Asset], dialect: str) -> Policy | None:
        """The policy that `body` was the body of, to be asked of a warehouse of this dialect; None where that
        cannot be said any more."""
        ...


class Here:
    """A `Reader` in this process, which from then on holds all that reading needs.

    `recalled`: what an earlier process has proved was taken in already.
    """

    def __init__(self, recalled: bool = False) -> None:
        self._recalled = recalled

    def read(self, wanted: Wanted) -> Read:
        from sensors import draft, shelf

        recalled = self._recalled or (not draft.proved() and shelf.recall(wanted.shelf))
        loaded = _load(wanted)
        good = {part.root.bundle.name: part for part in loaded.each if not part.away}
        if not recalled or wanted.versions != {name: part.version for name, part in good.items()}:
            shelf.keep(wanted.shelf)
        kept = {n: json.dumps(_good(part, wanted.kept), sort_keys=True) for n, part in good.items()}
        return Read(_plain(loaded), next(loaded.each).dbt, kept)

    def earlier(self, policy: Policy, body: str, assets: Mapping[str, Asset], dialect: str) -> Policy | None:
        from sensors.earlier import earlier

        found = earlier(policy, body, assets)
        if found is not None:
            with suppress(WarehouseError):  # said when it is asked
                native(found.query, dialect)
        return found


HERE = Here()


def _load(wanted: Wanted) -> Loaded:
    from sensors.catalog import load_all

    loaded = load_all(wanted.roots, last_good=wanted.last_good, carry_to=wanted.speaks)
    lacking = loaded.broken or any(part.away or part.errors for part in loaded.each)
    if lacking and any(wanted.behind(root.bundle.name) for root in wanted.roots):
        loaded = load_all(wanted.roots, last_good=_last_good(wanted), carry_to=wanted.speaks)
    return loaded


def _last_good(wanted: Wanted) -> Catalog:
    """What this process has read last of each bundle, or what is kept of it where that is newer."""
    from sensors.catalog import load_all

    kept = load_all([_as_kept(root, wanted.kept) for root in wanted.roots], carry_to=wanted.speaks)
    names = [root.bundle.name for root in wanted.roots]
    return Catalog(
        parts={name: (kept if wanted.behind(name) else wanted.last_good).part(name) for name in names}
    )


def _as_kept(root: Root, kept: Mapping[str, str]) -> Root:
    """The bundle as it last was good."""
    from sensors.catalog import DBT

    texts = _texts(root, kept)
    dbt = texts.pop(DBT, "")
    return replace(root, texts=Sources(texts) if texts else None, manifest=None, dbt=dbt, trouble="")


def _texts(root: Root, kept: Mapping[str, str]) -> dict[str, str]:
    texts: dict[str, str] = json.loads(kept.get(root.bundle.name) or "{}")
    return texts


def _good(part: Loaded, kept: Mapping[str, str]) -> dict[str, str]:
    known = _texts(part.root, kept)
    good = {path: text for path, text in part.texts.items() if path not in part.bad}
    return good | {path: known[path] for path in part.bad if path in known and path in part.texts}


def _plain(catalog: Catalog) -> Catalog:
    held: dict[str, Any] = {one.name: getattr(catalog, one.name) for one in fields(Catalog)}
    return Catalog(**{**held, "parts": {name: _plain(part) for name, part in catalog.parts.items()}})
