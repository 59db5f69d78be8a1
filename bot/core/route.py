"""Where an alert is shown: the channel of its policy or team, by lane."""

from __future__ import annotations

from dataclasses import replace

from bot.core.alert import Lane, Terms
from sensors.model.policy import Policy, Severity, Status
from sensors.model.run import Cause
from sensors.model.team import Team


def lane_of(policy: Policy) -> Lane:
    return Lane.shadow if policy.status is Status.shadow else Lane.live


def lane_for(policy: Policy, cause: Cause) -> Lane:
    """The lane in which a run opens alerts: a backfill's is its own."""
    return Lane.historical if cause.of_the_past else lane_of(policy)


def channel_in(lane: Lane, policy: Policy | None, team: Team | None) -> str:
    """The channel of cards in this lane; empty where neither policy nor team names one."""
    if lane is Lane.live:
        return (policy.channel if policy else None) or (team.channel if team else "")
    return (policy.review_channel if policy else None) or (team.review_channel if team else "")


def terms_for(policy: Policy, team: Team | None, severity: Severity) -> Terms:
    """What an alert of this policy is opened under."""
    terms = Terms(
        team=policy.owner,
        repeat_interval=policy.repeat_interval,
        clear=policy.clear,
        accumulates=policy.accumulates,
        sensitive=policy.sensitive,
    )
    if team is None:
        return terms
    return replace(terms, ladder=team.ladder(severity), acknowledged_for=team.acknowledged_for)
