"""Which policies hang on a policy, asset or job: those that a backfill of all of it looks at, in order."""

from __future__ import annotations

from sensors.graph import graph, policy_ref
from sensors.model.catalog import Catalog
from sensors.model.graph import POLICY, WAITS, as_ref, kind_of, name_of


def hanging(catalog: Catalog, name: str) -> tuple[str, ...]:
    """The policies below it by what they read, need and come after, each after those that it waits for. Not
    itself; nor what a policy only starts, for the past starts no jobs."""
    whole = graph(catalog)
    below = whole.below([policy_ref(name) if name in catalog.policies else as_ref(name)], why=WAITS)
    policies = [ref for ref in below if kind_of(ref) == POLICY]
    return tuple(name_of(ref) for ref in whole.order(policies))
