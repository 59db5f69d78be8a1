"""Jobs as people look at them and steer them: a job's page, cancelling a run, starting it once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.core import steering
from bot.core.access import Deed, may
from bot.core.alert import Alert
from bot.core.change import Refused
from bot.core.command import Command
from bot.core.job_due import LATE_JOB, late_key, schedule_of
from bot.core.job_run import Ability, JobRun, JobState, Seen
from bot.core.order import on_now
from bot.core.plan import next_due
from bot.core.reply import AskReply, JobReply, Person, Reply, Said, StatusReply
from bot.core.saying import unrefused
from bot.core.unknown import no_such
from bot.desk.acting import Acting
from bot.desk.approving import Approving
from bot.desk.graph import beside
from bot.process.errors import JobRefused
from sensors.model.graph import job_ref
from sensors.model.job import Job

ELSEWHERE = 10  # lines about jobs that others have started
LISTED = 10  # runs of a job on its page
READ = 60  # runs that are read for them: some are for alerts that not everybody may see


class Jobs:
    """Thread-safe: what goes on lies in the store."""

    def __init__(self, acting: Acting, approving: Approving) -> None:
        self.acting = acting
        self.approving = approving
        self.view = acting.view
        self.engine = acting.engine
        self.store = acting.engine.store
        self.starting = approving.starting

    @property
    def asks(self) -> Mapping[str, Callable[[Person, Command], Reply]]:
        """The commands about jobs and their runs."""
        return {
            "job": lambda person, said: self.page(person, said.name),
            "cancel": lambda person, said: unrefused(self.cancel(person, said)),
            "retry": lambda person, said: unrefused(self.retry(person, said)),
        }

    # --------------------------------------------------------------------- looking

    def page(self, person: Person, name: str) -> JobReply | Said:
        """All that is known of a job. `name` with or without `job:`."""
        found = self.engine.catalog.jobs.get(name.removeprefix("job:"))
        if found is None:
            return no_such("job", name.removeprefix("job:"), list(self.engine.catalog.jobs))
        ours = self.store.jobs.of_job(found.name, READ)
        runs = self.view.seen_of(person.slack, ours)[:LISTED]
        seen = self.store.sightings.seen([found.name]).get(found.name, Seen())
        now, orders = self.engine.clock(), self.store.orders.on()
        schedule = schedule_of(found, orders, now)
        late = self.store.alerts.open(policy=LATE_JOB, limit=1000)
        return JobReply(
            found,
            runs,
            steering.without(seen, ours),
            self.starting.abilities(found),
            self.stoppable(person, runs),
            next_due(schedule, now) if schedule else None,
            tuple(on_now(one) for one in orders if one.policy == job_ref(found.name)),
            beside(self.engine.catalog, job_ref(found.name)),
            next((alert.title for alert in late if alert.key == late_key(found.name)), ""),
        )

    def stoppable(self, person: Person, runs: tuple[JobRun, ...]) -> tuple[int, ...]:
        """Those of the runs whose end this person may ask for now."""
        going = [run for run in runs if steering.over(run) is None]
        return tuple(run.id for run in going if self._why_not(person, run, self._alert(run)) is None)

    def with_seen(self, status: Reply) -> Reply:
        """The same with what goes on elsewhere, where all is told."""
        if isinstance(status, StatusReply) and not status.of:
            return replace(status, elsewhere=self.elsewhere())
        return status

    def elsewhere(self) -> tuple[str, ...]:
        """Jobs that run and were not started here, and those that cannot be seen."""
        now, lines = self.engine.clock(), []
        for name, seen in sorted(self.store.sightings.seen(self.engine.catalog.jobs).items()):
            if seen.trouble or any(not one.state.ended for one in seen.observed.runs):
                runs = self.store.jobs.unended(name)
                ours = {run.external_id for run in runs} | {run.idempotency_key for run in runs}
                lines += steering.elsewhere(name, seen, ours, now)
        return tuple(lines[:ELSEWHERE])

    def _alert(self, run: JobRun) -> Alert | None:
        return self.store.alerts.get(run.alert) if run.alert else None

    def _why_not(self, person: Person, run: JobRun, alert: Alert | None) -> Refused | None:
        """Why its end cannot be asked for: it is over, cannot be cancelled, or not by this person."""
        job = self.engine.catalog.jobs.get(run.job)
        ground = self.view.house.ground_to_cancel(run, job, alert)
        return steering.over(run) or self._unable(job, run) or may(person.slack, Deed.cancel, ground)

    def _unable(self, job: Job | None, run: JobRun) -> Refused | None:
        if run.state is JobState.asked or (job and Ability.cancel in self.starting.abilities(job)):
            return None
        name = job.title if job else f"`{run.job}`"
        where = f"Look where it runs: {run.link}" if run.link else "Look where it runs."
        return Refused(f"{name} cannot be cancelled from here.", where)

    # -------------------------------------------------------------------- cancelling

    def cancel(self, person: Person, said: Command) -> AskReply | Said | Refused:
        """What cancelling a run means, to be confirmed; or why it cannot be."""
        run = self._meant(person, said)
        if isinstance(run, Said):
            return run
        alert = self._alert(run)
        if refused := self._refused(person, run, alert):
            return refused
        asked = {"cancel": run.id, "why": said.words}
        ask = self.store.snoozes.ask(person.slack, asked, self.engine.clock())
        job = self.engine.catalog.jobs.get(run.job)
        return AskReply(ask, steering.cancel_lines(run, job, self.engine.clock()), f"Cancel {run.name}")

    def _refused(self, person: Person, run: JobRun, alert: Alert | None) -> Refused | None:
        """What is not permitted is kept; what cannot be done is only said."""
        refused = self._why_not(person, run, alert)
        job = self.engine.catalog.jobs.get(run.job)
        if refused and refused not in (steering.over(run), self._unable(job, run)):
            self.acting.add(person, Deed.cancel, f"{run.name} {run.job}", refused)
        return refused

    def cancelled(self, person: Person, asked: Mapping[str, Any]) -> Said | Refused:
        """Yes to that: its end is asked for, once, and here it is said what the outside system said."""
        run = self.store.jobs.get(int(asked["cancel"]))
        if run is None:
            return Refused("That run is no longer known.")
        if refused := self._refused(person, run, self._alert(run)):
            return refused
        self.acting.add(person, Deed.cancel, f"{run.name} {run.job}")  # first: never done without its line
        job = self.engine.catalog.jobs.get(run.job)
        try:
            said = self._ask_end(job, run, person)
        except JobRefused as refused:
            return Refused(f"{run.name.capitalize()} goes on: {refused}", f"`job {run.job}` shows it.")
        now = self.store.jobs.get(run.id) or run
        if said is None:
            return steering.over(now) or Refused(f"{run.name.capitalize()} is over.")
        told = f": {said}" if said else ""
        return Said(
            f"The end of {run.name}, `{run.job}`, is asked for{told}.",
            f"Whether it has come is told {steering.where_told(run)}.",
        )

    def _ask_end(self, job: Job | None, run: JobRun, person: Person) -> str | None:
        if job is not None:
            return self.starting.ask_end(job, run, person.slack)
        return "" if self.store.jobs.ask_end(run.id, person.slack, self.engine.clock()) else None

    # ---------------------------------------------------------------------- again

    def retry(self, person: Person, said: Command) -> AskReply | Said | Refused:
        """The same once more, as a start of its own: shown first, and by a second person where that is so."""
        run = self._meant(person, said, ended=True)
        if isinstance(run, Said):
            return run
        job = self.engine.catalog.jobs.get(run.job)
        if job is None:
            return no_such("job", run.job, list(self.engine.catalog.jobs))
        if not run.state.ended:
            return Refused(f"{run.name.capitalize()} goes on.", f"cancel {run.id}")
        known = {name: value for name, value in run.params.items() if name in job.names}
        return self.approving.shown(person, self._alert(run), job, known)

    def _meant(self, person: Person, said: Command, ended: bool = False) -> JobRun | Said:
        """The run of that number; of a job's name its only one that goes on, or (`ended`) its last."""
        if said.name:
            return self._of_name(person, said.name, ended)
        run = self.store.jobs.get(said.job_run)
        if run is None or not self.view.seen_of(person.slack, [run]):
            return Said(f"There is no job run {said.job_run}.", "`status` shows the last ones.", ok=False)
        return run

    def _of_name(self, person: Person, name: str, ended: bool) -> JobRun | Said:
        """Of those that this person may know of."""
        if name not in self.engine.catalog.jobs:
            return no_such("job", name, list(self.engine.catalog.jobs))
        all_of_it = self.store.jobs.of_job(name, READ) if ended else self.store.jobs.unended(name)
        found = self.view.seen_of(person.slack, all_of_it)[: 1 if ended else None]
        if len(found) == 1:
            return found[0]
        if not found:
            what = "was never started here" if ended else "has no run that was started here and goes on"
            return Said(f"`{name}` {what}.", f"`job {name}` shows what is seen of it.", ok=False)
        numbers = ", ".join(f"`cancel {run.id}`" for run in found[:5])
        return Said(f"{len(found)} runs of `{name}` go on.", f"One of them: {numbers}", ok=False)
