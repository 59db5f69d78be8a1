"""All that the files say at one moment: policies and what lies beside them, and every problem found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sensors.model.asset import Asset, Entity, ViolationKind
from sensors.model.job import Job
from sensors.model.line import printable
from sensors.model.policy import NOTHING, Policy
from sensors.model.team import Team

NOT_YET = "it was not pulled yet"  # a bundle's trouble that passes by itself
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
class Held:
    """One bundle as it is held: which version of it, and why that is not all of its newest one."""

    name: str
    source: str = ""  # where it comes from, for people; "" for the project's own folder
    shown: str = ""  # stands before its files' paths where people read them
    owner: str | None = None  # the team that it belongs to, where that is said
    commit: str = ""
    since: datetime | None = None  # when this commit was taken in
    trouble: str = ""
    policies: int = 0
    errors: int = 0


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
    bundles: tuple[Held, ...] = ()  # the project's own first
    parts: Mapping[str, Catalog] = field(
        default=NOTHING, repr=False, compare=False
    )  # where there are several

    @property
    def tables(self) -> dict[str, Asset]:
        """The assets that a query may read, by name."""
        return {name: asset for name, asset in self.assets.items() if asset.kind == "table"}

    def part(self, bundle: str) -> Catalog:
        """What one bundle says, in its own words: its policies' names and paths without the bundle's."""
        mine = not self.bundles or self.bundles[0].name == bundle
        return self.parts.get(bundle, Catalog()) if self.parts or not mine else self

    def entities_of(self, policy: str) -> Mapping[str, Entity]:
        """By column, those that stand on the policy's cards: what another bundle brings is its own."""
        if not self.parts:
            return self.entities
        own = self.part(policy.rpartition(":")[0]).entities
        return {**own, **self.part(self.bundles[0].name).entities}

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if not p.warning)

    def stems_of(self, policy: str) -> tuple[str, str]:
        """Where its YAML and its SQL lie, as people read it, without the endings."""
        bundle, _, name = policy.rpartition(":")
        shown = next((one.shown for one in self.bundles if one.name == bundle), "")
        stem = name.replace(".", "/")
        return f"{shown}policies/{stem}", f"{shown}sql/{stem}"

    def errors_of(self, policy: str) -> tuple[Problem, ...]:
        """Those of the policy's own files, then those of the defaults of its folders."""
        files = self.stems_of(policy)
        own = [p for p in self.errors if p.path.startswith(tuple(f"{stem}." for stem in files))]
        ends = "/_defaults.yml"
        folders = [p for p in self.errors if p.path.endswith(ends)]
        above = [p for p in folders if files[0].startswith(p.path.removesuffix(ends) + "/")]
        return (*own, *above)
