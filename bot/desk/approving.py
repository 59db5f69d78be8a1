"""Jobs that people ask for: started at once, or put before a second person, whose answer is recorded here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.core import access
from bot.core.access import Deed
from bot.core.action import MACHINE, StartJob
from bot.core.alert import Alert
from bot.core.approval import (
    Answer,
    Approval,
    ApprovalState,
    binding,
    decide,
    job_lines,
    needed,
    nobody_else,
    outcome,
)
from bot.core.change import Refused
from bot.core.command import Command
from bot.core.reply import ApprovalsReply, AskReply, FormReply, Person, Reply, Said
from bot.core.trail import line_of
from bot.core.words import when, who
from bot.desk.acting import Acting
from bot.desk.waiting import Waiting
from bot.process.log import get
from bot.starting import Starting
from sensors.model.job import Job

log = get("approving")
Form = tuple[Job, dict[str, Any]]  # a job, and the values that its parameters would have


class Approving:
    """Thread-safe: what waits lies in the store."""

    def __init__(self, acting: Acting, starting: Starting) -> None:
        self.acting = acting
        self.view = acting.view
        self.starting = starting
        self.engine = starting.engine
        self.store = starting.store
        self.rest = Waiting(starting.engine)

    @property
    def asks(self) -> Mapping[str, Callable[[Person, Command], Reply]]:
        """The commands about what waits."""
        return {
            "approvals": lambda person, _: self.waiting(person),
            "approve": lambda person, said: self.answer(person, said.approval, True, said.words),
            "refuse": lambda person, said: self.answer(person, said.approval, False, said.words),
        }

    # ---------------------------------------------------------------------- asking

    def typed(
        self, person: Person, alert: Alert | None, job: Job, given: Mapping[str, Any]
    ) -> AskReply | FormReply | Said | Refused:
        """What a job that is typed would do; where no values were given and it needs some, its form."""
        filled, problems = job.fill(given, _row(alert))
        if given or not problems or self._forbidden(person, alert, job):
            return self.shown(person, alert, job, given)
        return FormReply(job, filled, alert.id if alert else None)

    def shown(
        self, person: Person, alert: Alert | None, job: Job, given: Mapping[str, Any]
    ) -> AskReply | Said | Refused:
        """What a job that is typed would do, to be confirmed. What a second person must agree to is asked for
        at once: it is he who is shown it."""
        if needed(job):
            return self.start(person, alert, job, given)
        params = self._params(person, alert, job, given)
        if isinstance(params, Said | Refused):
            return params
        bound, about = binding(job, params), alert.id if alert else None
        asked = {"job": job.name, "params": dict(params), "alert": about, "binding": bound}
        ask = self.store.snoozes.ask(person.slack, asked, self.engine.clock())
        lines = job_lines(job, params, alert.name if alert else "")
        return AskReply(ask, lines, f"Start {job.name}", self.starting.plan(job, params))

    def confirmed(self, person: Person, asked: Mapping[str, Any]) -> Said | Refused:
        """Yes to what was shown: it starts if it would still do just that."""
        job, alert_id, params = self.engine.catalog.jobs.get(asked["job"]), asked["alert"], asked["params"]
        if job is None or binding(job, params) != asked["binding"]:
            changed = f"`{asked['job']}` was changed after you were shown it: it was not started."
            return Refused(changed, f"start {asked['job']} …")
        return self.start(person, self.store.alerts.get(alert_id) if alert_id else None, job, params)

    def start(
        self, person: Person, alert: Alert | None, job: Job, given: Mapping[str, Any]
    ) -> Said | Refused:
        """Starts a job, for an alert or by itself, or asks for it; what is wrong is said before."""
        params = self._params(person, alert, job, given)
        if isinstance(params, Said | Refused):
            return params
        waits, about = needed(job), _about(job, alert)
        if waits and (same := self._waits_already(job, params, alert)):
            return same
        if alert:
            asked = StartJob(person.slack, job.name, params, waits)
            _, done = self.engine.act(
                alert.id,
                asked,
                by=person.slack,
                line=lambda _, now: line_of(person, Deed.start, about, now),
            )
            if isinstance(done, Refused):
                return done
            return self._asked(job, alert) if waits else _starting(job, alert)
        self.acting.add(person, Deed.start, about)  # first: what is done is never without its line
        found = self.starting.ask(job, person.slack, params, None, f"command-{uuid.uuid4().hex}")
        if isinstance(found, Approval):
            return self._asked(job, None, found)
        undo = f"undo: {job.undo}" if job.undo else ""
        told = f"`/patrol job {job.name}` shows how it goes."
        return Said(f"{job.title} is starting as {found.name}. {told}", undo)

    def _waits_already(self, job: Job, params: Mapping[str, Any], alert: Alert | None) -> Said | None:
        """The same, asked for before, and nobody has answered yet."""
        now, bound, about = self.engine.clock(), binding(job, params), alert.id if alert else None
        for one in self.store.approvals.waiting():
            if (one.binding, one.alert) == (bound, about) and now < one.expires_at:
                by = who(one.by) if one.by != MACHINE else "Patrol"
                said = f"{one.title} waits already, as {one.name}: {by} asked for it."
                return Said(said, "`approvals` shows what waits, and who may agree.", ok=False)
        return None

    def _params(
        self, person: Person, alert: Alert | None, job: Job, given: Mapping[str, Any]
    ) -> Mapping[str, Any] | Said | Refused:
        """The values with which it would start; or why it would not."""
        about = _about(job, alert)
        if refused := self._forbidden(person, alert, job):
            self.acting.add(person, Deed.start, about, refused)
            return refused
        params, problems = job.fill(given, _row(alert))
        if problems:
            why = f"{job.title} was not started: {'; '.join(problems)}."
            return Said(why, f"Write it so: `start {job.name} …`", ok=False)
        if needed(job) and (refused := self._in_vain(person, job, alert)):
            self.acting.add(person, Deed.start, about, refused)
            return refused
        return params

    def _forbidden(self, person: Person, alert: Alert | None, job: Job) -> Refused | None:
        hidden = self.view.unseen(person.slack, alert) if alert else None
        return hidden or access.may(person.slack, Deed.start, self.view.house.ground_to_start(job, alert))

    def _in_vain(self, person: Person, job: Job, alert: Alert | None) -> Refused | None:
        house = self.view.house
        ground = house.ground_to_approve(job.name)
        return nobody_else(person.slack, ground, lambda slack: alert is None or house.sees(slack, alert))

    def _asked(self, job: Job, alert: Alert | None, approval: Approval | None = None) -> Said:
        about = f" for {alert.name}" if alert else ""
        named = f" as {approval.name}, until {when(approval.expires_at)}" if approval else ""
        return Said(
            f"{job.title}{about} waits for a second person{named}; without an answer it is not started.",
            "`approvals` shows what waits, and who may agree.",
        )

    def form(self, person: Person, alert_id: int, job_name: str) -> Form | Refused | None:
        """The job and what its parameters would be from the alert's row; without an alert (0) by default."""
        job = self.engine.catalog.jobs.get(job_name)
        alert = self.store.alerts.get(alert_id) if alert_id else None
        if job is None or (alert_id and alert is None):
            return None
        if alert and (refused := self.view.unseen(person.slack, alert)):
            return refused
        return job, job.fill({}, _row(alert))[0]

    def plan(
        self, person: Person, alert_id: int, job_name: str, given: Mapping[str, Any]
    ) -> tuple[Job, str] | Refused | None:
        """What would be sent with these values, as whoever may start it may see it."""
        form = self.form(person, alert_id, job_name)
        if not isinstance(form, tuple):
            return form
        job, alert = form[0], self.store.alerts.get(alert_id) if alert_id else None
        if refused := self._forbidden(person, alert, job):
            return refused
        params, problems = job.fill(given, _row(alert))
        wrong = "\n".join(f"It would not be started: {problem}." for problem in problems)
        return job, wrong or self.starting.plan(job, params)

    # -------------------------------------------------------------------- answering

    def waiting(self, person: Person) -> ApprovalsReply:
        """All that waits, and what of it this person may answer."""
        waiting = self.view.waiting(person.slack)
        able = {a.id: self.view.may_approve(a) for a in waiting}
        return ApprovalsReply(waiting, able, tuple(a.id for a in waiting if person.slack in able[a.id]))

    def answer(self, person: Person, approval_id: int, yes: bool, why: str = "", seen: str = "") -> Said:
        """What a person says to a job that waits: recorded once; where it is yes the job starts once."""
        asked = self.store.approvals.get(approval_id)
        if asked is None:
            return Said(f"There is no APR-{approval_id}.", "`approvals` shows what waits.", ok=False)
        job = self.engine.catalog.jobs.get(asked.job)
        answer = Answer(person.slack, yes, why, seen)
        alert = self.store.alerts.get(asked.alert) if asked.alert else None
        ground, now = self.view.house.ground_to_approve(asked.job), self.engine.clock()
        hidden = self.view.unseen(person.slack, alert) if alert else None
        decided = hidden or decide(asked, answer, job, ground, now)
        deed = Deed.approve if yes else "refuse"
        if isinstance(decided, Refused):
            self.acting.add(person, deed, f"{asked.name} {asked.job}", decided)
            return Said(decided.why, decided.hint, ok=False)
        approved = decided.state is ApprovalState.approved
        line = line_of(person, deed, f"{asked.name} {asked.job}", self.engine.clock())
        line = replace(line, words=outcome(decided), alert=asked.alert)
        if not self.store.approvals.decide(decided, job.timeout if approved and job else None, line):
            return self.answer(person, approval_id, yes, why, seen)  # somebody else was quicker
        log.info("approval", approval=asked.id, job=asked.job, state=decided.state.value, by=person.slack)
        self.rest.tell(decided)
        said = f"{asked.name}, {asked.title}, {outcome(decided)}."
        if not approved:
            return Said(said, ok=decided.state is not ApprovalState.void)
        return Said(f"{said} It is starting.", f"undo: {job.undo}" if job and job.undo else "")


def _row(alert: Alert | None) -> dict[str, Any]:
    """What an alert gives to the parameters of its jobs."""
    return {**alert.newest, **alert.key_values} if alert else {}


def _about(job: Job, alert: Alert | None) -> str:
    """As the audit has it."""
    return f"{job.name} for {alert.name}" if alert else job.name


def _starting(job: Job, alert: Alert) -> Said:
    undo = f"undo: {job.undo}" if job.undo else ""
    return Said(f"{job.title} is starting; its outcome comes in the thread of {alert.name}.", undo)
