"""The graph that a catalog's files make: who reads, needs, comes after, starts and offers what."""

from __future__ import annotations

from collections.abc import Iterator

from sensors.model.catalog import Catalog
from sensors.model.graph import (
    AFTER,
    NEEDS,
    OFFERS,
    READS,
    STARTS,
    Edge,
    Graph,
    Node,
    as_ref,
    job_ref,
    policy_ref,
)
from sensors.model.policy import After, Policy


def graph(catalog: Catalog) -> Graph:
    """Every policy, job and asset that loads, and every edge whose two ends do."""
    nodes = {node.ref: node for node in _nodes(catalog)}
    edges = {edge for edge in _edges(catalog) if edge.up in nodes and edge.down in nodes}
    return Graph(nodes, tuple(sorted(edges)))


def _nodes(catalog: Catalog) -> Iterator[Node]:
    for asset in catalog.assets.values():
        yield Node(asset.name, asset.description, asset.owner, asset.tier)
    for job in catalog.jobs.values():
        yield Node(job_ref(job.name), job.title, job.owner)
    for policy in catalog.policies.values():
        yield Node(policy_ref(policy.name), policy.title, policy.owner, status=policy.status.value)


def _edges(catalog: Catalog) -> Iterator[Edge]:
    for asset in catalog.assets.values():
        yield from (Edge(up, asset.name, AFTER) for up in asset.after)
    for job in catalog.jobs.values():
        yield from (Edge(as_ref(up), job_ref(job.name), AFTER) for up in job.after)
    for policy in catalog.policies.values():
        yield from _of_policy(policy)


def _of_policy(policy: Policy) -> Iterator[Edge]:
    """A table that is read and of which `needs` speaks is needed."""
    ref = policy_ref(policy.name)
    needs = {table.lower() for table in policy.needs}
    yield from (Edge(table, ref, NEEDS) for table in needs)
    yield from (Edge(table, ref, READS) for table in policy.query.tables if table not in needs)
    if isinstance(policy.schedule, After):
        yield from (Edge(as_ref(up), ref, AFTER) for up in policy.schedule.upstream)
    yield from (Edge(ref, job_ref(job), STARTS) for job in policy.on_open)
    yield from (Edge(ref, job_ref(job), OFFERS) for job in policy.offer)
