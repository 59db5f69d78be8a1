"""Who is on call, until when, and who is next: the one resolver for paging, messages, Home and commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.cover import Cover, covered
from bot.core.rotation import edges, turn, within
from sensors.model.team import NOBODY, Role, Team

LOOKS_AHEAD = timedelta(days=100)  # for who is next
NONE: tuple[Cover, ...] = ()


@dataclass(frozen=True)
class Duty:
    """Slack's ids of who is on call from `start` until `end`, and why; nobody where that is meant."""

    people: tuple[str, ...]
    why: str  # turn, override, outside hours, covers, has taken over
    start: datetime
    end: datetime


def on_call(team: Team, at: datetime, covers: Sequence[Cover] = NONE) -> tuple[str, ...]:
    """Slack's ids of who is on call. Nobody where the hours say so, or where there is nobody in the team."""
    return _standing(team, at, covers)[0]


def _standing(team: Team, at: datetime, covers: Sequence[Cover]) -> tuple[tuple[str, ...], str]:
    scheduled, why = _scheduled(team, at)
    people, instead = covered(scheduled, (c for c in covers if c.team == team.name), at)
    return people, instead or why


def _scheduled(team: Team, at: datetime) -> tuple[tuple[str, ...], str]:
    """By the files alone: an override, else who is there outside hours, else whose turn it is."""
    for override in reversed(team.overrides):
        if override.start <= at < override.end and (person := _named(team, override.member)):
            return person, "override"
    rotation = team.rotation
    if rotation is None:
        return tuple(m.slack for m in team.members[:1]), "turn"
    if team.hours and not within(team.hours, rotation, at):
        outside = team.hours.outside
        return () if outside == NOBODY else people(outside, team, at), "outside hours"
    turns = rotation.members or tuple(member.name for member in team.members)
    return _named(team, turns[turn(rotation, at).number % len(turns)]) if turns else (), "turn"


def _named(team: Team, name: str) -> tuple[str, ...]:
    return tuple(m.slack for m in team.members if m.name == name)[:1]


def people(ref: str, team: Team | None, at: datetime, covers: Sequence[Cover] = NONE) -> tuple[str, ...]:
    """The Slack ids behind a ladder reference (oncall, pager, team, lead, a member's name) or a Slack id.

    Where nobody is on call, the lead is.
    """
    by_id = (ref,) if ref[:1] in ("U", "W") and ref.isupper() else ()
    if team is None:
        return by_id
    match ref:
        case "oncall" | "pager":  # a pager rings whoever is on call
            return on_call(team, at, covers) or people("lead", team, at)
        case "team":
            return tuple(member.slack for member in team.members)
        case "lead":
            leads = tuple(m.slack for m in team.members if m.roles & {Role.lead, Role.admin})
            return leads or tuple(m.slack for m in team.members)
        case _:
            return tuple(m.slack for m in team.members if m.name == ref) or by_id


def instead(
    team: Team | None, owner: Team | None, at: datetime, covers: Sequence[Cover] = NONE
) -> tuple[str, ...]:
    """Who hears of an alert whose reference leads to nobody: the team's lead, else those on call for the team
    that answers for Patrol."""
    return people("lead", team, at) or people("oncall", owner, at, covers)


def names(teams: Mapping[str, Team]) -> dict[str, str]:
    """Slack id → name of everybody in any team."""
    return {m.slack: m.name for team in teams.values() for m in team.members}


# -- through time --------------------------------------------------------------------------------------------


def changes(team: Team, at: datetime, covers: Sequence[Cover] = NONE) -> datetime | None:
    """The first moment after `at` when somebody else may be on call; None where none will be for a week."""
    rotation = team.rotation
    found = [edge for one in team.overrides for edge in (one.start, one.end)]
    found += [edge for one in covers if one.team == team.name for edge in (one.start, one.until)]
    if rotation and (len(rotation.members or team.members) > 1):
        found.append(turn(rotation, at).end)
    if rotation and team.hours:
        found += edges(team.hours, rotation, at)
    return min((edge for edge in found if edge > at), default=None)


def duties(team: Team, start: datetime, end: datetime, covers: Sequence[Cover] = NONE) -> Iterator[Duty]:
    """Who is on call from `start` to `end`, without a gap, one after another; neighbours differ."""
    held, at = Duty(*_standing(team, start, covers), start, end), start
    while (at := changes(team, at, covers) or end) < end:
        now_on, why = _standing(team, at, covers)
        if (now_on, why) != (held.people, held.why):
            yield replace(held, end=at)
            held = Duty(now_on, why, at, end)
    yield held


def following(team: Team, at: datetime, covers: Sequence[Cover] = NONE) -> Duty | None:
    """Who is on call next, from when and until when; None where it stays who it is."""
    now_on = on_call(team, at, covers)
    coming = (duty for duty in duties(team, at, at + LOOKS_AHEAD, covers) if duty.people != now_on)
    return next(coming, None)


def now_and_next(team: Team, at: datetime, covers: Sequence[Cover] = NONE) -> tuple[Duty, Duty | None]:
    """Who is on call from `at` on until somebody else is, and that one; None where it stays who it is."""
    people, why = _standing(team, at, covers)
    coming = following(team, at, covers)
    return Duty(people, why, at, coming.start if coming else at + LOOKS_AHEAD), coming
