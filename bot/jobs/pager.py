"""A team's pager as a job of kind http: one request for each call, repeatable by its key."""

from __future__ import annotations

from dataclasses import replace

from bot.core.alert import Alert
from bot.jobs import config, fill
from sensors.model.job import Job, Param
from sensors.model.team import Team

ANYTHING = r"(?s).{0,400}"
KNOWN = ("alert", "title", "severity", "team", "policy", "why")
BODY = {name: f"{{{name}}}" for name in KNOWN}  # where the file says none


def pager_job(team: Team) -> Job | None:
    """What calls the pager; None where the team has none."""
    pager = team.pager
    if pager is None:
        return None
    body = BODY if pager.body is None else pager.body
    used = fill.names(pager.url) | fill.names(body)
    return Job(
        name=f"pager of {team.name}",
        kind="http",
        title=f"The pager of {team.name}",
        owner=team.name,
        config={"url": pager.url, "method": "POST", "headers": dict(pager.headers), "body": body},
        params=tuple(Param(name, pattern=ANYTHING) for name in KNOWN if name in used),
        timeout=pager.timeout,
    )


def problems(team: Team) -> list[str]:
    """Everything that is wrong with it, in sentences."""
    job = pager_job(team)
    if job is None:
        return []
    whole = replace(job, params=tuple(Param(name) for name in KNOWN))  # what it may use is more than it does
    return [what for what in config.problems(whole) if not what.startswith("params.")]


def about(job: Job, alert: Alert, why: str, sensitive: bool = False) -> dict[str, str]:
    """What the call says of the alert, as far as it is asked for; of one that is sensitive no words of it."""
    said = {
        "alert": alert.name,
        "title": alert.title,
        "severity": alert.severity.name,
        "team": alert.terms.team,
        "policy": alert.policy,
        "why": why,
    }
    if sensitive:
        said |= {"title": f"{alert.name} is sensitive: look in Slack", "policy": "", "why": ""}
    return {name: said[name][:400] for name in job.names}
