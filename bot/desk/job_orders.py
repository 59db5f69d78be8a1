"""What people order of a job's schedule: of Patrol's for a while, of that over there until taken back."""

from __future__ import annotations

from collections.abc import Callable

from bot.core import access
from bot.core.change import Refused
from bot.core.command import Command
from bot.core.job_run import Ability
from bot.core.order import JOB, PAUSED_FOR, Order, OrderKind
from bot.core.reply import Person, Said
from bot.core.unknown import no_such
from bot.core.words import when
from bot.desk.acting import Acting
from bot.desk.asking import too_much
from bot.process.errors import JobRefused, JobUnknown
from bot.starting import Starting
from sensors.model.graph import job_ref
from sensors.model.job import Job

A_JOB = "A job"


class JobOrders:
    """`pause`, `resume` and `every` of `job:x`."""

    def __init__(self, acting: Acting, starting: Starting) -> None:
        self.acting = acting
        self.view = acting.view
        self.engine = acting.engine
        self.starting = starting

    def order(self, person: Person, said: Command) -> Said | Refused:
        """Done at once, where Patrol starts the job or its kind lets us."""
        jobs = self.engine.catalog.jobs
        job = jobs.get(said.name.removeprefix(JOB))
        if job is None:
            return no_such("job", said.name.removeprefix(JOB), list(jobs))
        ground = self.view.house.ground_to_approve(job.name)
        if refused := self.acting.refusal(person, access.TO_ORDER[said.verb], ground, job_ref(job.name)):
            return refused
        does: dict[str, Callable[[Person, Job, Command], Said]] = {
            "pause": self._begin,
            "every": self._begin,
            "resume": self._resume,
        }
        answer = does[said.verb](person, job, said)
        self.acting.kept(person, said.verb, job_ref(job.name), answer)
        return answer

    def _begin(self, person: Person, job: Job, said: Command) -> Said:
        kind = OrderKind.pause if said.verb == "pause" else OrderKind.every
        if self._ours(job, kind):
            return self._here(person, job, said, kind)
        ability = Ability.pause if kind is OrderKind.pause else Ability.every
        if ability not in self.starting.abilities(job):
            return Said(_why_not(job, kind), "Nothing was done.", ok=False)
        runner = self.starting.runners(job.kind)
        if kind is OrderKind.pause:
            return self._there(job, "is paused", lambda: runner.pause(job, True))
        if wrong := too_much(kind, said.interval, PAUSED_FOR, A_JOB):
            return Said(wrong, "Nothing was done.", ok=False)
        return self._there(job, "has another pace", lambda: runner.every(job, said.interval))

    def _ours(self, job: Job, kind: OrderKind) -> bool:
        """Whether it is Patrol that starts it, so that Patrol can leave that."""
        by_clock = job.schedule is not None and not job.outside
        return by_clock or (kind is OrderKind.pause and bool(job.after) and not job.outside)

    def _here(self, person: Person, job: Job, said: Command, kind: OrderKind) -> Said:
        now = self.engine.clock()
        until = self.view.ends(person.slack, said) or now + PAUSED_FOR
        if wrong := too_much(kind, said.interval, until - now, A_JOB):
            return Said(wrong, "Nothing was done.", ok=False)
        ref = job_ref(job.name)
        order = Order(ref, kind, until, person.slack, said.words, now, said.interval)
        does = self.engine.orders.begin(order).does
        return Said(f"`{ref}` {does} until {when(until)}.", f"undo: `/patrol resume {ref}`")

    def _there(self, job: Job, does: str, ask: Callable[[], str]) -> Said:
        """What was done over there stays so: no clock of ours ends it."""
        try:
            told = ask()
        except (JobRefused, JobUnknown) as trouble:
            return Said(str(trouble), "Nothing is known to have been done.", ok=False)
        came = f": {told}" if told else ""
        undo = f"undo: `/patrol resume {job_ref(job.name)}`"
        return Said(f"`{job_ref(job.name)}` {does} over there, until somebody takes it back{came}.", undo)

    def _resume(self, person: Person, job: Job, _said: Command) -> Said:
        if self.engine.orders.end(job_ref(job.name), person.slack):
            return Said(f"`{job_ref(job.name)}` runs by its own schedule again; once now, if it was due.")
        able, runner = self.starting.abilities(job), self.starting.runners(job.kind)
        if Ability.every in able:
            paced = self._there(job, "has its own pace", lambda: runner.every(job, None))
            if not paced.ok or Ability.pause not in able:
                return Said(paced.text, "", paced.ok)
        if Ability.pause in able:
            gone_on = self._there(job, "goes on", lambda: runner.pause(job, False))
            return Said(gone_on.text.replace(", until somebody takes it back", ""), "", gone_on.ok)
        ref = job_ref(job.name)
        return Said(f"Nothing was ordered of `{ref}`.", f"`job {job.name}` shows when it runs.", ok=False)


def _why_not(job: Job, kind: OrderKind) -> str:
    what = "paused" if kind is OrderKind.pause else "given another pace"
    if job.outside:
        return f"`{job.name}` is started by something else, and cannot be {what} from here."
    if job.after and kind is OrderKind.every:
        return f"`{job.name}` runs after others and has no pace of its own."
    return f"`{job.name}` has no schedule that Patrol knows: it is started by people, so it cannot be {what}."
