"""Policies that Patrol brings itself: pure functions over what it knows, on the road of all violations."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import Action, Clear, Fire
from bot.core.alert import Lane, Terms
from sensors.model.policy import Severity
from sensors.model.run import Looked
from sensors.model.team import Team
from sensors.model.violation import canonical

BROKEN_SENSOR = "patrol.broken_sensor"
LANE = Lane.live
SEVERITY = Severity.medium
PATIENCE = 3  # failures in a row that may pass by themselves before anybody is told


def broken_key(policy: str) -> str:
    return canonical({"policy": policy})


def file_key(policy: str) -> str:
    return canonical({"file": policy})


def broken_sensor(looked: Looked, failures: int, team: Team | None, now: datetime) -> Action | None:
    """What a run says about its own policy: it cannot look, its rows cannot be counted, or all is well.

    `failures` counts failed runs in a row, this one included.
    """
    name = looked.policy.name
    if looked.ok and not looked.bad_rows:
        return Clear(now)
    if looked.ok:
        bad = len(looked.bad_rows)
        why = f"{bad} {'row' if bad == 1 else 'rows'} cannot be counted: {looked.bad_rows[0]}"
        return _fire(name, looked.policy.owner, why, bad, team, now)
    if looked.transient and failures < PATIENCE:
        return None
    why = looked.error or "the query failed"
    return _fire(name, looked.policy.owner, f"cannot look: {why}", failures, team, now)


def broken_file(policy: str, owner: str, why: str, team: Team | None, now: datetime) -> Fire:
    """A policy whose files do not load; its last good version goes on."""
    return _fire(policy, owner, f"does not load: {why}", 1, team, now, file_key(policy))


def mended(now: datetime) -> Clear:
    """What was broken loads again."""
    return Clear(now)


def terms_of(owner: str, team: Team | None) -> Terms:
    """What an alert about a policy itself is opened under: a condition that closes itself."""
    terms = Terms(team=owner, repeat_interval=timedelta(hours=12), clear="always", accumulates=False)
    if team is None:
        return terms
    return replace(terms, ladder=team.ladder(SEVERITY), acknowledged_for=team.acknowledged_for)


def _fire(
    policy: str, owner: str, why: str, count: int, team: Team | None, now: datetime, key: str = ""
) -> Fire:
    return Fire(
        policy=BROKEN_SENSOR,
        key=key or broken_key(policy),
        lane=LANE,
        terms=terms_of(owner, team),
        title=f"{policy} {why}"[:200],
        severity=SEVERITY,
        count=count,
        as_of=now,
        new_evidence=False,
        key_values={"policy": policy},
        newest={"policy": policy, "why": why},
    )
