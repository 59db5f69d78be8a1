"""One policy in two versions, replayed over the same time: what came of both, and how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.cli.past import Asked, NoReplay, replayed, what_failed, where_data_are, young
from bot.process.errors import PatrolError

if TYPE_CHECKING:
    from bot.core.compare import Difference, Pair
    from bot.workbench.replay import Replayed
    from sensors.model.catalog import Catalog
    from sensors.model.policy import Policy
    from sensors.warehouse import Warehouse


@dataclass(frozen=True)
class Compared:
    """What became of one policy. `before` and `now` count alerts; None where there is no such version."""

    name: str
    fate: str
    before: int | None = None
    now: int | None = None
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    whole: bool = True  # nothing stood in the way
    stopped: bool = False

    @property
    def counts(self) -> tuple[int, int, int]:
        """Gained, lost, changed."""
        n = Counter(d.kind.value for d in self.differences)
        return n["gained"], n["lost"], n["changed"]


def compared(pair: Pair, base: Catalog, head: Catalog, warehouse: Warehouse, when: Asked) -> Compared:
    """Both versions over the same time. What is wrong with one policy stands in its notes."""
    from bot.core.compare import differences, route_of

    fate = f"moved from {pair.base.name}" if pair.base and pair.fate == "moved" else pair.fate.value
    nothing = Compared(pair.name, fate)
    if pair.broken:
        return replace(nothing, notes=(f"{pair.broken}: patrol check says why",), whole=False)
    one, its = (pair.head, head) if pair.head else (pair.base, base)
    assert one
    try:
        when, moved = where_data_are(when, one, its, warehouse)
        before = _alerts(pair.base, base, warehouse, when)
        now = _alerts(pair.head, head, warehouse, when)
        notes = (moved, young(one, its, warehouse, when.start))
    except NoReplay as error:
        return replace(nothing, notes=(f"not replayed: {error}",))
    except PatrolError as error:
        return replace(nothing, notes=(f"not replayed: {error}",), whole=False)
    routes = [route_of(p, c) if p else None for p, c in ((pair.base, base), (pair.head, head))]
    found = differences(before.openings if before else (), now.openings if now else (), *routes)
    sides = [side for side in (before, now) if side]
    failed = {what for side in sides for what in what_failed(side)}
    return Compared(
        pair.name,
        fate,
        len(before.openings) if before else None,
        len(now.openings) if now else None,
        found,
        (*_statuses(pair.base, pair.head), *filter(None, notes), *sorted(failed)),
        whole=all(side.complete and not side.failed for side in sides),
        stopped=any(not side.complete and not side.failed for side in sides),
    )


def _alerts(policy: Policy | None, catalog: Catalog, warehouse: Warehouse, when: Asked) -> Replayed | None:
    """The replay of one version; of one that does not run, an empty one."""
    from bot.workbench.replay import Replayed

    if policy is None:
        return None
    if not policy.runs:
        return Replayed(policy, when.start, when.end)
    return replayed(policy, catalog, warehouse, when)


def _statuses(base: Policy | None, head: Policy | None) -> list[str]:
    if base and head and base.status != head.status:
        return [f"status {base.status.value} → {head.status.value}"]
    only = head or base
    return [f"it is {only.status.value}"] if only and not (base and head) and only.status != "live" else []


def totals(found: Iterable[Compared]) -> str:
    """All of it in one line."""
    found = list(found)
    if not found:
        return "no policy has changed"
    gained, lost, changed = (sum(one.counts[n] for one in found) for n in range(3))
    fates = Counter(one.fate.split()[0] for one in found)
    said = ", ".join(f"{n} {fate}" for fate, n in sorted(fates.items()))
    policies = "policy" if len(found) == 1 else "policies"
    alerts = f"alerts: {gained:,} gained, {lost:,} lost, {changed:,} changed"
    return f"{alerts}; {len(found):,} {policies} ({said})"


def as_object(one: Compared, heads: Catalog, bases: Catalog) -> dict[str, Any]:
    """For scripts. Keys are masked as on a card."""
    from bot.core.reconcile import masked

    policy = heads.policies.get(one.name) or bases.policies.get(one.name)
    return {
        "policy": one.name,
        "fate": one.fate,
        "before": one.before,
        "now": one.now,
        "notes": list(one.notes),
        "alerts": [
            {
                "kind": d.kind.value,
                "at": d.opening.at.isoformat(),
                "severity": d.opening.severity.name,
                "count": d.opening.count,
                "title": d.opening.title,
                "key": masked(policy, d.opening.key_values) if policy else {},
                "how": list(d.how),
            }
            for d in one.differences
        ],
    }
