"""Several bundles as one: what two of them say both, and the catalog of all under the names that all know."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sensors.beside import DOORS, SINGULAR, Beside, last_good_of
from sensors.defaults import Layered
from sensors.loaded import Loaded
from sensors.model.catalog import Catalog, Held, Problem
from sensors.model.graph import POLICY, as_ref, name_of, policy_ref
from sensors.model.policy import After, Policy
from sensors.sources import Root
from sensors.yaml_marks import Document


def disagree(besides: Sequence[tuple[Root, Beside, Catalog | None]]) -> None:
    """Notes in each bundle what another one says, too. No order decides which of them is meant: whoever had
    it keeps it as it last was good."""
    for kind in DOORS:
        said: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for index, (_, beside, _) in enumerate(besides):
            for name, value in beside.own(kind).items():
                said[value.column if kind == "entities" else name].append((name, index))
        for holders in said.values():
            for name, index in holders if len(holders) > 1 else ():
                others = sorted(besides[i][0].shown for _, i in holders if i != index)
                where = " and ".join(f"{shown}policies/_{kind}.yml" for shown in others)
                _refuse(*besides[index][1:], kind, name, where)


def _refuse(beside: Beside, last_good: Catalog | None, kind: str, name: str, where: str) -> None:
    what = f"{where} says this {SINGULAR[kind]}, too; leave one, or move it into the project's own policies/"
    document = beside.documents.get(kind)
    data = document.data if document is not None and isinstance(document.data, dict) else {}
    key = next((key for key in data if key == name or str(key).lower() == name), None)
    if document is not None and key is not None:
        beside.problems.append(document.problem((key,), what, key=True))
    else:
        beside.problems.append(Problem(f"policies/_{kind}.yml", 1, 1, f"{name}: {what}"))
    beside.broken[kind].add(name)
    del beside.values[kind][name]
    before = last_good_of(kind, last_good)
    if name in before:
        beside.values[kind][name] = before[name]


def joined(parts: Sequence[Loaded]) -> Loaded:
    """All bundles together; the first one is the project's own, whose word counts."""
    main, *others = parts
    seen = [_seen(part) for part in parts]
    if not others:
        return replace(main, bundles=(_held(main),), problems=seen[0].problems)

    def of_all(name: str) -> dict[str, Any]:
        return {key: value for part in reversed(seen) for key, value in getattr(part, name).items()}

    return replace(
        main,
        policies=of_all("policies"),
        teams=of_all("teams"),
        jobs=of_all("jobs"),
        assets=of_all("assets"),
        entities=of_all("entities"),
        violations=of_all("violations"),
        documents=of_all("documents"),
        problems=tuple(sorted({problem for part in seen for problem in part.problems})),
        broken=frozenset(name for part in seen for name in part.broken),
        version=_version(parts),
        bundles=tuple(_held(part) for part in parts),
        parts={part.root.bundle.name: part for part in parts},
    )


def _seen(part: Loaded) -> Loaded:
    """The bundle under the names and paths that all know."""
    root = part.root
    problems = tuple(sorted({*part.placed(part.problems), *part.declared}))
    if not root.prefix:
        return replace(part, problems=problems)
    return replace(
        part,
        policies={root.prefix + name: _named(policy, part) for name, policy in part.policies.items()},
        jobs={name: replace(job, after=known_to_all(job.after, part)) for name, job in part.jobs.items()},
        assets={name: replace(one, after=known_to_all(one.after, part)) for name, one in part.assets.items()},
        broken=frozenset(root.prefix + name for name in part.broken),
        documents={root.shown + path: _moved(one, root.shown) for path, one in part.documents.items()},
        problems=problems,
    )


def _named(policy: Policy, part: Loaded) -> Policy:
    root, schedule = part.root, policy.schedule
    return replace(
        policy,
        schedule=After(known_to_all(schedule.upstream, part)) if isinstance(schedule, After) else schedule,
        name=root.prefix + policy.name,
        path=root.shown + policy.path,
        query=replace(policy.query, path=root.shown + policy.query.path),
        renamed_from=policy.renamed_from and _former(policy.renamed_from, root),
    )


def known_to_all(upstream: Sequence[str], part: Loaded) -> tuple[str, ...]:
    """References as all know them: a policy of this bundle has the bundle in front of its name."""
    own = {policy_ref(name) for name in (*part.policies, *part.broken)} if part.root.prefix else set()
    refs = map(as_ref, upstream)
    return tuple(f"{POLICY}:{part.root.prefix}{name_of(ref)}" if ref in own else ref for ref in refs)


def _former(name: str, root: Root) -> str:
    """A former name as all know it: without a bundle in front it is one of this bundle."""
    bundle, colon, rest = name.partition(":")
    if not colon:
        return root.prefix + name
    return rest if bundle == root.main else name


def _moved(document: Document, shown: str) -> Document:
    if isinstance(document, Layered):
        return replace(document, path=shown + document.path, under=[_moved(d, shown) for d in document.under])
    return replace(document, path=shown + document.path)


def _held(part: Loaded) -> Held:
    root, bundle = part.root, part.root.bundle
    wrong = _beside_policies(part)
    return Held(
        name=bundle.name,
        source=bundle.source,
        shown=root.shown,
        owner=bundle.owner,
        commit=root.commit,
        since=root.since,
        trouble=part.trouble or next((p.what for p in part.declared), "") or next(map(str, wrong), ""),
        policies=len(part.policies),
        errors=len(part.errors) + len(part.declared),
    )


def _beside_policies(part: Loaded) -> Iterable[Problem]:
    """What is wrong with another bundle's files that are no policy's own: nobody else is told of these."""
    if not part.root.prefix:
        return ()
    own = {path for name in part.broken for path in (_stem(name, "policies"), _stem(name, "sql"))}
    return part.placed(p for p in part.errors if not p.path.startswith(tuple(own)))


def _stem(name: str, folder: str) -> str:
    return f"{folder}/{name.replace('.', '/')}."


def _version(parts: Sequence[Loaded]) -> str:
    seen = hashlib.sha256()
    for part in sorted(parts, key=lambda one: one.root.bundle.name):
        seen.update(f"{part.root.bundle.name}\0{part.version}\n".encode())
    return seen.hexdigest()[:32]
