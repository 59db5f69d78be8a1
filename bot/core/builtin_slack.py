"""Policies that Patrol brings itself about Slack: what cannot be posted is told where it can. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.action import Fire
from bot.core.alert import Alert, Terms
from bot.core.builtin import LANE, terms_of, told
from bot.core.message import Message
from sensors.model.clock import say_duration
from sensors.model.policy import Severity
from sensors.model.team import Team
from sensors.model.violation import canonical

UNREACHABLE = "patrol.unreachable_channel"
SLACK_AWAY = "patrol.slack_away"


EXPOSED = "patrol.exposed_channel"


def policy_key(policy: str) -> str:
    return canonical({"policy": policy})


def exposed_channel(
    policy: str, channel: str, why: str, owner: str, team: Team | None, now: datetime
) -> Fire:
    """A sensitive policy has alerts, and others could read them in its channel: they wait."""
    said = f"{policy} is sensitive, and its alerts wait: {channel} takes none of them, for {why}"
    found = told(EXPOSED, {"policy": policy}, said, why, owner, team, now, severity=Severity.high)
    advice = "Make the channel private, or name a private one as `channel` in the policy."
    return replace(found, newest={**found.newest, "advice": advice})


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


@dataclass(frozen=True)
class HeldBack:
    """Something that somebody should have been told, and was not in time."""

    alert: Alert
    what: str  # opened, page or tell
    to: str  # a ladder reference or a Slack user id
    at: datetime
    effect: int | None = None
    message: Message | None = None  # that was refused, so that nothing of it is at Slack


@dataclass(frozen=True)
class Outage:
    """Why it is late: Slack was away, or more waited for it than it lets through."""

    since: datetime  # the same for all who ask
    length: timedelta
    away: bool

    @property
    def words(self) -> str:
        long = say_duration(self.length)
        return f"Slack was away for {long}" if self.away else f"Messages to Slack are {long} late"


def away_key(team: str, outage: Outage) -> str:
    return canonical({"team": team, "since": outage.since.isoformat()})


def slack_away(
    owner: str,
    team: Team | None,
    outage: Outage,
    held: Sequence[HeldBack],
    before: Alert | None,
    listed: Collection[int],
    now: datetime,
) -> Fire:
    """One alert for all that was held back of a team; by the ladder of the worst it tells who is on call.

    `before` is what the same outage has been told of already, `listed` the alerts that digests have named.
    """
    known = before.newest if before and before.is_open else {}
    new = {one.alert.id for one in held} - set(listed)
    opened = int(known.get("opened", 0)) + sum(one.what == "opened" for one in held)
    pages = int(known.get("held_back", 0)) + sum(one.what != "opened" for one in held)
    told = [_many(opened, "alert opened", "alerts opened"), _many(pages, "page", "pages", " held back")]
    severity = max(one.alert.severity for one in held)
    terms = Terms(team=owner, repeat_interval=timedelta(hours=4))
    if team:
        terms = replace(terms, ladder=team.ladder(severity), acknowledged_for=team.acknowledged_for)
    return Fire(
        policy=SLACK_AWAY,
        key=away_key(owner, outage),
        lane=LANE,
        terms=terms,
        title=f"{outage.words}: {', '.join(filter(None, told))}",
        severity=severity,
        count=max(1, len(new)) + (before.count if before and before.is_open else 0),
        as_of=now,
        new_evidence=True,
        key_values={"team": owner},
        newest={"opened": opened, "held_back": pages},
    )


def _many(n: int, one: str, more: str, after: str = "") -> str:
    return f"{n:,} {one if n == 1 else more}{after}" if n else ""


def rows_of(held: Sequence[HeldBack], names: Mapping[str, str]) -> list[dict[str, str]]:
    """A row for each alert, the worst first: what was held back of it, for whom, since when."""
    by_alert: dict[int, list[HeldBack]] = {}
    for one in sorted(held, key=lambda one: (-one.alert.severity, one.alert.id, one.at)):
        by_alert.setdefault(one.alert.id, []).append(one)
    return [
        {
            "alert": of[0].alert.name,
            "severity": of[0].alert.severity.name,
            "what": f"{_kinds(of)}: {of[0].alert.title}"[:150],
            "to": ", ".join(dict.fromkeys(names.get(one.to, one.to) for one in of)),
            "when": f"{of[0].at:%Y-%m-%d %H:%M:%S}Z",
        }
        for of in by_alert.values()
    ]


def _kinds(of: Sequence[HeldBack]) -> str:
    pages = sum(one.what != "opened" for one in of)
    opened = "opened" if any(one.what == "opened" for one in of) else ""
    return ", ".join(filter(None, [opened, _many(pages, "page", "pages")]))


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
    return Fire(
        policy=UNREACHABLE,
        key=key,
        lane=LANE,
        terms=terms_of(owner, team, severity),
        title=title[:200],
        severity=severity,
        count=count,
        as_of=now,
        new_evidence=False,
        key_values={"channel": values["channel"]},
        newest=values,
    )
