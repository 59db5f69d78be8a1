"""Who may do what. A refused person is told who may."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.change import Refused
from bot.core.words import clean, who
from sensors.model.job import Job
from sensors.model.team import Team


def may_act(person: str, teams: Mapping[str, Team]) -> Refused | None:
    """Whoever is a member of any team may work on alerts; others are told where membership is written."""
    if any(team.member(person) for team in teams.values()):
        return None
    return Refused(
        "You are a member of no team, so you may look but not act.",
        f"Ask for a place in policies/_teams.yml: {', '.join(sorted(teams)) or 'there are no teams yet'}.",
    )


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
