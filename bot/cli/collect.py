"""A pytest plugin: the cases of `policies/**.yml` as tests, where a `patrol.yml` lies beside `policies/`.

Loads nothing of Patrol until it meets such a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bot.workbench.trial import Outcome, Prepared
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.warehouse.duck_memory import Memory


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".yml" or file_path.name.startswith("_"):
        return None
    project = project_of(file_path)
    if project is None:
        return None
    file: CasesFile = CasesFile.from_parent(parent, path=file_path)
    file.bench = _bench(parent.config, project)
    return file


def pytest_unconfigure(config: pytest.Config) -> None:
    for bench in config.stash.get(BENCHES, {}).values():
        bench.close()


def project_of(file: Path) -> Path | None:
    """The folder whose `policies/` holds the file and in which a patrol.yml lies; else None."""
    for folder in file.parents:
        if folder.name == "policies" and (folder.parent / "patrol.yml").is_file():
            return folder.parent
    return None


class Bench:
    """One project's files and the database for its cases, both made when the first case asks for them."""

    def __init__(self, project: Path) -> None:
        self.project = project

    @cached_property
    def catalog(self) -> Catalog:
        from bot.process.settings import load as settings
        from sensors.catalog import load

        found = settings(self.project, dict(os.environ))
        return load(
            self.project,
            dialect=found.dialect,
            bundle=found.bundle,
            manifest=found.manifest,
            functions=found.may_call,
        )

    @cached_property
    def memory(self) -> Memory:
        from sensors.warehouse.duck_memory import Memory

        return Memory()

    def close(self) -> None:
        if "memory" in vars(self):
            self.memory.close()


BENCHES: pytest.StashKey[dict[Path, Bench]] = pytest.StashKey()


def _bench(config: pytest.Config, project: Path) -> Bench:
    return config.stash.setdefault(BENCHES, {}).setdefault(project, Bench(project))


class CasesFile(pytest.File):
    """One policy's YAML."""

    bench: Bench

    def collect(self) -> Iterator[pytest.Item]:
        from bot.workbench.trial import prepared
        from sensors.model.line import printable
        from sensors.sources import name_of

        name = name_of(self.path.relative_to(self.bench.project).as_posix())
        catalog = self.bench.catalog
        if name in catalog.broken:
            said = [str(p) for p in catalog.errors_of(name)]
            item: BrokenItem = BrokenItem.from_parent(self, name="it loads")
            item.said = "\n".join(said or [f"{name} does not load: patrol check says why"])
            yield item
        elif policy := catalog.policies.get(name):
            for one in prepared(policy, catalog):
                case: CaseItem = CaseItem.from_parent(self, name=printable(one.case.name))
                case.policy, case.one, case.bench = policy, one, self.bench
                yield case


class CaseFailed(Exception):
    """The case and what came of it, as text."""


class CaseItem(pytest.Item):
    """One case."""

    policy: Policy
    one: Prepared
    bench: Bench

    def runtest(self) -> None:
        from bot.cli.case_tables import as_text
        from bot.workbench.trial import tried

        catalog = self.bench.catalog
        team = catalog.teams.get(self.policy.owner)
        outcome: Outcome = tried(self.policy, self.one, catalog.assets, self.bench.memory, team)
        if not outcome.passed:
            raise CaseFailed(as_text(outcome, catalog))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **more: Any) -> Any:
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **more)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.policy.name}: {self.name}"


class BrokenItem(pytest.Item):
    """Stands for the cases of a policy that does not load."""

    said: str

    def runtest(self) -> None:
        raise CaseFailed(self.said)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **more: Any) -> Any:  # noqa: ARG002
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
