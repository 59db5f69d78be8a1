"""What follows a change but is not a message: jobs that are started and polled, and reruns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.core.action import JobEnded, RerunEnded
from bot.core.alert import Alert
from bot.core.approval import GOOD_FOR, Approval, binding, needed
from bot.core.change import EffectKind, StoredEffect
from bot.core.job_run import Ability, JobRun, JobState, Progress
from bot.core.upstream import State, made
from bot.core.words import count, when
from bot.engine.asked import Ticked
from bot.engine.engine import Engine
from bot.jobs import Runner, runner_for
from bot.process.errors import JobRefused, JobUnknown, StoreAway
from bot.process.log import get
from bot.process.unrecorded import Unrecorded
from bot.store.approvals import Order
from sensors.model.clock import say_duration
from sensors.model.job import Job
from sensors.model.policy import Policy
from sensors.model.run import Cause, CauseKind
from sensors.model.window import Window, window_for

log = get("starting")

DONE_HERE = (EffectKind.start_job, EffectKind.rerun)
AT_ONCE = 4  # jobs and reruns side by side
EFFECT_LEASE = timedelta(minutes=6)  # longer than a rerun may take
START_LEASE = timedelta(seconds=30)  # beyond the job's own timeout
TELL_LEASE = timedelta(seconds=30)
AGAIN = timedelta(seconds=2)
LOOKS_BACK = timedelta(hours=1)  # a rerun of events looks at least so far behind the alert


class Starting:
    """Carries out `start_job` and `rerun` effects, and follows jobs to their end."""

    def __init__(self, engine: Engine, runners: Callable[[str], Runner] = runner_for) -> None:
        self.engine = engine
        self.store = engine.store
        self.runners = runners
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="starting")
        self._at_it: set[str] = set()
        self._unrecorded = Unrecorded()

    def close(self) -> None:
        """Waits for what has begun; what has not is done after the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _beside(self, name: str, do: Callable[[], object]) -> None:
        """Does it on another thread, unless this process is at it already."""
        if name in self._at_it:
            return
        self._at_it.add(name)

        def run() -> None:
            try:
                do()
            except StoreAway:
                pass  # the scheduler says so once; what was left is done when the store is back
            except Exception:
                log.exception("failed", what=name)
            finally:
                self._at_it.discard(name)

        self._pool.submit(run)

    # ----------------------------------------------------------------- effects

    def effects(self) -> None:
        """Carries out what waits, each beside the others: a slow query or system holds up nothing else."""
        self._unrecorded.catch_up()
        for stored, alert, _ in self.store.outbox.effects(self.engine.clock(), kinds=DONE_HERE):
            self._beside(f"effect-{stored.id}", partial(self._carry_out, stored, alert))

    def _carry_out(self, stored: StoredEffect, alert: Alert) -> bool:
        if not self.store.outbox.take(stored.id, self.engine.clock(), EFFECT_LEASE):
            return False
        try:
            return self._taken(stored, alert)
        except StoreAway:
            self._unrecorded.keep(f"effect-{stored.id}", lambda: self._give_back(stored))
            raise

    def _give_back(self, stored: StoredEffect) -> bool:
        """The store went away in the middle: our lease need not be waited for. It is ours while it lasts."""
        return self.store.outbox.give_back(stored.id, stored.attempts + 1, "the store went away")

    def _taken(self, stored: StoredEffect, alert: Alert) -> bool:
        if stored.effect.kind is EffectKind.start_job:
            self._ask(stored, alert)
        elif not self._rerun(stored, alert):
            again = self.engine.clock() + AGAIN
            return self.store.outbox.later(stored.id, again, "another run is at it")
        return self.store.outbox.end(stored.id, "done", "", self.engine.clock())

    def _ask(self, stored: StoredEffect, alert: Alert) -> None:
        data = stored.effect.data
        job = self.engine.catalog.jobs.get(str(data["job"]))
        if job is None:
            self.engine.act(alert.id, JobEnded(0, str(data["job"]), False, "there is no such job any more"))
            return
        row = {**alert.newest, **alert.key_values}
        params, problems = job.fill(data.get("params") or {}, row)
        if problems:
            self.engine.act(alert.id, JobEnded(0, job.name, False, "; ".join(problems)))
            return
        self.ask(job, str(data["by"]), params, alert.id, f"effect-{stored.id}")

    def ask(
        self, job: Job, by: str, params: Mapping[str, Any], alert: int | None, key: str
    ) -> JobRun | Approval:
        """Records that the job shall be started, or that a second person is asked whether it shall: once for
        each `key`, whatever happens in between."""
        now = self.engine.clock()
        if needed(job):
            bound, until = binding(job, params), now + GOOD_FOR
            return self.store.approvals.ask(
                Order(key, job.name, job.title, params, bound, by, alert, now, until, job.owner)
            )
        return self.store.jobs.ask(job.name, by, params, alert, key, now, now + job.timeout, now)

    def _rerun(self, stored: StoredEffect, alert: Alert) -> bool:
        by = str(stored.effect.data.get("by", ""))
        if self._answered(stored):
            return True
        answer = self.rerun_alert(alert, by, f"effect-{stored.id}-{stored.attempts}")
        if answer is None:
            return False
        self.engine.act(alert.id, RerunEnded(by, answer))
        return True

    def _answered(self, stored: StoredEffect) -> bool:
        """Whether somebody died after he had answered: reruns of an alert are answered in their order."""
        events = self.store.alerts.history(stored.alert)
        asked = sum(event.kind == "rerun" and event.seq <= stored.change_seq for event in events)
        return sum(event.kind == "rerun_ended" for event in events) >= asked

    # ----------------------------------------------------------------- reruns

    def rerun_alert(self, alert: Alert, by: str, key: str) -> str | None:
        """Asks the data again about one alert; the answer in words, None while another run is at it."""
        policy = self.engine.catalog.policies.get(alert.policy)
        if policy is None:
            return "cannot look again: its policy is no longer there"
        span = max(LOOKS_BACK, policy.threshold.within or LOOKS_BACK)
        ticked = self._look(policy, key, by, alert.id, alert.opened_at - span)
        return None if ticked.busy else ticked.why_not or self._answer(policy, ticked, alert)

    def rerun_policy(self, policy: Policy, by: str, key: str) -> str:
        """Runs a policy now, outside its schedule; the watermark stays where it is."""
        span = max(LOOKS_BACK, policy.threshold.within or LOOKS_BACK)
        ticked = self._look(policy, key, by, None, self.engine.clock() - span)
        if ticked.why_not or not ticked.looked:
            return ticked.why_not
        if not ticked.looked.ok:
            return f"failed: {ticked.looked.error}"
        news = sum(f.new_evidence for f in ticked.found.fired)
        rows, keys = len(ticked.looked.rows), len(ticked.looked.violations)
        took = say_duration(timedelta(seconds=ticked.looked.elapsed_s))
        return f"{count(rows, 'row')}, {count(keys, 'key')}, {news} with something new ({took})"

    def _look(self, policy: Policy, key: str, by: str, alert: int | None, start: datetime) -> Ticked:
        def window(until: datetime) -> Window:
            if not policy.accumulates:
                return window_for(policy.window, until, None, None)
            return Window(min(start, until), until)

        cause = Cause(CauseKind.manual, key)
        return self.engine.tick(policy.name, cause, self.engine.clock(), by=by, alert=alert, window=window)

    def _answer(self, policy: Policy, ticked: Ticked, alert: Alert) -> str:
        looked = ticked.looked
        if looked is None or not looked.ok:
            return f"looked again and failed: {looked.error if looked else ticked.why_not}"
        if ticked.goes_on:
            return (
                f"looked again only until {when(looked.window.end)}: there are too many rows to look at all"
            )
        found = next((v for v in looked.violations if v.key == alert.key), None)
        if found is None or len(found.rows) < (1 if policy.accumulates else policy.threshold.count):
            return "looked again: gone"
        fire = next((f for f in ticked.found.fired if f.key == alert.key), None)
        more = ", with rows that nobody had seen" if fire and fire.new_evidence else ""
        return f"looked again: still there, {count(len(found.rows), 'row')}{more}"

    # ------------------------------------------------------------------- jobs

    def jobs(self) -> None:
        """Starts what was asked for, asks after what runs, tells what has ended."""
        for run in self.store.jobs.due(self.engine.clock()):
            self._beside(f"job-{run.id}", partial(self._move, run))

    def _move(self, run: JobRun) -> bool:
        job = self.engine.catalog.jobs.get(run.job)
        now = self.engine.clock()
        if run.state.ended:
            return self._tell(self._with_tail(job, run))
        if job is None:
            return self._end(run, JobState.failed, _undeclared(run))
        if run.state is JobState.running:
            return self._poll(job, self._ended_there(job, run))
        if run.cancel_at and run.state is JobState.asked:
            return self._end(run, JobState.cancelled, _not_begun(run))
        if self._changed(job, run):
            return self._end(run, JobState.failed, "it was changed after it was approved: ask for it again")
        if now >= run.deadline:
            return self._out_of_time(job, run)
        if run.state is JobState.starting and not self.runners(job.kind).repeatable(job):
            return self._end(run, JobState.failed, "whether it was started is not known: look before again")
        if not self.store.jobs.take(run.id, run.state, JobState.starting, now, job.timeout + START_LEASE):
            return False
        return self._start(job, replace(run, state=JobState.starting))

    def _changed(self, job: Job, run: JobRun) -> bool:
        """Whether a second person agreed to something else than would be started now."""
        if not needed(job) or run.attempts:
            return False
        approval = self.store.approvals.of_run(run.idempotency_key)
        return approval is None or approval.binding != binding(job, run.params)

    def _start(self, job: Job, run: JobRun) -> bool:
        try:
            progress = self.runners(job.kind).start(job, run.params, run.idempotency_key)
        except JobRefused as refused:
            return self._end(run, JobState.failed, str(refused))
        except JobUnknown as unknown:
            later = self.engine.clock() + timedelta(seconds=2 ** min(run.attempts, 6))
            asked = replace(run, state=JobState.asked, poll_at=later, attempts=run.attempts + 1)
            return self._record(run, replace(asked, outcome=str(unknown)))
        log.info("job started", job=job.name, job_run=run.id, alert=run.alert)
        return self._progress(job, replace(run, started_at=self.engine.clock()), run.state, progress)

    # ------------------------------------------------------------------- steering

    def abilities(self, job: Job) -> frozenset[Ability]:
        """What can be done about the job's runs over there; nothing where its declaration is wrong."""
        try:
            return self.runners(job.kind).abilities(job)
        except JobRefused:
            return frozenset()

    def plan(self, job: Job, params: Mapping[str, Any]) -> str:
        """What would be sent, as people may see it; or why nothing would."""
        try:
            return self.runners(job.kind).plan(job, params)
        except JobRefused as refused:
            return f"It would be refused: {refused}"

    def ask_end(self, job: Job, run: JobRun, by: str) -> str | None:
        """Asks for the end of a run, here and over there; what was said to that, as it stands now: "" where
        nothing was said yet, None where it has ended or somebody has asked. JobRefused: it goes on."""
        if not self.store.jobs.ask_end(run.id, by, self.engine.clock()):
            return None
        asked = self.store.jobs.get(run.id)
        if asked is None or asked.state is not JobState.running:
            return ""
        try:
            said = self.runners(job.kind).cancel(job, asked.external_id or "")
        except JobUnknown:
            return ""  # asked again when its turn has come
        except JobRefused as refused:
            self.store.jobs.end_said(run.id, str(refused), goes_on=True)
            raise
        self.store.jobs.end_said(run.id, said)
        return said

    def _ended_there(self, job: Job, run: JobRun) -> JobRun:
        """Whose end was asked for, and not heard of over there, is asked for now: whoever asked has died, or
        got no answer, or the run had not begun."""
        if run.cancel_at is None or run.cancel_said is not None:
            return run
        try:
            said, goes_on = self.runners(job.kind).cancel(job, run.external_id or ""), False
        except JobUnknown as unknown:
            log.warning("job not cancelled yet", job=job.name, job_run=run.id, why=str(unknown))
            return run
        except JobRefused as refused:
            said, goes_on = str(refused), True
        self.store.jobs.end_said(run.id, said, goes_on=goes_on)
        return replace(run, cancel_said=said)

    def _tail(self, job: Job, run: JobRun) -> str | None:
        """The end of the log of a run that failed, where it can be read: that it cannot is no trouble."""
        if run.external_id is None or Ability.tail not in self.abilities(job):
            return None
        try:
            return self.runners(job.kind).tail(job, run.external_id) or None
        except (JobRefused, JobUnknown) as trouble:
            log.info("no log", job=job.name, job_run=run.id, why=str(trouble))
            return None

    def _poll(self, job: Job, run: JobRun) -> bool:
        try:
            progress = self.runners(job.kind).poll(job, run.external_id or "")
        except (JobRefused, JobUnknown) as trouble:
            log.warning("job not answering", job=job.name, job_run=run.id, why=str(trouble))
            progress = Progress(JobState.running, again_in_s=5.0)
        if not progress.state.ended and self.engine.clock() >= run.deadline:
            return self._out_of_time(job, run)  # asked once more: we may have been away when it ended
        return self._progress(job, run, run.state, progress)

    def _out_of_time(self, job: Job, run: JobRun) -> bool:
        run = replace(run, tail=self._tail(job, run))
        return self._end(run, JobState.timed_out, f"no end within {say_duration(job.timeout)}")

    def _progress(self, job: Job, run: JobRun, was: JobState, said: Progress) -> bool:
        moved = self._moved(run, said)
        if moved.state is JobState.failed:
            moved = replace(moved, tail=self._tail(job, moved))
        made = self._made(moved, said.updated)
        return self._record(run, moved, was, made) and (not said.state.ended or self._tell(moved))

    def hear(self, run: JobRun, said: Progress) -> bool:
        """Records its end as the outside system tells it by itself; people are told by the next round. False:
        it has moved meanwhile."""
        at = run.started_at or self.engine.clock()  # it may come before our request is answered
        moved = self._moved(replace(run, started_at=at), said)
        return self.store.jobs.record(moved, run.state, self._made(moved, said.updated))

    def _with_tail(self, job: Job | None, run: JobRun) -> JobRun:
        """The end of a log that nobody has read yet, since the run's end was told from outside."""
        if job is None or run.state is not JobState.failed or run.tail is not None:
            return run
        read = replace(run, tail=self._tail(job, run))
        return read if read.tail and self.store.jobs.record(read, run.state) else run

    def _moved(self, run: JobRun, said: Progress) -> JobRun:
        now = self.engine.clock()
        return replace(
            run,
            state=said.state,
            external_id=said.external_id or run.external_id,
            link=said.link or run.link,
            outcome=said.outcome or run.outcome,
            poll_at=now + timedelta(seconds=said.again_in_s) if not said.state.ended else now,
            ended_at=now if said.state.ended else None,
        )

    def _made(self, run: JobRun, updated: Iterable[str]) -> tuple[State, ...]:
        """The states of what its good end has made."""
        if run.state is not JobState.succeeded or run.ended_at is None:
            return ()
        return made(run.job, str(run.id), updated, self.engine.catalog.assets, run.ended_at)

    def _end(self, run: JobRun, state: JobState, outcome: str) -> bool:
        now = self.engine.clock()
        ended = replace(run, state=state, outcome=outcome, ended_at=now, poll_at=now)
        return self._record(run, ended) and self._tell(ended)

    def _record(
        self, run: JobRun, moved: JobRun, was: JobState | None = None, found: Sequence[State] = ()
    ) -> bool:
        """What an outside system has done is written down late rather than not."""
        name, state = f"job-{run.id}", was or run.state
        return self._unrecorded.record(name, lambda: self.store.jobs.record(moved, state, found))

    def _tell(self, run: JobRun) -> bool:
        """The outcome goes to the alert's history and thread, once, whatever dies in between and whoever else
        is about to tell it."""
        if not self.store.jobs.take(run.id, run.state, run.state, self.engine.clock(), TELL_LEASE):
            return False
        told = run.alert is None or any(
            event.action.get("action") == "JobEnded" and event.action.get("run") == run.id
            for event in self.store.alerts.history(run.alert)
        )
        if run.alert is not None and not told:
            self.engine.act(run.alert, _ended(run))
        return self.store.jobs.record(replace(run, poll_at=None), run.state)


def _ended(run: JobRun) -> JobEnded:
    cancelled = run.state is JobState.cancelled
    by = run.cancel_by or "" if cancelled else ""
    return JobEnded(run.id, run.job, run.state is JobState.succeeded, run.outcome, run.link, cancelled, by)


def _not_begun(run: JobRun) -> str:
    return "whether it was started is not known: look there" if run.attempts else "it had not begun"


def _undeclared(run: JobRun) -> str:
    """A run of a job that is in no file any more: nobody can be asked how it goes."""
    begun = run.state is not JobState.asked or run.attempts
    rest = "what became of it is not known: look where it ran" if begun else "it had not begun"
    return f"its declaration is no longer there; {rest}"
