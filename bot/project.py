"""The files of all bundles as they now stand: one catalog, swapped whole; what was good is in the store."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.bundles import roots
from bot.store import Store
from sensors import shelf
from sensors.model.bundle import Bundle
from sensors.model.catalog import Catalog
from sensors.reading import Read, Wanted, read
from sensors.sources import Root


class Project:
    """The current catalog. A file that does not load keeps its last good version, over a restart too."""

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
    ) -> None:
        self.folder = folder
        self.bundles = bundles
        self._store = store
        self._own = Root(Bundle(bundle, dialect=dialect), folder, main=bundle, manifest=manifest)
        self._owner = owner
        self._print = ""
        self._lock = threading.Lock()
        self.catalog = Catalog()

    @property
    def owner(self) -> str:
        """The team that answers for Patrol itself: the one that settings name, else the first, if any."""
        teams = self.catalog.teams
        return self._owner if self._owner and self._owner in teams else next(iter(teams), "")

    def reload(self) -> bool:
        """Reads the files if they have changed; whether there is a new version of them."""
        with self._lock:
            others = roots.stored(self.bundles, self.folder, self._own.main, self._store)
            now = "\n".join(root.print for root in (self._own, *others))
            if now == self._print:
                return False
            there = [roots.filled(root, self._store) for root in others]
            if None in there:
                return False  # another commit was pulled just now
            recalled = not self._print and shelf.recall(self._shelf)
            active = self._active()
            fresh = read(Wanted((self._own, *(r for r in there if r)), self.catalog, self._kept(active)))
            changed = fresh.catalog.version != self.catalog.version
            if changed:
                self._keep(fresh, active)  # with the store away all of this is done again
            self._print, self.catalog, self._own = now, fresh.catalog, replace(self._own, dbt=fresh.dbt)
            if not (recalled and all(self._version(fresh, name) == was for name, (was, _) in active.items())):
                shelf.keep(self._shelf)
            return changed

    @property
    def _shelf(self) -> Path:
        return self.folder / ".patrol" / "proved"

    def _active(self) -> dict[str, tuple[str, str]]:
        """By bundle the version that was in use last, and its files as they then were good."""
        names = (self._own.main, *(bundle.name for bundle in self.bundles))
        return {name: self._store.contents.active(name) or ("", "") for name in names}

    def _keep(self, fresh: Read, active: dict[str, tuple[str, str]]) -> None:
        """What each policy's runs depend on, by its hash; and all files as they are, or last were, good."""
        policies = fresh.catalog.policies.values()
        self._store.contents.keep_all("policy", {policy.content: policy.body for policy in policies})
        for name, good in fresh.good.items():
            version = self._version(fresh, name)
            if active[name] != (version, good):
                self._store.contents.activate(name, version, good)

    @staticmethod
    def _version(fresh: Read, bundle: str) -> str:
        return fresh.catalog.part(bundle).version

    @staticmethod
    def _kept(active: dict[str, tuple[str, str]]) -> dict[str, str]:
        return {name: good for name, (_, good) in active.items() if good}
