"""Policies that Patrol brings itself about Slack: what cannot be posted is told where it can. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.action import Clear, Fire
from bot.core.alert import Lane, Terms
from sensors.model.policy import Severity
from sensors.model.team import Team
from sensors.model.violation import canonical

UNREACHABLE = "patrol.unreachable_channel"
LANE = Lane.live


def channel_key(channel: str) -> str:
    return canonical({"channel": channel})


def refused_key(channel: str) -> str:
    return canonical({"refused in": channel})


def unreachable_channel(
    channel: str, name: str, code: str, do: str, owner: str, team: Team | None, now: datetime
) -> Fire:
    """A channel that takes no posts. `name` is what people call it, `do` what would mend it."""
    values = {"channel": channel, "code": code, "do": do}
    return _fire(
        channel_key(channel),
        Severity.high,
        f"{name} takes no posts ({code}): {do}",
        1,
        values,
        owner,
        team,
        now,
    )


def refused_messages(
    channel: str, name: str, code: str, alerts: tuple[str, ...], owner: str, team: Team | None, now: datetime
) -> Fire:
    """Messages that Slack refuses for good, though the channel takes others: they are parked."""
    n = len(alerts)
    words = "a message is" if n == 1 else f"{n} messages are"
    told = ", ".join(dict.fromkeys(alerts[:5]))
    title = f"{words} refused in {name} ({code}), of {told}: read them in More…; they are tried again"
    values = {"channel": channel, "code": code, "alerts": told}
    return _fire(refused_key(channel), Severity.medium, title, n, values, owner, team, now)


def mended(now: datetime) -> Clear:
    """It takes posts again."""
    return Clear(now)


def _fire(
    key: str,
    severity: Severity,
    title: str,
    count: int,
    values: dict[str, Any],
    owner: str,
    team: Team | None,
    now: datetime,
) -> Fire:
    terms = Terms(team=owner, repeat_interval=timedelta(hours=12), clear="always", accumulates=False)
    if team:
        terms = replace(terms, ladder=team.ladder(severity), acknowledged_for=team.acknowledged_for)
    return Fire(
        policy=UNREACHABLE,
        key=key,
        lane=LANE,
        terms=terms,
        title=title[:200],
        severity=severity,
        count=count,
        as_of=now,
        new_evidence=False,
        key_values={"channel": values["channel"]},
        newest=values,
    )
