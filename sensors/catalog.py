"""Files of bundles → Catalog: every policy that is right, the last good version of those that are not, and
every problem of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sensors import beside as beside_files
from sensors import dbt, defaults, file_policy, sources
from sensors.beside import Beside
from sensors.draft import Draft, Setting, draft
from sensors.join import disagree, joined
from sensors.loaded import Loaded
from sensors.model.bundle import Bundle, Dbt
from sensors.model.catalog import Catalog, Held, Problem
from sensors.model.policy import Policy
from sensors.rules import rules
from sensors.sources import Root, Sources, fingerprint
from sensors.template import Macros
from sensors.yaml_marks import Document

__all__ = ["Loaded", "fingerprint", "load", "load_all"]


def load(
    project: Path,
    *,
    dialect: str = "snowflake",
    bundle: str = "main",
    last_good: Catalog | None = None,
    carry_to: str | None = "duckdb",
    others: Sequence[Root] = (),
    dbt: Dbt | None = None,
) -> Loaded:
    """Reads policies/ and sql/ of the project, and its other bundles; SQL is written in `dialect` and will
    run in `carry_to`.

    A policy with a problem keeps its version in `last_good`, or is left out; its name stands in `broken`.
    """
    own = Root(Bundle(bundle, dialect=dialect, dbt=dbt), project)
    return load_all([own, *others], last_good=last_good, carry_to=carry_to)


def load_all(
    roots: Sequence[Root], *, last_good: Catalog | None = None, carry_to: str | None = "duckdb"
) -> Loaded:
    """The same for bundles whose files lie where `roots` say; the first is the project's own.

    Each is read by itself and beside the first one. What one brings no other sees, and none stops another.
    """
    before = last_good.parts if isinstance(last_good, Loaded) else {}
    main, *rest = roots
    own = _opened(main, before.get(main.bundle.name), None, carry_to)
    others = [_opened(root, before.get(root.bundle.name), own, carry_to) for root in rest]
    disagree({one.root.shown: (one.beside, one.last_good) for one in others})
    return joined([_part(one) for one in (own, *others)])


@dataclass(frozen=True)
class _Opened:
    """One bundle's files, read, and what stands beside its policies."""

    root: Root
    found: Sources
    beside: Beside
    macros: Macros
    carry_to: str | None
    last_good: Loaded | None

    @property
    def gone(self) -> bool:
        """Whether all of another bundle's files are away: then what it last was stands."""
        return not self.root.is_main and not any(path.startswith("policies/") for path in self.found.texts)


def _opened(root: Root, last_good: Loaded | None, main: _Opened | None, carry_to: str | None) -> _Opened:
    found = _found(root)
    manifest = root.bundle.dbt.manifest if root.bundle.dbt else ""
    kept = last_good.texts.get(manifest, "") if last_good else ""
    beside = beside_files.load(
        found.texts,
        last_good,
        shared=main.beside if main else None,
        bundle=root.bundle.name,
        manifest=found.texts.get(manifest) or kept,
        data_owner=root.bundle.dbt.owner if root.bundle.dbt else None,
    )
    macros = Macros.load(found.macros(), main.macros if main else None)
    return _Opened(root, found, beside, macros, carry_to, last_good)


def _found(root: Root) -> Sources:
    """The bundle's texts, with what dbt says among them."""
    if root.texts is not None:
        return Sources(dict(root.texts))
    found = sources.read(root.folder)
    if not root.is_main and not found.texts:
        said = root.trouble or f"there is no folder policies/ in {root.folder}"
        found.problems = [] if root.trouble else [Problem("policies", 1, 1, said)]
    if root.manifest and root.bundle.dbt:
        path = root.bundle.dbt.manifest
        found.texts[path], problems = dbt.distilled(root.manifest, path)
        found.problems += problems
    return found


def _part(one: _Opened) -> Loaded:
    """The bundle's own catalog, under the names that all others know."""
    if one.gone and one.last_good:
        return replace(one.last_good, problems=_placed(one.root, one.found.problems), bundles=(_held(one),))
    beside, found, root = one.beside, one.found, one.root
    schema = {name: asset.columns for name, asset in beside.assets.items() if asset.columns}
    by_folder = defaults.load(found.texts)
    setting = Setting(root.bundle.dialect, one.macros, schema, one.carry_to, by_folder, root.prefix)
    drafts = [draft(name, path, found.texts, setting) for name, path in found.policies().items()]
    policies, reasons, wrong = _standing(drafts, one)
    problems = _placed(
        root,
        [
            *found.problems,
            *beside.problems,
            *one.macros.problems,
            *by_folder.problems,
            *_orphans(found),
            *wrong,
        ],
    )
    return Loaded(
        policies=policies,
        teams=beside.own("teams"),
        jobs=beside.own("jobs"),
        assets=beside.own("assets"),
        entities={entity.column: entity for entity in beside.own("entities").values()},
        violations=beside.own("violations"),
        problems=(*problems, *_declared(one)),
        broken=frozenset(reasons),
        reasons=reasons,
        bundles=(_held(one),),
        version=_hash(f"{path}\0{text}" for path, text in sorted(found.texts.items())),
        documents=_documents(root, drafts, beside),
        texts=found.texts,
        bad=_bad(problems, root, reasons),
    )


