"""What a card shows beside its alert: from the files, who is on call, and what is remembered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core import oncall
from bot.core.access import Ground, role_in
from bot.core.alert import Alert, Disposition, due
from bot.core.backfill import BackfillRun
from bot.core.builtin_earned import LANES
from bot.core.builtin_slack import SLACK_AWAY
from bot.core.cover import Cover
from bot.core.job_run import JobRun
from bot.core.late import LATE_ROWS
from bot.core.message import LATE
from bot.core.reply import Context, Earlier, Evidence
from bot.core.route import channel_in
from bot.core.snooze import Scope, Target
from bot.core.words import clean
from sensors.model.catalog import Catalog
from sensors.model.job import Job
from sensors.model.policy import Policy, Status
from sensors.model.team import Team


@dataclass(frozen=True)
class Known:
    """What is remembered of an alert and its policy: by the store, or by nobody."""

    evidence: Evidence = field(default_factory=Evidence)
    earlier: tuple[Earlier, ...] = ()
    dispositions: Mapping[Disposition, int] = field(default_factory=dict)
    data_until: datetime | None = None


@dataclass(frozen=True)
class House:
    """The files at a moment: whose an alert is, and who is meant by a reference."""

    catalog: Catalog
    owner: str  # the team that answers for Patrol itself
    at: datetime
    covers: tuple[Cover, ...] = ()  # who stands in for whom

    def policy_of(self, alert: Alert) -> Policy | None:
        return self.catalog.policies.get(alert.policy)

    def team_of(self, alert: Alert) -> Team | None:
        """Its team; where that is gone, the one that answers for Patrol."""
        teams = self.catalog.teams
        return teams.get(alert.terms.team) or teams.get(self.owner)

    def channel_of(self, alert: Alert) -> str:
        """Where its card goes; what is said of a policy's place goes where that policy's own alerts do."""
        with_it = alert.policy in LANES or (alert.policy == LATE_ROWS and self.sensitive(alert))
        about = str(alert.key_values.get("policy")) if with_it else alert.policy
        return channel_in(alert.lane, self.catalog.policies.get(about), self.team_of(alert))

    def people(self, ref: str | None, alert: Alert) -> tuple[str, ...]:
        """Who is meant, never nobody while anybody is in a team."""
        if not ref:
            return ()
        team, owner = self.team_of(alert), self.catalog.teams.get(self.owner)
        found = oncall.people(ref, team, self.at, self.covers)
        return found or oncall.instead(team, owner, self.at, self.covers)

    def paged(self, alert: Alert) -> tuple[str, ...]:
        """Whom the card tells itself, once it is posted."""
        return self.told(alert) if alert.is_open and _tells(alert, self.at) else ()

    def told(self, alert: Alert) -> tuple[str, ...]:
        """Who has been told of it by the steps of its ladder so far, the first first."""
        steps = alert.terms.ladder[: alert.step]
        return tuple(dict.fromkeys(slack for step in steps for slack in self.people(step.to, alert)))

    def ground(self, alert: Alert) -> Ground:
        """The alert as something that people may act on."""
        held = (alert.owner, *alert.helpers, *self.told(alert))
        on_it = frozenset(person for person in held if person)
        return replace(self.ground_of(alert.name, self.team_of(alert)), on_it=on_it, alert=alert.id)

    def sensitive(self, alert: Alert) -> bool:
        """Whether only its team may see it: by its policy when it opened, or as that now is."""
        about = str(alert.key_values.get("policy")) if alert.policy == LATE_ROWS else alert.policy
        policy = self.catalog.policies.get(about)
        return alert.terms.sensitive or (policy is not None and policy.sensitive)

    def sees(self, person: str, alert: Alert) -> bool:
        return not self.sensitive(alert) or role_in(person, self.ground(alert)) is not None

    def sees_of(self, person: str, policy: Policy) -> bool:
        """Whether the person may see what the policy finds."""
        return not policy.sensitive or role_in(person, self.ground_of_policy(policy.name)) is not None

    def hides(self, run: BackfillRun) -> bool:
        """Whether what a backfill finds is not for everybody's eyes."""
        policies = (self.catalog.policies.get(one.policy) for one in run.stages)
        return any(policy is None or policy.sensitive for policy in policies)

    def ground_of(self, name: str, team: Team | None) -> Ground:
        """Something else of a team, such as a policy or a job."""
        calls = oncall.people("oncall", team, self.at, self.covers)
        return Ground(name, team, self.catalog.teams.get(self.owner), on_call=calls)

    def ground_of_policy(self, name: str) -> Ground:
        """A policy as something that people pause or snooze: its owner's."""
        policy = self.catalog.policies.get(name)
        return self.ground_of(clean(name), self.catalog.teams.get(policy.owner) if policy else None)

    def ground_of_target(self, target: Target) -> Ground:
        """What a snooze is of. An entity is everybody's whose policies look at such."""
        if target.scope is Scope.policy:
            return self.ground_of_policy(target.name)
        kind = target.name.partition(":")[0]
        owners = {policy.owner for policy in self.catalog.policies.values() if self._looks_at(policy, kind)}
        teams = [team for name, team in sorted(self.catalog.teams.items()) if name in owners]
        each = [self.ground_of(clean(target.name), team) for team in teams]
        calls = tuple(person for ground in each for person in ground.on_call)
        first = next(iter(each), self.ground_of(clean(target.name), None))
        return replace(first, beside=tuple(teams[1:]), on_call=calls)

    def _looks_at(self, policy: Policy, kind: str) -> bool:
        """Whether its alerts are about entities of the kind."""
        entities = self.catalog.entities_of(policy.name)
        named = {entities[column].name for column in policy.entity or policy.key if column in entities}
        return policy.status is not Status.draft and kind in named

    def ground_to_start(self, job: Job, alert: Alert | None) -> Ground:
        """Where a job is started: its alert, if the policy offers it, else the job's own team."""
        offered = self.offers(self.policy_of(alert)) if alert else ()
        team = self.team_of(alert) if alert and job in offered else self.catalog.teams.get(job.owner)
        ground = self.ground_of(clean(job.name), team)
        return replace(ground, on_it=self.ground(alert).on_it) if alert and job in offered else ground

    def ground_to_cancel(self, run: JobRun, job: Job | None, alert: Alert | None) -> Ground:
        """A run is ended by whom it was started by, and by those who might have started it."""
        name = f"{run.name} of {clean(run.job)}"
        ground = self.ground_to_start(job, alert) if job else self.ground_to_approve(run.job)
        owner = self.catalog.teams.get(job.owner) if job else None
        beside = (owner,) if owner and owner is not ground.team else ()
        return replace(ground, name=name, on_it=ground.on_it | {run.by}, beside=beside)

    def ground_to_approve(self, job: str) -> Ground:
        """Those of the job's own team agree to it, whatever alert it is started from."""
        declared, teams = self.catalog.jobs.get(job), self.catalog.teams
        team = teams.get(declared.owner) if declared else None
        return self.ground_of(clean(job), team or teams.get(self.owner))

    def links(self, alert: Alert) -> tuple[tuple[str, str], ...]:
        """A link for every entity that the alert names: whom the policy is about first, then its key's."""
        policy = self.policy_of(alert)
        ways = policy.alert.columns if policy else {}
        values = {**alert.key_values, **alert.newest}
        entities, found = self.catalog.entities_of(alert.policy), []
        for column in dict.fromkeys((*(policy.entity if policy else ()), *values)):
            entity = entities.get(column) if ways.get(column, "show") == "show" else None
            url = entity.url(values.get(column)) if entity else None
            if entity and url:
                found.append((entity.label or f"Open {entity.name}", url))
        return tuple(dict(found).items())

    def offers(self, policy: Policy | None) -> tuple[Job, ...]:
        wanted = policy.offer if policy else ()
        return tuple(self.catalog.jobs[name] for name in wanted if name in self.catalog.jobs)

    def _beside(self, alert: Alert, other: Earlier) -> Earlier:
        """Another alert as the card of this one names it: of one that others may not see the number alone."""
        policy = self.catalog.policies.get(other.policy)
        sensitive = other.sensitive or (policy is not None and policy.sensitive)
        if not sensitive or (self.sensitive(alert) and alert.terms.team == other.team):
            return replace(other, sensitive=False)
        return replace(other, policy="", title="", disposition=None, sensitive=True)

    def context(self, alert: Alert, known: Known) -> Context:
        """What the card shows beside its alert, now."""
        policy, team, next_told = self.policy_of(alert), self.team_of(alert), due(alert)
        told = self.told(alert) if alert.is_open else ()
        return Context(
            policy=policy,
            team_channel=team.channel if team else "",
            due_to=self.people(next_told.to, alert) if next_told else (),
            paged=self.paged(alert),
            told=told,
            names=oncall.names(self.catalog.teams),
            evidence=known.evidence,
            offers=self.offers(policy),
            links=self.links(alert),
            earlier=tuple(self._beside(alert, other) for other in known.earlier),
            dispositions=known.dispositions,
            violation=self.catalog.violations.get(policy.violation or "") if policy else None,
            data_until=known.data_until,
        )


def _tells(alert: Alert, now: datetime) -> bool:
    """Whether its first step is told by the card itself; one that comes late is told by a digest."""
    late = now - alert.opened_at > LATE and alert.policy != SLACK_AWAY
    return alert.step == 1 and not alert.reopened and not alert.terms.ladder[0].after and not late
