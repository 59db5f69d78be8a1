"""Who may do what. A refused person is told who may."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.change import Refused
from bot.core.snooze import Scope
from bot.core.words import who
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
    """Whether the person may snooze (or wake) so much at once, in whatever team he has the role."""
    if refused := may_act(person, teams):
        return refused
    role, ranks = MAY_SNOOZE[scope], list(Role)
    able = {
        member.slack
        for team in teams.values()
        for member in team.members
        if any(ranks.index(one) >= ranks.index(role) for one in member.roles)
    }
    if scope is Scope.alert or person in able:
        return None
    whom = ", ".join(who(one) for one in sorted(able)[:5]) or f"nobody: name an {role} in policies/_teams.yml"
    what = "all alerts about somebody" if scope is Scope.entity else "a whole policy"
    return Refused(f"Only a team's {role} may snooze {what}.", f"Those who may: {whom}.")


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
