"""The newest commit of a bundle on this disk: `.patrol/bundles/NAME/COMMIT-…`, whole or not there at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

from bot.bundles.git import Git, Origin
from bot.bundles.takeout import take_out
from bot.process.errors import PullFailed
from bot.process.killpoint import reach
from sensors import sources
from sensors.model.bundle import Bundle
from sensors.model.catalog import Problem
from sensors.sources import Sources

PATIENCE_S = 60.0  # with another process that pulls the same bundle
BEGUN = "begun-"  # of folders that are not whole


@dataclass(frozen=True)
class Checkout:
    """A commit that lies here, since when it is the newest, and when that was seen last."""

    source: str
    commit: str
    since: datetime
    pulled_at: datetime
    left: tuple[Problem, ...] = ()  # what was not taken out of it

    @property
    def folder(self) -> str:
        """Of its own for each commit, and for each folder of the repository."""
        return f"{self.commit}-{sha256(self.source.encode()).hexdigest()[:8]}"

    def files(self, home: Path) -> Sources:
        found = sources.read(home / self.folder)
        return replace(found, problems=[*found.problems, *self.left])


def home_of(project: Path, bundle: Bundle) -> Path:
    return project / ".patrol" / "bundles" / bundle.name


def origin_of(bundle: Bundle, environ: Mapping[str, str]) -> Origin:
    """PullFailed where the token that it names is not there."""
    token = environ.get(bundle.token, "").strip() if bundle.token else None
    if bundle.token and not token:
        raise PullFailed(f"its token is missing: the environment has no {bundle.token}")
    return Origin(bundle.git or "", bundle.branch, token)


def here(home: Path, bundle: Bundle) -> Checkout | None:
    """What was pulled last of this bundle as it is declared; None where nothing was."""
    try:
        said = json.loads((home / "newest.json").read_text(encoding="utf-8"))
        times = {name: datetime.fromisoformat(said[name]) for name in ("since", "pulled_at")}
        left = tuple(Problem(**one) for one in said["left"])
        found = Checkout(said["source"], said["commit"], left=left, **times)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.source == bundle.source and (home / found.folder).is_dir() else None


def pull(git: Git, home: Path, bundle: Bundle, now: datetime) -> Checkout:
    """The branch's newest commit, brought here if it is another than before. PullFailed says why not.

    Whoever is killed in between leaves the old one, or the new one, and what the next pull clears away.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home):
            was = here(home, bundle)
            if was and git.newest() == was.commit:
                found = replace(was, pulled_at=now)
            else:
                found = _brought(git, home, bundle, now)
            _note(home, found)
            _clear(home, {found.folder, *([was.folder] if was else [])})
            return found
    except OSError as error:
        raise PullFailed(
            f"it cannot be kept here: {(error.strerror or 'no reason given').lower()}"
        ) from error


def _brought(git: Git, home: Path, bundle: Bundle, now: datetime) -> Checkout:
    begun = Path(mkdtemp(prefix=BEGUN, dir=home))
    try:
        commit = git.fetch(begun / "repo")
        reach("bundle.fetched")
        (begun / "files").mkdir()
        left = take_out(git, begun / "repo", bundle.path, begun / "files")
        if not (begun / "files" / "policies").is_dir():
            where = f"folder {bundle.path} of it" if bundle.path else "top of it"
            raise PullFailed(f"there is no policies/ in the {where}")
        found = Checkout(bundle.source, commit, now, now, tuple(left))
        if not (home / found.folder).exists():
            (begun / "files").rename(home / found.folder)
        reach("bundle.placed")
        return found
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _note(home: Path, found: Checkout) -> None:
    text = json.dumps(
        {**asdict(found), "since": found.since.isoformat(), "pulled_at": found.pulled_at.isoformat()}
    )
    fresh = home / f"{BEGUN}{os.getpid()}.json"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(home / "newest.json")


def _clear(home: Path, kept: set[str]) -> None:
    """Older commits, and what a pull that was killed has left."""
    for entry in home.iterdir():
        if entry.is_dir() and entry.name not in kept:
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name.startswith(BEGUN):
            with suppress(OSError):
                entry.unlink()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process at a time pulls a bundle here."""
    with (home / "lock").open("w") as lock:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise PullFailed("another process has been pulling it for a minute") from None
                time.sleep(0.1)
        yield
