"""All that the files say at one moment: policies and what lies beside them, and every problem found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sensors.model.asset import Asset, Entity, ViolationKind
from sensors.model.job import Job
from sensors.model.policy import NOTHING, Policy
from sensors.model.team import Team


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a file: `path:line:column where: what`, with a hint where there is one."""

    path: str
    line: int
    column: int
    what: str
    warning: bool = False
    source: str = ""  # the offending line

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column} {'warning: ' if self.warning else ''}{self.what}"


@dataclass(frozen=True)
class Held:
    """One bundle as it is held: which version, of how many policies, and what is wrong with it as a whole."""

    name: str
    source: str = ""  # where it comes from; "" for the project's own folder
    commit: str = ""
    policies: int = 0
    errors: int = 0
    owner: str | None = None
    trouble: str = ""  # why it is not its newest version


@dataclass(frozen=True)
class Catalog:
    """What the files say. A policy with a problem is not in `policies`; nothing else is stopped by it."""

    policies: Mapping[str, Policy] = NOTHING
    teams: Mapping[str, Team] = NOTHING
    jobs: Mapping[str, Job] = NOTHING
    assets: Mapping[str, Asset] = NOTHING
    entities: Mapping[str, Entity] = NOTHING  # by column
    violations: Mapping[str, ViolationKind] = NOTHING
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()  # names of policies whose files exist but do not load
    reasons: Mapping[str, Problem] = NOTHING  # by the name of a broken policy: what stops it, first
    bundles: tuple[Held, ...] = ()  # the project's own first
    version: str = ""  # hash of all contents

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if not p.warning)
