"""A catalog as a serving process holds it: without what only commands ask for; and what many policies
say alike is held once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from sensors.model.catalog import Catalog
from sensors.model.policy import Policy

Once = Callable[[Any], Any]


def lean(catalog: Catalog) -> Catalog:
    """Cases are left out: nobody who serves runs them."""
    held: dict[tuple[type, str], Any] = {}

    def once(value: Any) -> Any:
        said = value if isinstance(value, str) else repr(value)  # equal ones may differ: 0 and 0.0
        return held.setdefault((type(value), said), value)

    return _catalog(catalog, once)


def _catalog(catalog: Catalog, once: Once) -> Catalog:
    policies = {name: _lean(policy, once) for name, policy in catalog.policies.items()}
    parts = {name: _catalog(part, once) for name, part in catalog.parts.items()}
    return replace(catalog, policies=policies, parts=parts)


def _lean(policy: Policy, once: Once) -> Policy:
    query = replace(policy.query, **_each(policy.query, once))
    return replace(policy, **{**_each(policy, once), "query": query, "cases": ()})


def _each(value: Any, once: Once) -> dict[str, Any]:
    return {one.name: once(getattr(value, one.name)) for one in fields(value)}
