"""How fresh assets are, who waits for them, and for what a policy ran: read for `status` and pages."""

from __future__ import annotations

from datetime import datetime

from bot.core.reply import Freshness, Turn
from bot.core.stale import Stale, stale_assets
from bot.core.upstream import awaited, made_by, upstream_of
from bot.store import Store
from sensors.model.asset import Asset
from sensors.model.catalog import Catalog
from sensors.model.graph import policy_ref
from sensors.model.policy import Policy

UPDATES = 5  # that a page lists


def late_assets(store: Store, catalog: Catalog, now: datetime) -> tuple[Stale, ...]:
    """Those that are late, then those that are getting old; nothing is read where none has an age."""
    dated = [asset for asset in catalog.assets.values() if asset.warn_after or asset.late_after]
    if not dated:
        return ()
    until = {ref: state.at for ref, state in store.states.newest([a.name for a in dated]).items()}
    running = [policy for policy in catalog.policies.values() if policy.runs]
    found = stale_assets(dated, running, until, now).values()
    return tuple(sorted(found, key=lambda one: (not one.late, one.asset.name)))


def freshness(store: Store, catalog: Catalog, asset: Asset, now: datetime) -> Freshness:
    """What is known of one asset's age."""
    updates = store.states.history(asset.name, UPDATES)
    running = [policy for policy in catalog.policies.values() if policy.runs]
    until = {asset.name: updates[0][0].at} if updates else {}
    stale = stale_assets([asset], running, until, now).get(asset.name)
    by = "".join(made_by(updates[0][0])) if updates else ""
    return Freshness(tuple(state.at for state, _ in updates), stale, by)


def turn(store: Store, policy: Policy) -> Turn:
    """For what it ran last, and what it waits for before it runs again."""
    refs = upstream_of(policy)
    waiting = store.runs.waiting([policy.name]).get(policy.name)
    since, why = (waiting.started_at, waiting.error) if waiting else (None, "")
    if not refs:
        return Turn(since=since, why=why)
    name = policy_ref(policy.name)
    ran_for = store.states.ran_for([name]).get(name, {})
    states = tuple(ran_for[ref] for ref in sorted(ran_for))
    return Turn(refs, states, awaited(refs, store.states.newest(refs), ran_for), since, why)
