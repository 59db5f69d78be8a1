"""The project's files as they now stand: one catalog, swapped whole; what was good is kept in the store."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store import Store
from sensors import catalog as files
from sensors import shelf, sources
from sensors.catalog import Loaded
from sensors.model.catalog import Catalog

DBT = "dbt.json"  # what dbt's manifest said, among the files that are kept


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
    ) -> None:
        self.folder = folder
        self._store = store
        self._dialect = dialect
        self._bundle = bundle
        self._owner = owner
        self._manifest = manifest
        self._print = ""
        self._lock = threading.Lock()
        self._files = Catalog()
        self.catalog = Catalog()

    @property
    def owner(self) -> str:
        """The team that answers for Patrol itself: the one that settings name, else the first, if any."""
        teams = self.catalog.teams
        return self._owner if self._owner and self._owner in teams else next(iter(teams), "")

    def reload(self) -> bool:
        """Reads the files if they have changed; whether there is a new version of them."""
        with self._lock:
            now = files.fingerprint(self.folder, self._manifest)
            if now == self._print:
                self.catalog = self._peopled(self.catalog)
                return False
            recalled = not self._print and shelf.recall(self._shelf)
            version, known = self._active()
            fresh = self._load(self.folder, self._manifest, self._files)
            if fresh.broken and not self._files.version and known:
                fresh = self._load(self.folder, self._manifest, self._loaded_from(known))
            changed = fresh.version != self.catalog.version
            if changed:
                self._keep(fresh, known)  # with the store away all of this is done again
            self._print, self._files = now, fresh
            self.catalog = self._peopled(fresh)
            if not (recalled and version == fresh.version):
                shelf.keep(self._shelf)
            return changed

    def _load(self, folder: Path, manifest: Path | None, last_good: Catalog) -> Loaded:
        return files.load(
            folder, dialect=self._dialect, bundle=self._bundle, last_good=last_good, manifest=manifest
        )

    def _peopled(self, now: Catalog) -> Catalog:
        """The files with the people of Slack's user groups; `now` itself where nobody has come or gone."""
        groups = self._store.groups.all() if any(t.members_from for t in self._files.teams.values()) else {}
        teams = {
            name: team.joined_by(groups.get(team.members_from or "", {}))
            for name, team in self._files.teams.items()
        }
        return now if teams == now.teams else replace(self._files, teams=teams)

    @property
    def _shelf(self) -> Path:
        return self.folder / ".patrol" / "proved"

    def _active(self) -> tuple[str, Mapping[str, str]]:
        """The version that was in use last, and every file as it then was good, by its path."""
        active = self._store.contents.active(self._bundle)
        texts: dict[str, str] = json.loads(active[1]) if active else {}
        return active[0] if active else "", texts

    def _loaded_from(self, texts: Mapping[str, str]) -> Loaded:
        with TemporaryDirectory() as folder:
            for path, text in texts.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(text, encoding="utf-8")
            return self._load(Path(folder), None, Loaded(dbt=texts.get(DBT, "")))

    def _keep(self, catalog: Loaded, known: Mapping[str, str]) -> None:
        """What each policy's runs depend on, by its hash; and all files as they are, or last were, good."""
        self._store.contents.keep_all("policy", {p.content: p.body for p in catalog.policies.values()})
        bad = {problem.path for problem in catalog.errors}
        bad |= {path for name in catalog.broken for path in (_yaml(name), sources.sql_path(name))}
        texts = sources.read(self.folder).texts
        good = {path: text for path, text in texts.items() if path not in bad}
        good |= {path: known[path] for path in bad if path in known and path in texts}
        good |= {DBT: catalog.dbt} if catalog.dbt else {}
        self._store.contents.activate(self._bundle, catalog.version, json.dumps(good, sort_keys=True))


def _yaml(name: str) -> str:
    return f"policies/{name.replace('.', '/')}.yml"
