"""Where the files of all bundles are: for a serving process in the store, for a command on this disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.bundles.checkout import Checkout, here, home_of, origin_of, pull
from bot.bundles.git import Git
from bot.errors import PullFailed
from bot.store import Store
from bot.store.pulls import Pull
from sensors.model.bundle import Bundle
from sensors.model.catalog import NOT_YET, Problem
from sensors.sources import Root, Sources

TOLD_AFTER = 3  # pulls that failed in a row: a network may be away for a minute


def of_folder(bundle: Bundle, project: Path, main: str) -> Root:
    folder = (project / bundle.path).resolve()
    shown = f"{os.path.relpath(folder, project.resolve())}/"
    return Root(bundle, folder, main=main, prefix=f"{bundle.name}:", shown=shown)


def of_git(bundle: Bundle, project: Path, main: str, trouble: str = NOT_YET) -> Root:
    """Without its files. People find them in the repository, so that is what their paths say."""
    shown = f"{bundle.name}:{bundle.path}{'/' if bundle.path else ''}"
    folder = home_of(project, bundle) / "nothing"
    return Root(bundle, folder, main=main, prefix=f"{bundle.name}:", shown=shown, trouble=trouble)


# ---------------------------------------------------------------------------- in the store


def packed(files: Sources) -> str:
    """What was pulled as one text, for the store."""
    problems = [[problem.path, problem.what] for problem in files.problems if not problem.warning]
    return json.dumps({"texts": files.texts, "problems": problems}, sort_keys=True, ensure_ascii=False)


def unpacked(text: str) -> Sources:
    said = json.loads(text)
    return Sources(said["texts"], [Problem(path, 1, 1, what) for path, what in said["problems"]])


def stored(bundles: Sequence[Bundle], project: Path, main: str, store: Store) -> list[Root]:
    """Every bundle as all processes see it just now; those of repositories without their files yet."""
    pulls = store.pulls.all() if any(bundle.git for bundle in bundles) else {}
    return [
        of_pull(one, project, main, pulls.get(one.name)) if one.git else of_folder(one, project, main)
        for one in bundles
    ]


def of_pull(bundle: Bundle, project: Path, main: str, known: Pull | None) -> Root:
    root = of_git(bundle, project, main)
    if known is None or known.source != bundle.source:
        return root
    if not known.commit:
        return replace(root, trouble=known.trouble or NOT_YET)
    trouble = known.trouble if known.failures >= TOLD_AFTER else ""
    return replace(root, commit=known.commit, since=known.since, trouble=trouble, content=known.hash or "")


def filled(root: Root, store: Store) -> Root | None:
    """The same with its files; None where another commit has taken their place meanwhile."""
    if not root.content:
        return root
    body = store.contents.get(root.content)
    return replace(root, texts=unpacked(body.decode())) if body else None


# ---------------------------------------------------------------------------- on this disk

Say = Callable[[str], None]


def on_disk(
    bundles: Sequence[Bundle],
    project: Path,
    main: str,
    environ: Mapping[str, str],
    every: timedelta,
    say: Say,
) -> list[Root]:
    """Every bundle for a command: what lies in a repository is pulled where it was not within `every`. What
    cannot be pulled is said, and what was pulled before is taken."""
    return [
        _pulled(one, project, main, environ, every, say) if one.git else of_folder(one, project, main)
        for one in bundles
    ]


def _pulled(
    bundle: Bundle, project: Path, main: str, environ: Mapping[str, str], every: timedelta, say: Say
) -> Root:
    home, now = home_of(project, bundle), datetime.now(UTC)
    found = here(home, bundle)
    if found and timedelta() <= now - found.pulled_at < every:
        return of_checkout(bundle, project, main, found)
    say(f"pulling {bundle.name} from {bundle.source}")
    try:
        return of_checkout(bundle, project, main, pull(Git(origin_of(bundle, environ)), home, bundle, now))
    except PullFailed as failed:
        if found is None:
            return of_git(bundle, project, main, str(failed))
        say(f"{bundle.name} is as it was at {found.pulled_at:%Y-%m-%d %H:%M} UTC: {failed}")
        return of_checkout(bundle, project, main, found)


def of_checkout(bundle: Bundle, project: Path, main: str, found: Checkout) -> Root:
    home = home_of(project, bundle)
    root = of_git(bundle, project, main, trouble="")
    return replace(
        root, folder=home / found.folder, texts=found.files(home), commit=found.commit, since=found.since
    )
