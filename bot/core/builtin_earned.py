"""Policies that Patrol brings itself about others: one has earned `live`, one has become noisy. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import Action, Clear, Fire
from bot.core.alert import Lane, Terms
from bot.core.earned import Record, Rule, figures, missing, noise
from sensors.model.policy import Policy, Severity, Status
from sensors.model.team import LadderStep, Team
from sensors.model.violation import canonical

EARNED_LIVE = "patrol.earned_live"
NOISY_POLICY = "patrol.noisy_policy"
PATIENCE = timedelta(days=7)  # nothing burns: then the lead hears of it, and each week again
LADDER = (LadderStep(PATIENCE, "lead"),)
LANES = {EARNED_LIVE: Lane.shadow, NOISY_POLICY: Lane.live}


def worth_key(policy: str) -> str:
    return canonical({"policy": policy})


def earned_live(policy: Policy, found: Record, rule: Rule, team: Team | None, now: datetime) -> Action:
    """What the owner is told in the review channel, once; it is over when the policy is live, or no longer
    deserves to be."""
    if policy.status is not Status.shadow or missing(found, rule):
        return Clear(now)
    said = f"{policy.name} has earned live: right {found.right} of {found.judged}"
    advice = (
        f"{_figures(found)}. To go live, write `status: live` in `{policy.path}`; nothing changes by itself."
    )
    return _fire(EARNED_LIVE, policy, Severity.info, said, advice, found.judged, team, now)


def noisy_policy(policy: Policy, found: Record, team: Team | None, now: datetime) -> Action:
    """What the owner is told; it is over when the policy is mended, moved to shadow, or right again."""
    why = noise(found)
    if policy.status is not Status.live or not why:
        return Clear(now)
    causes = ", ".join(f"{cause.value.replace('_', ' ')} {n}×" for cause, n in found.causes.items())
    blamed = f" Blamed: {causes}." if causes else ""
    advice = (
        f"{_figures(found)}.{blamed} Until it is mended, write `status: shadow` in `{policy.path}`; nothing"
        f" changes by itself. `patrol case --reports {policy.name}` lists what people said."
    )
    said = f"{policy.name} is noisy: it {why} in 30 days"
    return _fire(NOISY_POLICY, policy, Severity.low, said, advice, found.judged or found.opened, team, now)


def _figures(found: Record) -> str:
    said = figures(found)
    return said[0].upper() + said[1:]


def _fire(
    name: str,
    policy: Policy,
    severity: Severity,
    said: str,
    advice: str,
    count: int,
    team: Team | None,
    now: datetime,
) -> Fire:
    terms = Terms(
        team=policy.owner, ladder=LADDER, repeat_interval=PATIENCE, clear="always", accumulates=False
    )
    if team:
        terms = replace(terms, acknowledged_for=team.acknowledged_for)
    return Fire(
        policy=name,
        key=worth_key(policy.name),
        lane=LANES[name],
        terms=terms,
        title=said[:200],
        severity=severity,
        count=count,
        as_of=now,
        new_evidence=False,
        key_values={"policy": policy.name},
        newest={"policy": policy.name, "advice": advice},
    )
