"""Proves a new pair of files beside copies of the project's own: it is checked, and its cases are run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.workbench.trial import prepared, tried
from sensors.catalog import load
from sensors.model.catalog import Catalog
from sensors.model.policy import NOTHING, Policy
from sensors.warehouse.duck_memory import Memory


@dataclass(frozen=True)
class Proof:
    """What check and the cases say of the pair."""

    problems: tuple[str, ...]  # none, where it is right
    warnings: tuple[str, ...]
    cases: int  # that passed


def prove(
    project: Path,
    name: str,
    files: Mapping[str, str],
    dialect: str,
    more: Mapping[str, bytes] = NOTHING,
    manifest: Path | None = None,
) -> Proof:
    """Loads the pair beside the project's `_*.yml` and macros, and runs its cases. Writes nothing there.

    `more`: what is to be added at the end of the project's files, by path.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        _beside(project, copy)
        for path, end in more.items():
            with (copy / path).open("ab") as opened:
                opened.write(end)
        for path, text in files.items():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_text(text, encoding="utf-8")
        catalog = load(copy, dialect=dialect, manifest=manifest)
    mine = [problem for problem in catalog.problems if problem.path in files]
    wrong = [str(problem) for problem in mine if not problem.warning]
    policy = catalog.policies.get(name)
    if policy is None:
        wrong = wrong or [f"{name} does not load beside the project's files; `patrol check` says why"]
        return Proof(tuple(wrong), (), 0)
    passed, failed = _cases(policy, catalog)
    return Proof(tuple(wrong + failed), tuple(str(p) for p in mine if p.warning), passed)


def _beside(project: Path, copy: Path) -> None:
    (copy / "policies").mkdir()
    beside = [*(project / "policies").glob("_*.yml"), *(project / "policies").rglob("_defaults.yml")]
    for path in beside:
        target = copy / path.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if (macros := project / "sql" / "_macros").is_dir():
        shutil.copytree(macros, copy / "sql" / "_macros")


def _cases(policy: Policy, catalog: Catalog) -> tuple[int, list[str]]:
    """How many cases passed, and a sentence for each that did not."""
    memory = Memory()
    try:
        outcomes = [
            tried(policy, one, catalog.assets, memory, catalog.teams.get(policy.owner))
            for one in prepared(policy, catalog)
        ]
    finally:
        memory.close()
    failed = [
        "; ".join([f'case "{o.case.name}" does not pass', *o.errors, *(p.what for p in o.problems)])
        for o in outcomes
        if not o.passed
    ]
    return len(outcomes) - len(failed), failed
