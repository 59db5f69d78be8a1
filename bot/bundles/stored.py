"""What was pulled of bundles, in the store: for all serving processes the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.bundles.roots import of_folder, of_git
from bot.store import Store
from bot.store.pulls import Pull
from sensors.model.bundle import Bundle
from sensors.model.catalog import NOT_YET, Problem
from sensors.sources import Root, Sources

TOLD_AFTER = 3  # pulls that failed in a row: a network may be away for a minute


def packed(files: Sources) -> str:
    """What was pulled as one text, for the store."""
    problems = [[problem.path, problem.what] for problem in files.problems if not problem.warning]
    return json.dumps({"texts": files.texts, "problems": problems}, sort_keys=True, ensure_ascii=False)


def unpacked(text: str) -> Sources:
    said = json.loads(text)
    return Sources(said["texts"], [Problem(path, 1, 1, what) for path, what in said["problems"]])


def roots(bundles: Sequence[Bundle], project: Path, main: str, store: Store) -> list[Root]:
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
