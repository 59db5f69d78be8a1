"""`patrol.silent_sensor`: a policy that ought to look and has had no good look for far too long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.action import Fire
from bot.core.builtin import told
from bot.core.plan import last_due
from sensors.model.clock import say_duration
from sensors.model.policy import After, Cron, Every, Policy
from sensors.model.run import RunStatus
from sensors.model.team import Team

SILENT_SENSOR = "patrol.silent_sensor"
INTERVALS = 3
AT_LEAST = timedelta(minutes=15)
ONE_BY_ONE = 10  # silent policies of a team; more are one alert: their cause is one


@dataclass(frozen=True)
class Heard:
    """The newest look of a policy by its schedule, as the store knows it."""

    status: RunStatus
    at: datetime  # when it ended, or else began or was due
    said: str = ""  # why it failed or was skipped


def looked_since(policy: Policy, now: datetime, due: bool = False) -> datetime | None:
    """Since when the policy must have had a good look by now; None where it need not have had one.

    `due`: whether all that it runs after has come, and it has not run for that.
    """
    grace = max(AT_LEAST, 2 * policy.timeout)
    match policy.schedule:
        case Every(interval):
            return now - max(INTERVALS * interval, grace)
        case Cron():
            return last_due(policy.schedule, now - grace)
        case After():
            return now - grace if due else None


def reason(heard: Heard | None) -> str:
    """Why there was no good look, as far as its newest run tells."""
    if heard is None:
        return "it has never been run"
    match heard.status:
        case RunStatus.succeeded:
            return f"Patrol has not come to it since {heard.at:%Y-%m-%d %H:%M} UTC"
        case RunStatus.skipped | RunStatus.waiting:
            return f"it waits: {heard.said}"
        case RunStatus.failed | RunStatus.timed_out:
            return f"it fails: {heard.said}"
        case _:
            return f"one look has gone on since {heard.at:%Y-%m-%d %H:%M} UTC"


def silent_sensors(
    owner: str,
    silent: Mapping[str, tuple[Policy, str]],
    team: Team | None,
    now: datetime,
) -> list[Fire]:
    """What is told of a team's silent policies and their reasons, by name: one by one, or many at once."""
    if len(silent) <= ONE_BY_ONE:
        return [_one(policy, why, team, now) for policy, why in silent.values()]
    first, why = next(iter(silent.values()))
    said = f"{len(silent)} policies of {owner} have had no good look for far too long. {first.name}: {why}"
    values = {"team": owner}
    return [told(SILENT_SENSOR, values, said, why, owner, team, now, count=len(silent))]


def _one(policy: Policy, why: str, team: Team | None, now: datetime) -> Fire:
    every = policy.schedule
    plan = f"every {say_duration(every.interval)}" if isinstance(every, Every) else "at its times"
    plan = f"after {', '.join(every.upstream)}" if isinstance(every, After) else plan
    said = f"{policy.name} ought to look {plan} and has had no good look for far longer: {why}"
    return told(SILENT_SENSOR, {"policy": policy.name}, said, why, policy.owner, team, now)
