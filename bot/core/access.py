"""Who may do what. A refused person is told who may."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.change import Refused
from bot.core.snooze import Scope
from bot.core.words import clean, who
from sensors.model.job import Job
from sensors.model.team import Role, Team


def may_act(person: str, teams: Mapping[str, Team]) -> Refused | None:
    """Whoever is a member of any team may work on alerts; others are told where membership is written."""
    if any(team.member(person) for team in teams.values()):
        return None
    return Refused(
        "You are a member of no team, so you may look but not act.",
        f"Ask for a place in policies/_teams.yml: {', '.join(sorted(teams)) or 'there are no teams yet'}.",
    )


MAY_SNOOZE: Mapping[Scope, Role] = {
    Scope.alert: Role.responder,
    Scope.entity: Role.lead,
    Scope.policy: Role.admin,
}


def may_snooze(person: str, scope: Scope, teams: Mapping[str, Team]) -> Refused | None:
    """Whether the person may snooze (or wake) so much at once."""
    what = {Scope.entity: "snooze all alerts about somebody", Scope.policy: "snooze a whole policy"}
    return _at_least(person, MAY_SNOOZE[scope], what.get(scope, "snooze an alert"), teams)


def may_order(person: str, teams: Mapping[str, Team]) -> Refused | None:
    """Whether the person may pause a policy, or have it run at another pace."""
    return _at_least(person, Role.lead, "pause a policy or change its pace", teams)


def may_resolve_several(person: str, teams: Mapping[str, Team]) -> Refused | None:
    """Whether the person may give one verdict for several alerts at once."""
    return _at_least(person, Role.lead, "resolve several alerts at once", teams)


def _at_least(person: str, role: Role, what: str, teams: Mapping[str, Team]) -> Refused | None:
    """Whether the person has the role, or more, in whatever team; others are told who has."""
    if refused := may_act(person, teams):
        return refused
    ranks = list(Role)
    able = {
        member.slack
        for team in teams.values()
        for member in team.members
        if any(ranks.index(one) >= ranks.index(role) for one in member.roles)
    }
    if role is Role.responder or person in able:
        return None
    whom = ", ".join(who(one) for one in sorted(able)[:5]) or f"nobody: name an {role} in policies/_teams.yml"
    return Refused(f"Only a team's {role} may {what}.", f"Those who may: {whom}.")


def may_start(person: str, job: Job, teams: Mapping[str, Team]) -> Refused | None:
    """Whether the person may start the job at once."""
    if refused := may_act(person, teams):
        return refused
    if job.approval != "none":
        return Refused(
            f"{job.name} needs the approval of a second person, which cannot be given in Slack yet.",
            f"Its owner is {job.owner}.",
        )
    return None


def may_stand_in(person: str, team: Team | None) -> Refused | None:
    """Whether the person may be, and say who is, on call for the team: its members may."""
    if team and team.member(person):
        return None
    members = ", ".join(who(member.slack) for member in team.members) if team else "nobody"
    name = clean(team.name) if team else "the team"
    return Refused(f"{who(person)} is no member of {name}; on call are its members: {members}.")
