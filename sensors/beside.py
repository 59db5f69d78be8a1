"""What lies beside a bundle's policies: teams, jobs, assets, entities, violations. Each stands alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sensors import dbt
from sensors.file_beside import AssetFile, EntityFile, TeamFile, ViolationFile
from sensors.file_job import JobFile
from sensors.files import Door, validated
from sensors.model.asset import Asset, Entity, ViolationKind
from sensors.model.bundle import Bundle
from sensors.model.catalog import Catalog, Problem
from sensors.model.graph import kind_of
from sensors.model.job import Job
from sensors.model.team import Team
from sensors.near import near
from sensors.rules.oncall import oncall_rules, pager_rules
from sensors.yaml_marks import Document, Path, read

ASSET_KEYS = (
    *("kind", "tier", "owner", "columns", "loaded_until"),
    *("load_interval", "warn_after", "late_after", "aged_by", "description", "after"),
)
DOORS: dict[str, type[Door]] = {
    "teams": TeamFile,
    "jobs": JobFile,
    "assets": AssetFile,
    "entities": EntityFile,
    "violations": ViolationFile,
}
SINGULAR = {
    "teams": "team",
    "jobs": "job",
    "assets": "table",
    "entities": "entity",
    "violations": "violation",
}
VARIABLE = re.compile(r"\$\{(\w+)")


@dataclass
class Beside:
    """All entries by kind and name, the documents they stand in, and what is wrong with them.

    Those of another bundle hold the project's own (`shared`), too: it may use them, and not say otherwise.
    """

    shared: Beside | None = None
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    broken: dict[str, set[str]] = field(default_factory=dict)  # names of entries with problems
    unreadable: set[str] = field(default_factory=set)  # kinds whose whole file cannot be read
    problems: list[Problem] = field(default_factory=list)
    policies: frozenset[str] = frozenset()  # names of those that may be named: its own and the project's
    _spelled: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def teams(self) -> dict[str, Team]:
        return self.values["teams"]

    @property
    def jobs(self) -> dict[str, Job]:
        return self.values["jobs"]

    @property
    def assets(self) -> dict[str, Asset]:
        return self.values["assets"]

    @property
    def entities(self) -> dict[str, Entity]:
        """By column."""
        return {entity.column: entity for entity in self.values["entities"].values()}

    @property
    def violations(self) -> dict[str, ViolationKind]:
        return self.values["violations"]

    def own(self, kind: str) -> dict[str, Any]:
        """The entries that this bundle brings itself."""
        theirs = self.shared.values[kind] if self.shared else {}
        return {name: value for name, value in self.values[kind].items() if name not in theirs}

    def unknown(self, kind: str, name: str) -> str | None:
        """`no team "paymnts"; did you mean "payments"?`, or None where the name stands in the file."""
        known = [*self.values[kind], *self.broken[kind]]
        if name in known or kind in self.unreadable:
            return None
        where = " in policies/_assets.yml" if kind == "assets" else ""
        if kind not in self.documents and not (self.shared and known):
            where = f"; there is no policies/_{kind}.yml"
        what = kind_of(name) if kind == "assets" else SINGULAR[kind]
        if kind == "jobs" and (bare := name.partition(f"{what}:")[2]) in known:
            return f"write {bare}: here a job is called by its bare name"
        return f'no {what} "{name}"{where}{near(name, known)}'

    def tier(self, table: str) -> str | None:
        return self.assets[table].tier if table in self.assets else None

    def usable(self, kind: str, name: str) -> bool:
        return name in self.values[kind]

    def stated(self, kind: str, names: Iterable[str]) -> str:
        """The entries in use, spelled out: what a policy's content depends on."""
        return json.dumps([self._stated(kind, name) for name in sorted(names)])

    def _stated(self, kind: str, name: str) -> str:
        if (kind, name) not in self._spelled:
            entry = asdict(self.values[kind][name])
            for words in ("description", "after", "session"):  # none of it changes what a run finds
                entry.pop(words, None)
            self._spelled[kind, name] = json.dumps(entry, sort_keys=True, default=_spelled)
        return self._spelled[kind, name]


