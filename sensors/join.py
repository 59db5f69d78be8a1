"""Several bundles as one: what two of them say differently, and the catalog of all together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sensors.beside import DOORS, SINGULAR, Beside, last_good_of
from sensors.loaded import Loaded
from sensors.model.catalog import Catalog, Problem


def disagree(besides: Mapping[str, tuple[Beside, Catalog | None]]) -> None:
    """Notes in each what another says too, by what stands before the paths of each.

    No order decides which of them is meant: whoever had it first keeps it, in its last good version.
    """
    for kind in DOORS:
        names: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for shown, (beside, _) in besides.items():
            for name, value in beside.own(kind).items():
                names[value.column if kind == "entities" else name].append((shown, name))
        for holders in names.values():
            if len(holders) > 1:
                for shown, name in holders:
                    others = [f"{one}policies/_{kind}.yml" for one, _ in sorted(holders) if one != shown]
                    _refuse(*besides[shown], kind, name, " and ".join(others))


def _refuse(beside: Beside, last_good: Catalog | None, kind: str, name: str, others: str) -> None:
    said = f"{others} says this {SINGULAR[kind]} too; leave one, or move it into the project's own policies/"
    document = beside.documents.get(kind)
    if document is None or not isinstance(document.data, dict):
        beside.problems.append(Problem(f"policies/_{kind}.yml", 1, 1, f"{name}: {said}"))
    else:
        key = next((key for key in document.data if key == name or key.lower() == name), name)
        beside.problems.append(document.problem((key,), said, key=True))
    beside.broken[kind].add(name)
    del beside.values[kind][name]
    before = last_good_of(kind, last_good)
    if name in before:
        beside.values[kind][name] = before[name]


def joined(parts: Sequence[Loaded]) -> Loaded:
    """All bundles together; the first one's word counts where two have the same name."""
    if len(parts) == 1:
        (only,) = parts
        return replace(_counted(only), parts={only.bundles[0].name: only})
    counted = [_counted(part) for part in parts]

    def of_all(name: str) -> dict[Any, Any]:
        return {key: value for part in reversed(parts) for key, value in getattr(part, name).items()}

    return Loaded(
        **{name: of_all(name) for name in ("policies", "teams", "jobs", "assets", "entities", "violations")},
        reasons=of_all("reasons"),
        documents=of_all("documents"),
        problems=tuple(sorted({problem for part in parts for problem in part.problems})),
        broken=frozenset(name for part in parts for name in part.broken),
        bundles=tuple(held for part in counted for held in part.bundles),
        version=_version(parts),
        parts={part.bundles[0].name: part for part in parts},
    )


def _counted(part: Loaded) -> Loaded:
    held = replace(part.bundles[0], policies=len(part.policies), errors=len(part.errors))
    return replace(part, problems=tuple(sorted(set(part.problems))), bundles=(held,))


def _version(parts: Sequence[Loaded]) -> str:
    seen = hashlib.sha256()
    for part in sorted(parts, key=lambda one: one.bundles[0].name):
        seen.update(f"{part.bundles[0].name}\0{part.version}\n".encode())
    return seen.hexdigest()[:32]
