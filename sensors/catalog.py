"""Files of a project → Catalog: every policy that is right, the last good version of those that are not, and
every problem of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

from sensors import beside as beside_files
from sensors import dbt, defaults, file_policy, sources
from sensors.beside import Beside
from sensors.draft import Draft, Setting, draft
from sensors.model.catalog import Catalog, Problem
from sensors.model.policy import Policy
from sensors.rules.policy import rules
from sensors.sources import Sources, fingerprint
from sensors.sql.template import Macros
from sensors.yaml_marks import Document

__all__ = ["Around", "Loaded", "fingerprint", "iter_only", "load"]
Item = TypeVar("Item")


class Around(Protocol):
    """Hands on what it is given, one by one; it is told how many there are and what is done with them."""

    def __call__(self, items: Iterable[Item], total: int, doing: str) -> Iterator[Item]: ...


def iter_only(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:  # noqa: ARG001 - the protocol's
    yield from items


@dataclass(frozen=True)
class Loaded(Catalog):
    """A catalog that still knows where its entries stand, for problems that are found later."""

    documents: dict[str, Document] = field(default_factory=dict, compare=False, repr=False)  # by path
    drafts: tuple[Draft, ...] = field(default=(), compare=False, repr=False)  # of broken policies too
    project: Path = field(default=Path(), compare=False)
    dbt: str = field(default="", compare=False, repr=False)  # its tables, as they are or last were good


def load(
    project: Path,
    *,
    dialect: str = "snowflake",
    bundle: str = "main",
    last_good: Catalog | None = None,
    carry_to: str | None = "duckdb",
    around: Around = iter_only,
    manifest: Path | None = None,
) -> Loaded:
    """Reads policies/ and sql/ of the project; SQL is written in `dialect` and will run in `carry_to`.

    `around` is given the policies to read and may tell how far it is, as a bar does.
    `manifest` is dbt's, whose tables stand beside those of _assets.yml.
    A policy with a problem keeps its version in `last_good`, or is left out; its name stands in `broken`.
    """
    found = sources.read(project)
    from_dbt = _from_dbt(project, manifest, found, last_good)
    kept = {"dbt": from_dbt} if from_dbt else {}
    beside = beside_files.load(found.texts, last_good, from_dbt)
    by_folder = defaults.load(found.texts)
    macros = Macros.load(found.macros())
    setting = replace(Setting.over(dialect, macros, beside.assets, carry_to), defaults=by_folder)
    drafts = list(_drafts(found, setting, around))
    policies, broken, wrong = _standing(drafts, found, beside, bundle, last_good)
    return Loaded(
        policies=policies,
        teams=beside.teams,
        jobs=beside.jobs,
        assets=beside.assets,
        entities=beside.entities,
        violations=beside.violations,
        problems=_all(
            found.problems, beside.problems, by_folder.problems, macros.problems, _orphans(found), wrong
        ),
        broken=frozenset(broken),
        version=_hash(f"{path}\0{text}" for path, text in sorted({**found.texts, **kept}.items())),
        documents=_documents(drafts, [*beside.documents.values(), *by_folder.documents.values()]),
        drafts=tuple(drafts),
        project=project,
        dbt=from_dbt,
    )


def _from_dbt(project: Path, manifest: Path | None, found: Sources, last_good: Catalog | None) -> str:
    """The tables of dbt's manifest; those that it last had, where there is none or it cannot be read."""
    kept = last_good.dbt if isinstance(last_good, Loaded) else ""
    if manifest is None:
        return kept
    near = manifest.relative_to(project) if manifest.is_relative_to(project) else manifest
    tables, problems = dbt.distilled(manifest, str(near))
    found.problems += problems
    return kept if problems else tables


def _all(*found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted({problem for problems in found for problem in problems}))


def _drafts(found: Sources, setting: Setting, around: Around) -> Iterator[Draft]:
    there = found.policies()
    for name, path in around(there.items(), len(there), "policies"):
        yield draft(name, path, found.texts, setting)


def _standing(
    drafts: Iterable[Draft], found: Sources, beside: Beside, bundle: str, last_good: Catalog | None
) -> tuple[dict[str, Policy], set[str], list[Problem]]:
    """The policies that stand, the names of those whose files do not load, and what is wrong with these."""
    policies: dict[str, Policy] = {}
    broken: set[str] = set()
    problems: list[Problem] = []
    names = frozenset(found.policies())
    misnamed = {problem.path for problem in found.problems}
    for one in drafts:
        wrong = [*one.problems, *rules(one, beside, names)]
        problems += wrong
        stopped = one.path in misnamed or any(not problem.warning for problem in wrong)
        policy = None if stopped else _policy(one, beside, bundle)
        if policy is None:
            broken.add(one.name)
            policy = last_good.policies.get(one.name) if last_good else None
        if policy is not None:
            policies[one.name] = policy
    return policies, broken, problems


def _policy(one: Draft, beside: Beside, bundle: str) -> Policy | None:
    """The policy; None where something that it needs stands in a file that does not load."""
    file = one.file
    if file is None or one.query is None or not beside.usable("teams", file.owner):
        return None
    if not all(beside.usable("assets", table) for table in one.query.tables):
        return None
    if not all(beside.usable("jobs", job) for job in (*file.offer, *file.on_open)):
        return None
    depends_on = {
        "files": one.texts,
        **({"defaults": one.taken} if one.taken else {}),
        "dialect": one.query.dialect,
        "team": beside.stated("teams", [file.owner]),
        "assets": beside.stated("assets", one.query.tables),
    }
    body = json.dumps(depends_on, sort_keys=True, ensure_ascii=False)
    return file_policy.policy(file, name=one.name, path=one.path, bundle=bundle, query=one.query, body=body)


def _orphans(found: Sources) -> Iterable[Problem]:
    """SQL that belongs to no policy."""
    known = {sources.sql_path(name) for name in found.policies()}
    for path in found.queries():
        stem = path.removesuffix(".sql")
        if path not in known and f"{stem.rpartition('.')[0]}.sql" not in known:
            said = f"no policy runs this; its YAML would be policies/{stem.removeprefix('sql/')}.yml"
            yield Problem(path, 1, 1, said, warning=True)


def _documents(drafts: Iterable[Draft], beside: Iterable[Document]) -> dict[str, Document]:
    documents = {one.path: one.document for one in drafts}
    return documents | {document.path: document for document in beside}


def _hash(texts: Iterable[str]) -> str:
    seen = hashlib.sha256()
    for text in texts:
        seen.update(f"{len(text)}\0{text}".encode())
    return seen.hexdigest()[:32]
