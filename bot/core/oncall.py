"""Who is on call: the one resolver for paging, messages and commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sensors.model.team import Member, Role, Team


def on_call(team: Team, at: datetime) -> Member | None:
    """The member whose turn it is by the team's rotation; without one, the first member."""
    by_name = {member.name: member for member in team.members}
    rotation = team.rotation
    if not rotation or not rotation.members:
        return next(iter(team.members), None)
    if rotation.anchor is None:
        return by_name.get(rotation.members[0])
    zone, anchor = ZoneInfo(rotation.timezone), rotation.anchor.replace(tzinfo=None)
    turn = (at.astimezone(zone).replace(tzinfo=None) - anchor) // rotation.length
    following = (anchor + (turn + 1) * rotation.length).replace(tzinfo=zone)
    if following.astimezone(UTC) <= at:  # clocks were put back over the handoff: it has been
        turn += 1
    return by_name.get(rotation.members[turn % len(rotation.members)])


def people(ref: str, team: Team | None, at: datetime) -> tuple[str, ...]:
    """The Slack ids behind a ladder reference (oncall, team, lead, a member's name) or a Slack id.

    Where nobody has the turn, the lead is on call.
    """
    by_id = (ref,) if ref[:1] in ("U", "W") and ref.isupper() else ()
    if team is None:
        return by_id
    match ref:
        case "oncall":
            member = on_call(team, at)
            return (member.slack,) if member else people("lead", team, at)
        case "team":
            return tuple(member.slack for member in team.members)
        case "lead":
            leads = tuple(m.slack for m in team.members if m.roles & {Role.lead, Role.admin})
            return leads or tuple(m.slack for m in team.members)
        case _:
            return tuple(m.slack for m in team.members if m.name == ref) or by_id


def instead(team: Team | None, owner: Team | None, at: datetime) -> tuple[str, ...]:
    """Who hears of an alert whose reference leads to nobody: the team's lead, else those on call for the team
    that answers for Patrol."""
    return people("lead", team, at) or people("oncall", owner, at)


def names(teams: Mapping[str, Team]) -> dict[str, str]:
    """Slack id → name of everybody in any team."""
    return {m.slack: m.name for team in teams.values() for m in team.members}
