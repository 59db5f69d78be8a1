"""What a policy is, when it runs, what is open of it, and how right it has been. Part of the desk."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bot.core.alert import Lane
from bot.core.earned import missing, noise
from bot.core.reply import PolicyReply, Said, Trend, Worth
from bot.core.snooze import Scope, Target
from bot.engine import Engine
from bot.view import View
from sensors.model.policy import Policy, Status

DAY = timedelta(days=1)
TREND_DAYS = 28
TREND_MOST = 5_000  # alerts that it counts


def policy_page(engine: Engine, view: View, name: str, person: str = "") -> PolicyReply | Said | None:
    """None where there is no such policy; a sentence where its files do not load and never did."""
    catalog = engine.catalog
    policy, broken = catalog.policies.get(name), name in catalog.broken
    mistake = str(next(iter(catalog.errors_of(name)), "look at its files")) if broken else ""
    if policy is None:
        hint = "patrol check names all that is wrong."
        return Said(f"{name} does not load: {mistake}", hint, ok=False) if broken else None
    opened = view.seen(person, engine.store.alerts.open(policy=policy.name, limit=10))
    return PolicyReply(
        policy,
        view.lines([policy.name])[0],
        _worth(engine, policy),
        opened,
        view.cards(opened),
        view.reports(policy),
        mistake,
        _trend(engine, policy),
    )


def _trend(engine: Engine, policy: Policy) -> Trend:
    """By days of 24 hours that end now; backfilled alerts tell nothing of when."""
    now, target = engine.clock(), Target(Scope.policy, policy.name)
    found = [
        alert
        for alert in engine.store.alerts.about(target, since=now - TREND_DAYS * DAY, limit=TREND_MOST)
        if alert.lane is not Lane.historical
    ]
    days = Counter((now - alert.opened_at) // DAY for alert in found)
    called = Counter(alert.disposition for alert in found if alert.disposition)
    by_day = tuple(days[ago] for ago in reversed(range(TREND_DAYS)))
    return Trend(by_day, dict(called), sum(alert.is_open for alert in found))


def _worth(engine: Engine, policy: Policy) -> Worth:
    """Whether it has earned `live`, or has become noisy."""
    found = engine.trust.record(policy)
    lacks = missing(found, engine.trust.rule) if policy.status is Status.shadow else ()
    return Worth(found, lacks, noise(found) if policy.status is Status.live else "")
