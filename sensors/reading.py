"""What reading a project's files is asked and gives; and done in this process. What it takes is imported only
then: who has it done in another process (`apart`) need not hold it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from sensors.model.asset import Asset
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy
from sensors.sources import read as texts_of
from sensors.sources import sql_path
from sensors.warehouse.dialect import native
from sensors.warehouse.spelled import Untranslatable

if TYPE_CHECKING:
    from sensors.catalog import Loaded

DBT = "dbt.json"  # what dbt's manifest said, among the files that are kept


class ReadingFailed(Exception):
    """The files could not be read as a whole, by no fault of one of them: what was read before goes on.

    Says in words what happened. `detail`: the last that the process said which was to read them.
    """

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(what)
        self.detail = detail


@dataclass(frozen=True)
class Wanted:
    """A project to be read, and what was good of it before."""

    project: Path
    dialect: str
    bundle: str
    manifest: Path | None
    last_good: Catalog
    dbt: str  # its tables as they last were good
    version: str  # of all files that were in use last, maybe by another process
    kept: str  # these files as they were good: JSON, by path; "" where there are none

    @property
    def shelf(self) -> Path:
        return self.project / ".patrol" / "proved"

    @property
    def first(self) -> bool:
        """Nothing was read yet since the start."""
        return not self.last_good.version


@dataclass(frozen=True)
class Read:
    """The catalog, and nothing that only its making needs."""

    catalog: Catalog
    dbt: str
    good: str  # all files as they are, or last were, good: JSON, by path


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
    """A `Reader` in this process, which from then on holds all that reading needs."""

    def read(self, wanted: Wanted) -> Read:
        from sensors import draft, shelf

        recalled = not draft.proved() and shelf.recall(wanted.shelf)
        loaded = _load(wanted)
        if not (recalled and loaded.version == wanted.version):
            shelf.keep(wanted.shelf)
        catalog = Catalog(**_plain(loaded))
        good = json.dumps(_good(wanted, loaded), sort_keys=True)
        return Read(catalog, loaded.dbt, good)

    def earlier(self, policy: Policy, body: str, assets: Mapping[str, Asset], dialect: str) -> Policy | None:
        from sensors.earlier import earlier

        found = earlier(policy, body, assets)
        if found is not None:
            with suppress(Untranslatable):  # said when it is asked
                native(found.query, dialect)
        return found


HERE = Here()


def _plain(catalog: Catalog) -> dict[str, Any]:
    return {one.name: getattr(catalog, one.name) for one in fields(Catalog)}


def _load(wanted: Wanted) -> Loaded:
    from sensors.catalog import Loaded, load

    def loaded(project: Path, manifest: Path | None, before: Loaded) -> Loaded:
        return load(
            project, dialect=wanted.dialect, bundle=wanted.bundle, last_good=before, manifest=manifest
        )

    before = Loaded(**_plain(wanted.last_good), dbt=wanted.dbt)
    fresh = loaded(wanted.project, wanted.manifest, before)
    if not (fresh.broken and wanted.first and wanted.kept):
        return fresh
    texts: dict[str, str] = json.loads(wanted.kept)
    with TemporaryDirectory() as folder:
        for path, text in texts.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text, encoding="utf-8")
        before = loaded(Path(folder), None, Loaded(dbt=texts.get(DBT, "")))
    return loaded(wanted.project, wanted.manifest, before)


def _good(wanted: Wanted, loaded: Loaded) -> dict[str, str]:
    known: Mapping[str, str] = json.loads(wanted.kept) if wanted.kept else {}
    bad = {problem.path for problem in loaded.errors}
    bad |= {path for name in loaded.broken for path in (_yaml(name), sql_path(name))}
    texts = texts_of(wanted.project).texts
    good = {path: text for path, text in texts.items() if path not in bad}
    good |= {path: known[path] for path in bad if path in known and path in texts}
    return good | ({DBT: loaded.dbt} if loaded.dbt else {})


def _yaml(name: str) -> str:
    return f"policies/{name.replace('.', '/')}.yml"
