"""Files of bundles → Catalog: every policy that is right, the last good version of those that are not, and
every problem of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from sensors import beside as beside_files
from sensors import dbt, defaults, file_policy, sources
from sensors.beside import Beside
from sensors.defaults import Defaults
from sensors.draft import Draft, Setting, draft
from sensors.join import disagree, joined
from sensors.loaded import Loaded
from sensors.model.bundle import Bundle
from sensors.model.catalog import Catalog, Problem
from sensors.model.policy import Policy
from sensors.rules.assets import asset_rules
from sensors.rules.policy import rules
from sensors.rules.session import session_rules
from sensors.rules.upstream import upstream_rules
from sensors.sources import Root, Sources, fingerprint
from sensors.sql.template import Macros
from sensors.yaml_marks import Document

__all__ = ["DBT", "Around", "Loaded", "fingerprint", "iter_only", "load", "load_all"]
Item = TypeVar("Item")
DBT = "dbt.json"  # what dbt's manifest said, among a bundle's texts


class Around(Protocol):
    """Hands on what it is given, one by one; it is told how many there are and what is done with them."""

    def __call__(self, items: Iterable[Item], total: int, doing: str) -> Iterator[Item]: ...


def iter_only(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:  # noqa: ARG001 - the protocol's
    yield from items


def load(
    project: Path,
    *,
    dialect: str = "snowflake",
    bundle: str = "main",
    last_good: Catalog | None = None,
    carry_to: str | None = "duckdb",
    around: Around = iter_only,
    manifest: Path | None = None,
    others: Sequence[Root] = (),
    functions: Sequence[str] = (),
) -> Loaded:
    """Reads policies/ and sql/ of the project, and its other bundles; SQL is written in `dialect` and will
    run in `carry_to`.

    `around` is given the policies to read and may tell how far it is, as a bar does.
    `manifest` is dbt's, whose tables stand beside those of _assets.yml. `functions`: of the warehouse's own,
    those that queries may call.
    A policy with a problem keeps its version in `last_good`, or is left out; its name stands in `broken`.
    """
    declared = Bundle(bundle, dialect=dialect, functions=tuple(functions))
    own = Root(declared, project, main=bundle, manifest=manifest)
    return load_all([own, *others], last_good=last_good, carry_to=carry_to, around=around)


def load_all(
    roots: Sequence[Root],
    *,
    last_good: Catalog | None = None,
    carry_to: str | None = "duckdb",
    around: Around = iter_only,
) -> Loaded:
    """The same for bundles whose files are where `roots` say; the first is the project's own.

    Each is read by itself and beside the first one: what one brings no other sees, and none stops another.
    """
    before = last_good or Catalog()
    main, *rest = roots
    own = _opened(main, before, None)
    others = [_opened(root, before, own) for root in rest]
    disagree([(one.root, one.beside, one.last_good) for one in others])
    return joined([_part(one, carry_to, around) for one in (own, *others)])


@dataclass(frozen=True)
class _Opened:
    """One bundle's files, read, and what stands beside its policies."""

    root: Root
    found: Sources
    away: bool
    beside: Beside
    macros: Macros
    defaults: Defaults
    dbt: str
    last_good: Catalog


def _opened(root: Root, before: Catalog, main: _Opened | None) -> _Opened:
    read, last_good = root.sources, before.part(root.bundle.name)
    found = read or Sources()
    from_dbt = _from_dbt(root, found, last_good)
    shared = main.beside if main else None
    beside = beside_files.load(found.texts, last_good, from_dbt, shared, root.bundle)
    beside.policies = frozenset(found.policies()) | (shared.policies if shared else frozenset())
    macros = Macros.load(found.macros(), main.macros if main else None)
    return _Opened(root, found, read is None, beside, macros, defaults.load(found.texts), from_dbt, last_good)


def _from_dbt(root: Root, found: Sources, last_good: Catalog) -> str:
    """The tables of dbt's manifest; those that it last had, where there is none or it cannot be read."""
    kept = root.dbt or (last_good.dbt if isinstance(last_good, Loaded) else "")
    if root.manifest is None:
        return kept
    inside = root.manifest.is_relative_to(root.folder)
    near = root.manifest.relative_to(root.folder) if inside else root.manifest
    tables, problems = dbt.distilled(root.manifest, str(near))
    found.problems += problems
    return kept if problems else tables


