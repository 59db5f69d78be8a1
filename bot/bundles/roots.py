"""Where the files of the other bundles are: in folders, and for a command on this disk what was pulled."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.bundles.checkout import Checkout, here, home_of, origin_of, pull
from bot.bundles.git import Git
from bot.process.errors import PullFailed
from sensors.model.bundle import Bundle
from sensors.model.catalog import NOT_YET
from sensors.sources import Root

COMMAND_S = 15.0  # that a person waits for a host


def of_folder(bundle: Bundle, project: Path, main: str) -> Root:
    folder = (project / bundle.path).resolve()
    shown = f"{os.path.relpath(folder, project.resolve())}/"
    return Root(bundle, folder, main=main, prefix=f"{bundle.name}:", shown=shown)


def of_git(bundle: Bundle, project: Path, main: str, trouble: str = NOT_YET) -> Root:
    """Without its files. People find them in the repository, so that is what their paths say."""
    shown = f"{bundle.name}:{bundle.path}{'/' if bundle.path else ''}"
    folder = home_of(project, bundle) / "nothing"
    return Root(bundle, folder, main=main, prefix=f"{bundle.name}:", shown=shown, trouble=trouble)


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
        return of_checkout(
            bundle,
            project,
            main,
            pull(Git(origin_of(bundle, environ), timeout_s=COMMAND_S), home, bundle, now),
        )
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
