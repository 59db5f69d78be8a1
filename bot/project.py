"""The project's files as they now stand: one catalog, swapped whole when they change."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from bot.store import Store
from sensors import catalog as files
from sensors.model.catalog import Catalog


class Project:
    """The current catalog. A file that does not load keeps its last good version."""

    def __init__(
        self, folder: Path, store: Store, *, dialect: str = "snowflake", bundle: str = "main"
    ) -> None:
        self.folder = folder
        self._store = store
        self._dialect = dialect
        self._bundle = bundle
        self._print = ""
        self._lock = threading.Lock()
        self.catalog = Catalog()

    def reload(self) -> bool:
        """Reads the files if they have changed; whether there is a new version of them."""
        with self._lock:
            now = files.fingerprint(self.folder)
            if now == self._print:
                return False
            fresh = files.load(
                self.folder, dialect=self._dialect, bundle=self._bundle, last_good=self.catalog
            )
            self._print = now
            changed = fresh.version != self.catalog.version
            self.catalog = fresh
            if changed:
                self._keep(fresh)
            return changed

    def _keep(self, catalog: Catalog) -> None:
        """The text of every policy by its hash, and which version is active."""
        for policy in catalog.policies.values():
            self._store.contents.keep("sql", policy.query.sql)
        body = json.dumps({name: policy.content for name, policy in sorted(catalog.policies.items())})
        self._store.contents.activate(self._bundle, catalog.version, body)