def _part(one: _Opened, carry_to: str | None, around: Around) -> Loaded:
    """What the bundle says, in its own words; where it is away, what it last said."""
    root, found, beside, by_folder = one.root, one.found, one.beside, one.defaults
    declared = tuple(_declared(one))
    if one.away:
        return _gone(one, declared)
    over = Setting.over(root.bundle.dialect, one.macros, beside.assets, carry_to)
    over = replace(over, functions=root.bundle.functions)
    drafts = list(_drafts(found, replace(over, defaults=by_folder, place=root.prefix), around))
    policies, broken, wrong = _standing(drafts, one, carry_to)
    dated = (
        one
        for one in asset_rules(beside.documents.get("assets"), beside.own("assets"), carry_to)
        if not one.warning
    )
    around_them = (*beside.problems, *upstream_rules(beside), *dated)
    problems = _all(
        found.problems, around_them, by_folder.problems, one.macros.problems, _orphans(found), wrong
    )
    texts = {**found.texts, **({DBT: one.dbt} if one.dbt else {})}
    return Loaded(
        policies=policies,
        teams=beside.own("teams"),
        jobs=beside.own("jobs"),
        assets=beside.own("assets"),
        entities={entity.column: entity for entity in beside.own("entities").values()},
        violations=beside.own("violations"),
        problems=problems,
        broken=frozenset(broken),
        version=_hash(f"{path}\0{text}" for path, text in sorted(texts.items())),
        root=root,
        documents=_documents(drafts, [*beside.documents.values(), *by_folder.documents.values()]),
        drafts=tuple(drafts),
        texts=texts,
        bad=_bad(problems, broken),
        declared=declared,
        trouble=root.trouble,
        dbt=one.dbt,
    )


def _gone(one: _Opened, declared: tuple[Problem, ...]) -> Loaded:
    was = one.last_good
    return Loaded(
        policies=was.policies,
        jobs=was.jobs,
        assets=was.assets,
        entities=was.entities,
        violations=was.violations,
        problems=was.problems,
        broken=was.broken,
        version=was.version,
        root=one.root,
        declared=declared,
        away=True,
        trouble=_why_gone(one.root),
    )


def _why_gone(root: Root) -> str:
    return root.trouble or f"there is no folder policies/ in {root.bundle.path}"


def _declared(one: _Opened) -> Iterator[Problem]:
    """What patrol.yml says of another bundle that is not so, or why it is not its newest version."""
    bundle, where = one.root.bundle, f"bundles.{one.root.bundle.name}"
    if bundle.owner and (said := one.beside.unknown("teams", bundle.owner)):
        yield Problem("patrol.yml", *bundle.place, f"{where}.owner: {said}")
    if trouble := _why_gone(one.root) if one.away else one.root.trouble:
        yield Problem("patrol.yml", *bundle.place, f"{where}: {trouble}")


def _bad(problems: Iterable[Problem], broken: Iterable[str]) -> frozenset[str]:
    """The paths of files that are not good."""
    wrong = {problem.path for problem in problems if not problem.warning}
    return frozenset(wrong).union(*((yaml_path(name), sources.sql_path(name)) for name in broken))


def yaml_path(name: str) -> str:
    return f"policies/{name.replace('.', '/')}.yml"


def _all(*found: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted({problem for problems in found for problem in problems}))


def _drafts(found: Sources, setting: Setting, around: Around) -> Iterator[Draft]:
    there = found.policies()
    for name, path in around(there.items(), len(there), "policies"):
        yield draft(name, path, found.texts, setting)


def _standing(
    drafts: Iterable[Draft], opened: _Opened, carry_to: str | None
) -> tuple[dict[str, Policy], set[str], list[Problem]]:
    """The policies that stand, the names of those whose files do not load, and what is wrong with these."""
    policies: dict[str, Policy] = {}
    broken: set[str] = set()
    problems: list[Problem] = []
    found, beside, bundle = opened.found, opened.beside, opened.root.bundle
    names = frozenset(found.policies())
    misnamed = {problem.path for problem in found.problems}
    for one in drafts:
        wrong = [
            *one.problems,
            *rules(one, beside, names),
            *_owned(one, bundle),
            *session_rules(one, opened.root, carry_to),
        ]
        problems += wrong
        stopped = one.path in misnamed or any(not problem.warning for problem in wrong)
        policy = None if stopped else _policy(one, beside, bundle)
        if policy is None:
            broken.add(one.name)
            policy = opened.last_good.policies.get(one.name)
        if policy is not None:
            policies[one.name] = policy
    return policies, broken, problems


def _owned(one: Draft, bundle: Bundle) -> Iterator[Problem]:
    """A bundle that belongs to a team holds no other team's policies."""
    if bundle.owner and one.file is not None and one.file.owner != bundle.owner:
        said = f'must be "{bundle.owner}", the owner of bundle {bundle.name}, not "{one.file.owner}"'
        yield one.document.problem(("owner",), said)


def _policy(one: Draft, beside: Beside, bundle: Bundle) -> Policy | None:
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
        **({"functions": bundle.functions} if bundle.functions else {}),
        **({"session": bundle.session.said} if bundle.session.said else {}),
        "team": beside.stated("teams", [file.owner]),
        "assets": beside.stated("assets", one.query.tables),
    }
    body = json.dumps(depends_on, sort_keys=True, ensure_ascii=False)
    return file_policy.policy(
        file,
        name=one.name,
        path=one.path,
        bundle=bundle.name,
        query=one.query,
        body=body,
        session=bundle.session,
    )


def _orphans(found: Sources) -> Iterable[Problem]:
    """SQL that belongs to no policy."""
    unread = (p.path for p in found.problems if p.path.startswith("policies/") and p.path.endswith(".yml"))
    known = {sources.sql_path(name) for name in (*found.policies(), *map(sources.name_of, unread))}
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
