"""What reading all bundles is asked and gives: plain values, so that another process may do it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sensors.catalog import DBT, load_all
from sensors.loaded import Loaded
from sensors.model.catalog import Catalog
from sensors.sources import Root, Sources


@dataclass(frozen=True)
class Wanted:
    """Bundles to be read, and what was good of them before."""

    roots: tuple[Root, ...]  # the project's own first
    last_good: Catalog = field(default_factory=Catalog)
    versions: Mapping[str, str] = field(default_factory=dict)  # by bundle the one in use, maybe elsewhere
    kept: Mapping[str, str] = field(default_factory=dict)  # by bundle its files as they were good, as JSON

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


def read(wanted: Wanted) -> Read:
    """Reads and proves all that the files say. A file that does not load keeps its last good version."""
    loaded = load_all(wanted.roots, last_good=wanted.last_good)
    lacking = loaded.broken or any(part.away or part.errors for part in loaded.each)
    if lacking and any(wanted.behind(root.bundle.name) for root in wanted.roots):
        loaded = load_all(wanted.roots, last_good=_last_good(wanted))
    good = {
        part.root.bundle.name: json.dumps(_good(part, wanted.kept), sort_keys=True)
        for part in loaded.each
        if not part.away
    }
    return Read(_plain(loaded), next(loaded.each).dbt, good)


def _last_good(wanted: Wanted) -> Catalog:
    """What this process has read last of each bundle, or what is kept of it where that is newer."""
    kept = load_all([_as_kept(root, wanted.kept) for root in wanted.roots])
    names = [root.bundle.name for root in wanted.roots]
    return Catalog(
        parts={name: (kept if wanted.behind(name) else wanted.last_good).part(name) for name in names}
    )


def _as_kept(root: Root, kept: Mapping[str, str]) -> Root:
    """The bundle as it last was good."""
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
