"""Which policies hang on a policy, table or job: those that a backfill of all of it looks at, in order."""

from __future__ import annotations

from sensors.model.catalog import Catalog
from sensors.model.policy import After, Policy


def hanging(catalog: Catalog, name: str) -> tuple[str, ...]:
    """The policies below it, each after those that it comes after, else by name. Not itself."""
    found: list[str] = []
    reached = {name, f"policy:{name}"}
    others = [policy for policy in catalog.policies.values() if policy.name != name]
    while below := sorted(p.name for p in others if p.name not in found and _on(p, reached)):
        found += below
        reached |= {ref for one in below for ref in (one, f"policy:{one}")}
    return tuple(found)


def _on(policy: Policy, reached: set[str]) -> bool:
    after = policy.schedule.upstream if isinstance(policy.schedule, After) else ()
    return bool(reached & {*policy.query.tables, *policy.needs, *after})
