"""All that the files say at one moment: policies and what lies beside them, and every problem found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sensors.model.asset import Asset, Entity, ViolationKind
from sensors.model.job import Job
from sensors.model.line import printable
from sensors.model.policy import NOTHING, Policy
from sensors.model.team import Team

WIDE, BEFORE = 160, 80  # letters of a line that is shown, and of these before the mistake


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
        kind = "warning: " if self.warning else ""
        return printable(f"{self.path}:{self.line}:{self.column} {kind}{self.what}")

    def marked(self) -> tuple[str, ...]:
        """The offending line and a mark under its column; of a long one the part around it."""
        if not self.source.strip():
            return ()
        at = max(self.column - 1, 0)
        start = max(at - BEFORE, 0) if len(self.source) > WIDE else 0
        end = start + WIDE
        left, right = "…" if start else "", "…" if len(self.source) > end else ""
        shown = printable(self.source[start:end]).rstrip()
        return f"{left}{shown}{right}", f"{' ' * (at - start + len(left))}^"


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
    version: str = ""  # hash of all contents

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if not p.warning)

    def errors_of(self, policy: str) -> tuple[Problem, ...]:
        """Those of the policy's own files, then those of the defaults of its folders."""
        stem = policy.replace(".", "/")
        own = [p for p in self.errors if p.path.startswith((f"policies/{stem}.", f"sql/{stem}."))]
        ends = "/_defaults.yml"
        folders = [p for p in self.errors if p.path.endswith(ends)]
        above = [p for p in folders if f"policies/{stem}".startswith(p.path.removesuffix(ends) + "/")]
        return (*own, *above)