def _spelled(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def load(
    texts: Mapping[str, str],
    last_good: Catalog | None,
    from_dbt: str = "",
    shared: Beside | None = None,
    bundle: Bundle | None = None,
) -> Beside:
    """Of one bundle. `from_dbt` is a manifest, distilled: _assets.yml completes and overrules it."""
    beside = Beside(shared, unreadable=set(shared.unreadable) if shared else set())
    for kind in DOORS:
        path = f"policies/_{kind}.yml"
        beside.values[kind] = dict(shared.values[kind]) if shared else {}
        beside.broken[kind] = set(shared.broken[kind]) if shared else set()
        known = dbt.assets(from_dbt, beside.teams) if kind == "assets" else {}
        beside.values[kind].update(known)
        if path in texts:
            beside.documents[kind] = read(path, texts[path])
            _entries(beside, kind, known, last_good, bundle if shared else None)
    beside.problems += _crossed(beside)
    return beside


def _entries(
    beside: Beside, kind: str, known: Mapping[str, Asset], last_good: Catalog | None, bundle: Bundle | None
) -> None:
    """Every entry of one file, over what is known of it; one with a problem keeps its last good version."""
    document, before = beside.documents[kind], last_good_of(kind, last_good)
    beside.problems += document.problems
    if document.problems or not isinstance(document.data, dict | None):
        if not document.problems:
            said = f"this file is a mapping from each {SINGULAR[kind]}'s name to what it is"
            beside.problems.append(document.problem_at((1, 1), said))
        beside.unreadable.add(kind)
        beside.values[kind] |= before
        return
    for key in document.data or {}:
        name = key.lower() if kind == "assets" else key
        if bundle and (said := _not_theirs(beside, kind, name, bundle)):
            beside.problems.append(document.problem((key,), said, key=True))
            continue
        problems = [*_foreign(document, (key,), bundle), *_on_our_host(document, key)] if bundle else []
        value, wrong = (None, problems) if problems else validated(DOORS[kind], document, (key,))
        if isinstance(value, AssetFile | JobFile) and (said := value.misnamed(name)):
            value, wrong = None, [document.problem((key,), said, key=True)]
        if value is not None:
            made = _completed(value, key, known.get(name))
            theirs = bundle and isinstance(made, Asset)
            beside.values[kind][name] = replace(made, session=bundle.session) if bundle and theirs else made
            continue
        beside.problems += wrong
        beside.broken[kind].add(name)
        if name in before:
            beside.values[kind][name] = before[name]


def _not_theirs(beside: Beside, kind: str, name: str, bundle: Bundle) -> str:
    """What a bundle may not say, because the project says it."""
    if kind == "teams":
        return f"who may act is said in the project's own policies/_teams.yml, not in bundle {bundle.name}"
    shared = beside.shared
    if shared and (name in shared.values[kind] or name in shared.broken[kind]):
        said = f"the project's own policies/_{kind}.yml says what this {SINGULAR[kind]} is"
        return f"{said}; take it out here, or give it another name"
    return ""


def _foreign(document: Document, where: Path, bundle: Bundle) -> Iterator[Problem]:
    """Variables that are not the bundle's own: they may be secrets of Patrol and of other teams."""
    entry: Any = document.data
    for part in where:
        entry = entry[part]
    if isinstance(entry, dict | list):
        for part in entry if isinstance(entry, dict) else range(len(entry)):
            yield from _foreign(document, (*where, part), bundle)
    for name in VARIABLE.findall(str(where[-1]) + (entry if isinstance(entry, str) else "")):
        if not name.startswith(bundle.variables):
            said = (
                f"${{{name}}} is not this bundle's: the variables it may name begin with {bundle.variables}"
            )
            yield document.problem(where, said)


def _on_our_host(document: Document, key: str) -> Iterator[Problem]:
    """Programs are started by the project's own jobs alone: a bundle's would reach all that Patrol does."""
    entry = (document.data or {})[key]
    if isinstance(entry, dict) and Job(key, str(entry.get("kind")), "", "", entry).on_host:
        said = (
            "a bundle's job may not start a program on Patrol's host; let the project's _jobs.yml declare it"
        )
        yield document.problem((key,), said, key=True)


def _completed(file: Door, key: str, known: Asset | None) -> Any:
    """The entry; what an asset's does not say is taken from dbt."""
    value = file.value(key)  # type: ignore[attr-defined]  # each door has it
    if known is None or not isinstance(file, AssetFile):
        return value
    said = file.model_fields_set | file.freshness.model_fields_set
    both = replace(value, **{name: getattr(known, name) for name in ASSET_KEYS if name not in said})
    if "loaded_until" in said and "aged_by" not in said:
        both = replace(both, aged_by=value.aged_by)
    if both.columns and both.loaded_until not in both.columns and "loaded_until" not in said:
        both = replace(both, loaded_until=None)  # the columns that were said have no such one
    if both.warn_after and both.late_after and both.late_after < both.warn_after:
        both = replace(both, **{next(k for k in ("warn_after", "late_after") if k not in said): None})
    return both


def last_good_of(kind: str, last_good: Catalog | None) -> Mapping[str, Any]:
    """The entries of a kind as they last were good, by name."""
    if last_good is None:
        return {}
    if kind == "entities":
        return {entity.name: entity for entity in last_good.entities.values()}
    held: Mapping[str, Any] = getattr(last_good, kind)
    return held


def _crossed(beside: Beside) -> Iterator[Problem]:
    """What one file says of another: owners, upstream jobs, two entities on one column."""
    for kind in ("jobs", "assets"):
        document = beside.documents.get(kind)
        for key in document.data if document and isinstance(document.data, dict) else ():
            entry = document.data[key] if document else None
            owner = entry.get("owner") if isinstance(entry, dict) else None
            if document and isinstance(owner, str) and (said := beside.unknown("teams", owner)):
                yield document.problem((key, "owner"), said)
    yield from _alone(beside)
    document = beside.documents.get("entities")
    taken: dict[str, str] = {}
    for name, entity in beside.values["entities"].items():
        first = taken.setdefault(entity.column, name)
        if document and first != name:
            said = f"{entity.column} is the column of {first} already; one column has one link"
            yield document.problem((name, "column"), said)


def _alone(beside: Beside) -> Iterator[Problem]:
    """A team without people: its alerts stand in the channel and nobody hears of them. Who is on call."""
    document = None if beside.shared else beside.documents.get("teams")
    for name, team in beside.teams.items():
        if document and name not in beside.broken["teams"] and not (team.members or team.members_from):
            said = "has no members, so nobody can be told; write members: {ana: {slack: U0ANA}}"
            yield document.problem((name,), said, key=True, warning=True)
        if document and name not in beside.broken["teams"]:
            yield from oncall_rules(name, team, document)
    if document and not beside.broken["teams"]:
        yield from pager_rules(beside.teams, document)