def _standing(
    drafts: Iterable[Draft], opened: _Opened
) -> tuple[dict[str, Policy], dict[str, Problem], list[Problem]]:
    """The policies that stand, what stops those whose files do not load, and what is wrong with these."""
    policies: dict[str, Policy] = {}
    reasons: dict[str, Problem] = {}
    problems: list[Problem] = []
    root, beside, last_good = opened.root, opened.beside, opened.last_good
    names = frozenset(opened.found.policies())
    misnamed = {problem.path: problem for problem in opened.found.problems}
    for one in drafts:
        name = root.prefix + one.name
        wrong = [*one.problems, *rules(one, beside, names), *_owned(one, root)]
        problems += wrong
        stops = next((p for p in wrong if not p.warning), misnamed.get(one.path))
        policy = None if stops else _policy(one, beside, root)
        if policy is None:
            reasons[name] = _placed(root, [stops or _beside(one, opened)])[0]
            policy = last_good.policies.get(name) if last_good else None
        if policy is not None:
            policies[name] = policy
    return policies, reasons, problems


def _beside(one: Draft, opened: _Opened) -> Problem:
    """What stops a policy with which nothing is wrong: something that it needs does not load."""
    documents = [*defaults.chain(one.path), *(d.path for d in opened.beside.documents.values())]
    for path in documents:
        for problem in (*defaults.load(opened.found.texts).problems, *opened.beside.problems):
            if problem.path == path and not problem.warning:
                return problem
    return Problem(one.path, 1, 1, "something that it needs does not load: see `patrol check`")


def _owned(one: Draft, root: Root) -> Iterator[Problem]:
    """A bundle that belongs to a team holds no other team's policies."""
    mine = root.bundle.owner
    if mine and one.file is not None and one.file.owner != mine:
        said = f'must be "{mine}", the owner of bundle {root.bundle.name}, not "{one.file.owner}"'
        yield one.document.problem(("owner",), said)


def _declared(one: _Opened) -> Iterator[Problem]:
    """What patrol.yml says of the bundle that is not so, or why it is not its newest version."""
    bundle, line, column = one.root.bundle, *one.root.bundle.place
    where = "" if one.root.is_main else f"bundles.{bundle.name}."
    owners = (("owner", bundle.owner), ("dbt.owner", bundle.dbt.owner if bundle.dbt else None))
    for key, team in owners:
        if team and (said := one.beside.unknown("teams", team)):
            yield Problem("patrol.yml", line, column, f"{where}{key}: {said}")
    if one.root.trouble:
        yield Problem("patrol.yml", line, column, f"{where.rstrip('.')}: {one.root.trouble}")


def _held(one: _Opened) -> Held:
    bundle = one.root.bundle
    gone = next((p.what for p in one.found.problems), "") if one.gone else ""
    return Held(
        bundle.name, bundle.source, one.root.commit, owner=bundle.owner, trouble=one.root.trouble or gone
    )


def _placed(root: Root, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems where people find the file."""
    if not root.shown:
        return tuple(problems)
    return tuple(replace(problem, path=root.shown + problem.path) for problem in problems)


def _bad(problems: Iterable[Problem], root: Root, reasons: Mapping[str, Problem]) -> frozenset[str]:
    """The bundle's files that are not good, by their paths in it."""
    wrong = {problem.path.removeprefix(root.shown) for problem in problems if not problem.warning}
    for name in reasons:
        stem = name.removeprefix(root.prefix).replace(".", "/")
        wrong |= {f"policies/{stem}.yml", f"sql/{stem}.sql"}
    return frozenset(wrong)


def _policy(one: Draft, beside: Beside, root: Root) -> Policy | None:
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
        "dialect": one.query.dialect,
        "team": beside.stated("teams", [file.owner]),
        "assets": beside.stated("assets", one.query.tables),
    }
    body = json.dumps(depends_on, sort_keys=True, ensure_ascii=False)
    made = file_policy.policy(
        file, name=root.prefix + one.name, path=root.shown + one.path, bundle=root.bundle.name,
        query=replace(one.query, path=root.shown + one.query.path), body=body,
    )  # fmt: skip
    was = file.renamed_from
    return replace(made, renamed_from=root.prefix + was) if was and ":" not in was else made


def _orphans(found: Sources) -> Iterable[Problem]:
    """SQL that belongs to no policy."""
    known = {sources.sql_path(name) for name in found.policies()}
    for path in found.queries():
        stem = path.removesuffix(".sql")
        if path not in known and f"{stem.rpartition('.')[0]}.sql" not in known:
            said = f"no policy runs this; its YAML would be policies/{stem.removeprefix('sql/')}.yml"
            yield Problem(path, 1, 1, said, warning=True)


def _documents(root: Root, drafts: Iterable[Draft], beside: Beside) -> dict[str, Document]:
    documents = [*(one.document for one in drafts), *beside.documents.values()]
    if not root.shown:
        return {one.path: one for one in documents}
    return {root.shown + one.path: replace(one, path=root.shown + one.path) for one in documents}


def _hash(texts: Iterable[str]) -> str:
    seen = hashlib.sha256()
    for text in texts:
        seen.update(f"{len(text)}\0{text}".encode())
    return seen.hexdigest()[:32]
