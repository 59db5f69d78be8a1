"""Whom alerts are about, as people write it: `seller:s_1`. By _entities.yml and the policy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from bot.core.action import Action, Fire
from bot.core.snooze import Scope, ScopeSnooze, Target, quieted
from sensors.model.asset import Entity
from sensors.model.catalog import Catalog
from sensors.model.graph import JOB, kind_of, name_of
from sensors.model.policy import Policy

POLICY = "policy:"  # before a policy's name, where it might be taken for something else


def entities_of(
    policy: Policy, key_values: Mapping[str, Any], newest: Mapping[str, Any], entities: Mapping[str, Entity]
) -> tuple[str, ...]:
    """Those that the policy's `entity` columns (default: its key's) name. `entities` is by column.

    A column that the policy masks or hides names nobody, nor does an id that does not look like one.
    """
    values = {**newest, **key_values}
    found = []
    for column in policy.entity or policy.key:
        entity = entities.get(column)
        shown = policy.alert.columns.get(column, "show") == "show"
        if entity and shown and entity.url(values.get(column)) is not None:
            found.append(f"{entity.name}:{values[column]}")
    return tuple(dict.fromkeys(found))


def addressed(
    action: Action, policy: Policy, catalog: Catalog, snoozes: Iterable[ScopeSnooze], now: datetime
) -> Action:
    """What a run found, with whom it is about, and quiet where a snooze of them, or of the policy, is on."""
    if not isinstance(action, Fire):
        return action
    about = entities_of(policy, action.key_values, action.newest, catalog.entities_of(policy.name))
    return quieted(replace(action, entities=about), snoozes, now)


def target_of(name: str, catalog: Catalog) -> Target | str:
    """What `seller:s_1` or a policy's name means; else why it means nothing, in a sentence."""
    policy = name.lower().removeprefix(POLICY)
    if policy in catalog.policies:
        return Target(Scope.policy, policy)
    kind, colon, value = name.partition(":")
    entity = next((e for e in catalog.entities.values() if e.name == kind.lower()), None)
    if entity is None or not colon or name.lower().startswith(POLICY):
        return _unknown(name, catalog)
    if entity.url(value) is None:
        return f"`{value[:40]}` does not look like the id of a {entity.name}."
    return Target(Scope.entity, f"{entity.name}:{value}")


def _unknown(name: str, catalog: Catalog) -> str:
    if kind_of(name) == JOB and name_of(name) in catalog.jobs:
        said = f"`{name[:60]}` is a job: alerts are a policy's, or about an entity."
        return f"{said} `show {name[:60]}` shows it."
    asked, kinds = name.lower(), sorted({entity.name for entity in catalog.entities.values()})
    if asked.startswith(POLICY):
        asked, kinds = asked.removeprefix(POLICY), []
        said = f"There is no policy `{asked[:60]}`."
    else:
        said = f"There is no policy or entity `{name[:60]}`."
    kind, colon, value = asked.partition(":")
    known = [f"{one}:" for one in kinds] if colon else [*catalog.policies]
    near = get_close_matches(f"{kind}{colon}", known, n=1)
    if near:
        return f"{said} Did you mean `{near[0]}{value}`?"
    return f"{said} Entities are: {', '.join(kinds)}." if kinds else said
