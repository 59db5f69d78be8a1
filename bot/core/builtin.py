"""Policies that Patrol brings itself: pure functions over what it knows, on the road of all violations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import Action, Clear, Fire
from bot.core.alert import Lane, Terms
from bot.core.retry import lasts
from bot.core.words import count
from sensors.model.policy import Severity
from sensors.model.run import Looked
from sensors.model.team import Team
from sensors.model.violation import canonical

BROKEN_SENSOR = "patrol.broken_sensor"
# Of its own name, not a broken sensor's: every policy is blind and none of them is at fault, and it goes to
# those who answer for Patrol.
WAREHOUSE_AWAY = "patrol.warehouse_away"
BROKEN_BUNDLE = "patrol.broken_bundle"
LANE = Lane.live
SEVERITY = Severity.medium


def broken_key(policy: str) -> str:
    return canonical({"policy": policy})


def file_key(policy: str) -> str:
    return canonical({"file": policy})


def broken_sensor(
    looked: Looked, failures: int, tries: int, team: Team | None, now: datetime
) -> Action | None:
    """What a run says about its own policy: it cannot look, its rows cannot be counted, or all is well.

    `failures` counts failed runs in a row, this one included, `tries` the attempts that they made.
    """
    name = looked.policy.name
    if looked.ok and not looked.bad_rows:
        return Clear(now)
    if looked.ok:
        bad = len(looked.bad_rows)
        why = f"{count(bad, 'row')} cannot be counted: {looked.bad_rows[0]}"
        return _fire(name, looked.policy.owner, why, bad, team, now)
    if looked.transient and not lasts(looked, failures, tries):
        return None
    why = looked.error or "the query failed"
    return _fire(name, looked.policy.owner, f"cannot look: {why}", failures, team, now)


def broken_file(policy: str, owner: str, why: str, team: Team | None, now: datetime) -> Fire:
    """A policy whose files do not load; its last good version goes on."""
    return _fire(policy, owner, f"does not load: {why}", 1, team, now, file_key(policy))


def bundle_key(name: str) -> str:
    return canonical({"bundle": name})


def broken_bundle(name: str, why: str, owner: str, team: Team | None, now: datetime) -> Fire:
    """A bundle that is not its newest version, or not all of it; what last was good of it goes on."""
    return told(BROKEN_BUNDLE, {"bundle": name}, f"Bundle {name} is not whole: {why}", why, owner, team, now)


UNREAD_KEY = canonical({"files": "all"})


def unread_files(why: str, owner: str, team: Team | None, now: datetime) -> Fire:
    """Changed files that could not be read at all, by no fault of one of them; the old ones go on."""
    said = "Changed files could not be read; policies go on as they were"
    return told(BROKEN_SENSOR, {"files": "all"}, said, why, owner, team, now, key=UNREAD_KEY)


def mended(now: datetime) -> Clear:
    """What was wrong is over."""
    return Clear(now)


def warehouse_key(name: str) -> str:
    return canonical({"warehouse": name})


def warehouse_away(name: str, why: str, owner: str, team: Team | None, now: datetime) -> Fire:
    """No policy can look. The words stay the same while it lasts, so that it is one alert and one message."""
    said = f"The warehouse is away, no policy can look: {why}"
    return told(WAREHOUSE_AWAY, {"warehouse": name}, said, why, owner, team, now, severity=Severity.high)


def told(
    policy: str,
    values: Mapping[str, str],
    said: str,
    why: str,
    owner: str,
    team: Team | None,
    now: datetime,
    *,
    key: str = "",
    count: int = 1,
    severity: Severity = SEVERITY,
) -> Fire:
    """What a built-in policy has found, for the team `owner`: about whom, in which words, and why."""
    return Fire(
        policy=policy,
        key=key or canonical(values),
        lane=LANE,
        terms=terms_of(owner, team, severity),
        title=said[:200],
        severity=severity,
        count=count,
        as_of=now,
        new_evidence=False,
        key_values=values,
        newest={**values, "why": why},
    )


def terms_of(owner: str, team: Team | None, severity: Severity = SEVERITY) -> Terms:
    """Repeated twice a day while nobody works on it, and closed by itself when it is over."""
    terms = Terms(team=owner, repeat_interval=timedelta(hours=12), clear="always", accumulates=False)
    if team is None:
        return terms
    return replace(terms, ladder=team.ladder(severity), acknowledged_for=team.acknowledged_for)


def _fire(
    policy: str, owner: str, why: str, count: int, team: Team | None, now: datetime, key: str = ""
) -> Fire:
    values = {"policy": policy}
    return told(BROKEN_SENSOR, values, f"{policy} {why}", why, owner, team, now, key=key, count=count)
