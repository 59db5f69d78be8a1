"""What a policy is, when it runs, what is open of it, and how right it has been. Part of the desk.

Of a sensitive one strangers see what its files say and whether it runs, but no count of what it finds.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.cost import last_day
from bot.core.earned import missing, noise
from bot.core.reply import PolicyReply, Said, Worth
from bot.desk.graph import beside
from bot.engine.engine import Engine
from bot.lateness import turn
from bot.view import View
from sensors.model.graph import policy_ref
from sensors.model.policy import Policy, Status


def policy_page(engine: Engine, view: View, name: str, person: str = "") -> PolicyReply | Said | None:
    """None where there is no such policy; a sentence where its files do not load and never did."""
    catalog = engine.catalog
    policy, broken = catalog.policies.get(name), name in catalog.broken
    mistake = str(next(iter(catalog.errors_of(name)), "look at its files")) if broken else ""
    if policy is None:
        hint = "patrol check names all that is wrong."
        return Said(f"{name} does not load: {mistake}", hint, ok=False) if broken else None
    line, around = view.lines([policy.name])[0], beside(catalog, policy_ref(policy.name))
    if hidden := view.unseen_of(person, policy):
        bare = replace(line, open_alerts=0, worth="")
        return PolicyReply(policy, bare, mistake=mistake, hidden=hidden.why, hangs=around)
    opened = view.seen(person, engine.store.alerts.open(policy=policy.name, limit=10))
    return PolicyReply(
        policy,
        line,
        _worth(engine, policy),
        opened,
        view.cards(opened),
        view.reports(policy),
        mistake,
        view.trend(policy.name, catalog.teams.get(policy.owner)),
        engine.store.costs.between(*last_day(engine.clock()), [policy.name]).get(policy.name),
        turn=turn(engine.store, policy),
        hangs=around,
    )


def _worth(engine: Engine, policy: Policy) -> Worth:
    """Whether it has earned `live`, or has become noisy."""
    found = engine.trust.record(policy)
    lacks = missing(found, engine.trust.rule) if policy.status is Status.shadow else ()
    return Worth(found, lacks, noise(found) if policy.status is Status.live else "")
