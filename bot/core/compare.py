"""Two versions of the policies by their alerts: which are gained, lost or changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.core.alert import Lane
from bot.core.held import Opening
from bot.core.route import channel_in, lane_of
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy

CLOSE = timedelta(hours=24)  # alerts of a key that lie so near each other are the same one


class Fate(StrEnum):
    """What became of a policy between the two versions."""

    added = "added"
    removed = "removed"
    moved = "moved"
    changed = "changed"
    mended = "mended"  # its files did not load before: all of its alerts are gained


@dataclass(frozen=True)
class Pair:
    """A policy in both versions; None where one has none. `broken`: its files do not load there."""

    name: str
    fate: Fate
    base: Policy | None
    head: Policy | None
    broken: str = ""  # in words


class Kind(StrEnum):
    gained = "gained"
    lost = "lost"
    changed = "changed"


@dataclass(frozen=True)
class Difference:
    """One alert that is not the same in both versions, and how it differs in words."""

    kind: Kind
    opening: Opening  # of the version that has it; of the new one, if both have
    how: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """Where alerts of a policy go in a version."""

    owner: str
    channel: str
    lane: Lane


def pairs(base: Catalog, head: Catalog, wanted: Iterable[str] = ()) -> tuple[Pair, ...]:
    """The policies that are not letter for letter the same, with macros, team and tables; by name."""
    names = set(wanted)
    moved = {
        p.renamed_from: name
        for name, p in head.policies.items()
        if p.renamed_from in base.policies and p.renamed_from not in head.policies
    }
    found = [_pair(name, base, head, moved) for name in sorted(_all(base) | _all(head)) if name not in moved]
    return tuple(p for p in found if p and (not names or p.name in names or _old_name(p) in names))


def _old_name(pair: Pair) -> str:
    return pair.base.name if pair.base else pair.name


def _all(catalog: Catalog) -> set[str]:
    return {*catalog.policies, *catalog.broken}


def _pair(name: str, base: Catalog, head: Catalog, moved: Mapping[str | None, str]) -> Pair | None:
    old_name = next((old for old, new in moved.items() if new == name), name) or name
    old, new = base.policies.get(old_name), head.policies.get(name)
    was_broken = old_name in base.broken
    if name in head.broken:
        before = "did not load before and " if was_broken else ""
        return Pair(name, Fate.changed, old, new, f"its files {before}do not load now")
    if was_broken and new is not None:
        return Pair(name, Fate.mended, None, new)
    if old is None or new is None:
        return Pair(name, Fate.added if new else Fate.removed, old, new)
    if old_name != name:
        return Pair(name, Fate.moved, old, new)
    return None if old.content == new.content else Pair(name, Fate.changed, old, new)


def route_of(policy: Policy, catalog: Catalog) -> Route:
    lane = lane_of(policy)
    return Route(policy.owner, channel_in(lane, policy, catalog.teams.get(policy.owner)), lane)


def differences(
    base: Iterable[Opening], head: Iterable[Opening], before: Route | None, now: Route | None
) -> tuple[Difference, ...]:
    """Alerts that only one version gives, and those that differ; in the order in which they come."""
    rerouted = _rerouted(before, now)
    found = []
    for old, new in _matched(_by_key(base), _by_key(head)):
        if old is None and new is not None:
            found.append(Difference(Kind.gained, new))
        elif new is None and old is not None:
            found.append(Difference(Kind.lost, old))
        elif old and new and (how := (*_how(old, new), *rerouted)):
            found.append(Difference(Kind.changed, new, how))
    return tuple(sorted(found, key=lambda d: (d.opening.at, d.opening.key)))


def _by_key(openings: Iterable[Opening]) -> dict[str, list[Opening]]:
    found: dict[str, list[Opening]] = {}
    for one in sorted(openings, key=lambda o: o.at):
        found.setdefault("a flood" if one.flood else one.key, []).append(one)
    return found


Both = tuple[Opening | None, Opening | None]


def _matched(base: Mapping[str, list[Opening]], head: Mapping[str, list[Opening]]) -> Iterator[Both]:
    """Alerts of a key that come close to each other, pair by pair; the others alone."""
    for key in {**base, **head}:
        old, new = list(base.get(key, ())), list(head.get(key, ()))
        while old and new:
            apart = new[0].at - old[0].at
            if abs(apart) <= CLOSE:
                yield old.pop(0), new.pop(0)
            elif apart > CLOSE:
                yield old.pop(0), None
            else:
                yield None, new.pop(0)
        yield from ((one, None) for one in old)
        yield from ((None, one) for one in new)


def _how(old: Opening, new: Opening) -> Iterator[str]:
    if old.severity != new.severity:
        yield f"{old.severity.name} → {new.severity.name}"
    if old.count != new.count:
        yield f"count {old.count:,} → {new.count:,}"
    if old.title != new.title:
        yield f"title was: {old.title}"
    if old.at != new.at:
        apart = (new.at - old.at).total_seconds()
        said = f"{max(abs(apart), 1):.0f} s {'earlier' if apart > 0 else 'later'}"
        yield f"came {said}" if abs(apart) < 60 else f"came at {old.at:%Y-%m-%d %H:%M}"


def _rerouted(before: Route | None, now: Route | None) -> tuple[str, ...]:
    """How the way of all its alerts differs."""
    if before is None or now is None or before == now:
        return ()
    owner = f"owner {before.owner} → {now.owner}" if before.owner != now.owner else ""
    lane = f"{before.lane.value} → {now.lane.value}" if before.lane != now.lane else ""
    channel = f"channel {before.channel} → {now.channel}" if before.channel != now.channel else ""
    return tuple(part for part in (owner, lane, channel) if part)
