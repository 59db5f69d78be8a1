"""The files of all bundles as they now stand: one catalog, swapped whole; what was good is in the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.bundles import stored
from bot.process.log import get
from bot.store import Store
from sensors.model.bundle import Bundle
from sensors.model.catalog import Catalog
from sensors.reading import HERE, Read, Reader, ReadingFailed, Wanted
from sensors.sources import Root

log = get("files")

REST_S = (10.0, 300.0)  # before files that could not be read are read again: at first, and at most


class Project:
    """The current catalog. A file that does not load keeps its last good version, over a restart too.

    `reader` reads it: in this process, unless told otherwise. `speaks`: the warehouse's dialect.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        dialect: str = "snowflake",
        bundle: str = "main",
        owner: str | None = None,
        manifest: Path | None = None,
        bundles: Sequence[Bundle] = (),
        reader: Reader = HERE,
        speaks: str = "duckdb",
        functions: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.bundles = bundles
        self._store = store
        own = Bundle(bundle, dialect=dialect, functions=tuple(functions))
        self._own = Root(own, folder, main=bundle, manifest=manifest)
        self._owner, self._speaks = owner, speaks
        self.reader = reader
        self._print = ""
        self._lock = threading.Lock()
        self._files = Catalog()
        self._rest = REST_S[0]
        self._failed: tuple[str, float] = ("", 0.0)  # which files could not be read, and when to try again
        self.catalog = Catalog()
        self.trouble = ""  # why the files cannot be read at all, in words; the catalog is an older one then

    @property
    def owner(self) -> str:
        """The team that answers for Patrol itself: the one that settings name, else the first, if any."""
        teams = self.catalog.teams
        return self._owner if self._owner and self._owner in teams else next(iter(teams), "")

    def reload(self) -> bool:
        """Reads the files if they have changed; whether there is a new version of them."""
        with self._lock:
            roots = self._roots()
            now = "\n".join(root.print for root in roots)
            failed, again = self._failed
            if now == self._print or (now == failed and time.monotonic() < again):
                self.catalog = self._peopled(self.catalog)
                return False
            if not (wanted := self._wanted(roots)):
                return False
            fresh = self._read(wanted)
            if fresh is None:
                self._failed = now, time.monotonic() + self._rest
                self._rest = min(self._rest * 2, REST_S[1])
                return False
            changed = fresh.catalog.version != self._files.version
            if changed:
                self._keep(fresh, wanted)  # with the store away all of this is done again
            self._print, self._files, self._own = now, fresh.catalog, replace(self._own, dbt=fresh.dbt)
            self.catalog = self._peopled(fresh.catalog)
            self.trouble, self._rest = "", REST_S[0]
            return changed

    def seen(self) -> Catalog:
        """What a serving process sees just now; nothing is kept of it."""
        while not (wanted := self._wanted(self._roots())):
            continue
        return self.reader.read(wanted).catalog

    def _roots(self) -> list[Root]:
        return [self._own, *stored.roots(self.bundles, self.folder, self._own.main, self._store)]

    def _wanted(self, roots: Sequence[Root]) -> Wanted | None:
        """None where another commit of a bundle was pulled just now: it will be read in a moment."""
        there = [filled for root in roots if (filled := stored.filled(root, self._store))]
        if len(there) < len(roots):
            return None
        names = [root.bundle.name for root in there]
        active = {name: found for name in names if (found := self._store.contents.active(name))}
        versions = {name: version for name, (version, _) in active.items()}
        kept = {name: good for name, (_, good) in active.items()}
        return Wanted(tuple(there), self._files, versions, kept, self._speaks)

    def _peopled(self, now: Catalog) -> Catalog:
        """The files with the people of Slack's user groups; `now` itself where nobody has come or gone."""
        groups = self._store.groups.all() if any(t.members_from for t in self._files.teams.values()) else {}
        teams = {
            name: team.joined_by(groups.get(team.members_from or "", {}))
            for name, team in self._files.teams.items()
        }
        return now if teams == now.teams else replace(self._files, teams=teams)

    def _read(self, wanted: Wanted) -> Read | None:
        """None where it failed and there is an older catalog to go on with; else there is no choice but to
        do it here."""
        try:
            return self.reader.read(wanted)
        except ReadingFailed as failed:
            log.error("files not read", why=str(failed), said=failed.detail)
            if wanted.first:
                return HERE.read(wanted)
            self.trouble = f"the files were changed and could not be read: {failed}"
            return None

    def _keep(self, fresh: Read, wanted: Wanted) -> None:
        """What each policy's runs depend on, by its hash; and all files as they are, or last were, good."""
        policies = fresh.catalog.policies.values()
        self._store.contents.keep_all("policy", {policy.content: policy.body for policy in policies})
        for name, good in fresh.good.items():
            if (wanted.versions.get(name), wanted.kept.get(name)) != (fresh.version(name), good):
                self._store.contents.activate(name, fresh.version(name), good)
