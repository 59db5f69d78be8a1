"""Wakes the engine: APScheduler says when to look, `core/plan.py` what is due. Decides nothing."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.core.plan import last_due, next_due
from bot.deliver import Deliverer
from bot.desk.waiting import Waiting
from bot.engine.due import clock_went_back
from bot.engine.engine import Engine
from bot.engine.rounds import ENDS_WITHIN_S, Rounds
from bot.mending import Mending
from bot.process.errors import StoreAway
from bot.process.log import get
from bot.starting import Starting
from bot.store import DeadRun
from bot.store.keeping import FOR_EVER, Keep
from bot.watch.budget import Budgets
from bot.watch.clockwatch import ClockWatch
from bot.watch.glance import Glance
from bot.watch.late import LateRows
from bot.watch.upstreams import Upstreams
from bot.watch.worth import Worth
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy, Schedule

log = get("schedule")

CHORES: dict[str, float] = {
    "sweep": 1,
    "starting": 0.5,
    "reload": 2,
    "pull": 2,
    "renew": 4,
    "take_over": 2,
    "retry": 2,
    "circuit": 1,
    "upstreams": 2,
    "silence": 60,
    "audit": 60,
    "prune": 3600,
    "forgetting": 600,
    "watch": 2,
    "late_rows": 600,
    "mending": 60,
    "worth": 600,
    "budgets": 600,
    "digests": 60,
    "homes": 15,
    "groups": 10,
    "pagers": 0.5,
    "handoffs": 10,
    "due_jobs": 1,
    "observing": 5,
    "late_jobs": 30,
    "backfills": 2,
}
RUNS_KEPT = timedelta(days=14)
ASKS_KEPT = timedelta(days=1)  # what was shown before it is done, and perhaps never was
REQUESTS_KEPT = timedelta(hours=1)  # Slack sends nothing again so late, and no signature lives so long
MEMORY_KEPT = timedelta(days=35)
SOON = timedelta(minutes=1)  # after the start also what is rarely done: not every process lives for an hour
CLOCK_WENT_BACK = timedelta(seconds=1)


class Timetable(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """When each policy is due next. As APScheduler's trigger: the earliest of all, at least each second."""

    def __init__(self) -> None:
        self._schedules: Mapping[str, Schedule] = {}
        self._next: dict[str, datetime] = {}
        self._queue: list[tuple[datetime, str]] = []
        self._due: set[str] = set()
        self._asked_at = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._schedules

    def plan(self, schedules: Mapping[str, Schedule], now: datetime) -> None:
        """All that there are. One that has not changed keeps its next time, even if that has just come."""
        with self._lock:
            kept = {n: at for n, at in self._next.items() if self._schedules[n] == schedules.get(n)}
            self._schedules = schedules
            self._set(kept, now)

    def _set(self, kept: Mapping[str, datetime], now: datetime) -> None:
        times = {name: kept.get(name) or next_due(one, now) for name, one in self._schedules.items()}
        self._next = {name: at for name, at in times.items() if at}
        self._queue = [(at, name) for name, at in self._next.items()]
        heapq.heapify(self._queue)

    def due(self, now: datetime) -> set[str]:
        """Those whose time has come since this was asked last: once each, however often it came."""
        with self._lock:
            self._go_on(now)
            due, self._due = self._due, set()
            return due

    def _go_on(self, now: datetime) -> None:
        if now + CLOCK_WENT_BACK < self._asked_at:  # times that were far off are not any more
            self._set({}, now)
            self._due |= set(self._next)
        self._asked_at = now
        while self._queue and self._queue[0][0] <= now:
            name = self._queue[0][1]
            self._due.add(name)
            at = next_due(self._schedules[name], now)
            if at is None:
                heapq.heappop(self._queue)
                del self._next[name]
            else:
                self._next[name] = at
                heapq.heapreplace(self._queue, (at, name))

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:  # noqa: ARG002
        with self._lock:
            self._go_on(now.astimezone(UTC))
            at = now + timedelta(seconds=1)
            return min(at, self._queue[0][0]) if self._queue else at


class Scheduler:
    """All that happens by itself in one process: ticks, chores and deliveries."""

    def __init__(
        self,
        engine: Engine,
        starting: Starting,
        deliverer: Deliverer | None,
        workers: int,
        beside: Mapping[str, Callable[[], object]] | None = None,
        keep: Keep = FOR_EVER,
    ) -> None:
        """`beside`: chores of others, by their names in CHORES."""
        self.engine = engine
        self.starting = starting
        self.deliverer = deliverer
        self._beside = beside or {}
        self.waiting = Waiting(engine)
        self.keep = keep
        self.beats: dict[str, datetime] = {}  # when each chore last ended, for /healthz
        self._clock_watch = ClockWatch(engine.clock, self._clock_jumped)
        self._stopping = threading.Event()
        self._work = threading.Event()
        self.timetable = Timetable()
        self.rounds = Rounds(engine, workers, self._store_away)
        self.upstreams = Upstreams(engine, self.rounds.want)
        self._glance = Glance(engine.warehouse, lambda: self._chore("upstreams", self.upstreams.once))
        self._known: dict[str, Policy] = {}
        self._again: set[DeadRun] = set()  # so that none waits twice for a worker
        self._planned: Catalog | None = None
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                "default": ThreadPoolExecutor(workers),
                "chores": ThreadPoolExecutor(len(CHORES) + 1),
            },
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._delivering = threading.Thread(target=self._deliver, name="deliver", daemon=True)

    def start(self) -> None:
        self.engine.store.on_commit = self._work.set
        self.engine.circuit.on_back = self._wake
        try:
            if ahead := self.engine.store.set_right(self.engine.clock()):
                log.warning("times ahead of the clock were set right", count=ahead)
            self.engine.reload()
        except StoreAway as away:
            self._store_away(away)  # the chore of this name does it when the store is back
        self._plan_policies()
        chores: dict[str, Callable[[], object]] = {
            "sweep": self._sweep,
            "starting": self._start_things,
            "reload": self._reload,
            "renew": self.engine.runs.renew,
            "take_over": lambda: self._hand_out(self.engine.dead(), self.engine.take_over),
            "retry": lambda: self._hand_out(self.engine.retries(), self.engine.try_again),
            "circuit": self.engine.circuit.beat,
            "upstreams": self.upstreams.once,
            "silence": self.engine.silence.once,
            "audit": self.engine.auditor.once,
            "prune": self._prune,
            "watch": self._watch,
            "late_rows": LateRows(self.engine).once,
            "mending": Mending(self.engine).once,
            "worth": Worth(self.engine).once,
            "budgets": Budgets(self.engine).once,
            **self._beside,
        }
        began = datetime.now(UTC)
        for name, do in chores.items():
            seconds = CHORES[name]
            self._scheduler.add_job(
                self._chore,
                "interval",
                (name, do),
                seconds=seconds,
                executor="chores",
                id=f":{name}",
                next_run_time=began + min(SOON, timedelta(seconds=seconds)),
            )
        self._scheduler.add_job(self._ring, self.timetable, executor="chores", id=":ring")
        self.rounds.start()
        self._scheduler.start()
        self._clock_watch.start()
        self._glance.start()
        if self.deliverer:
            self._delivering.start()

    @property
    def store_trouble(self) -> str:
        """Why nothing can be recorded just now, in words; empty while it can."""
        return self.engine.store.outage.why

    def stop(self) -> None:
        """Ends at the next safe moment: what runs is finished, the rest is done after the next start."""
        self._stopping.set()
        self._work.set()
        self._clock_watch.stop()
        self._glance.stop()
        self.rounds.close()  # first, for leases are renewed as long as the scheduler runs
        until = time.monotonic() + ENDS_WITHIN_S
        while self._again and time.monotonic() < until:
            time.sleep(0.05)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self.starting.close()
        if self._delivering.is_alive():
            self._delivering.join(timeout=15)

    # ------------------------------------------------------------------- policies

    def _plan_policies(self) -> None:
        """The timetable of all policies that run; new and changed ones are looked at at once."""
        catalog = self.engine.catalog
        wanted = {n: p for n, p in self.engine.orders.policies().items() if p.runs}
        changed = [name for name, policy in wanted.items() if not _same(policy, self._known.get(name))]
        now = self.engine.clock()
        self.timetable.plan({n: p.schedule for n, p in wanted.items()}, now)
        self._known, self._planned = wanted, catalog
        self.rounds.want(n for n in changed if last_due(wanted[n].schedule, now) is not None)

    def _ring(self) -> None:
        self.rounds.want(self.timetable.due(self.engine.clock()))

    def _hand_out(self, runs: Iterable[DeadRun], do: Callable[[DeadRun], None]) -> None:
        """Runs of dead processes, and failed ones whose time has come: each may take as long as its query, so
        other threads do it."""
        for run in runs:
            if run not in self._again:
                self._again.add(run)
                self._scheduler.add_job(self._look_again, args=(run, do))

    def _look_again(self, run: DeadRun, do: Callable[[DeadRun], None]) -> None:
        try:
            if not self._stopping.is_set():
                do(run)
        except StoreAway as away:
            self._store_away(away)
        except Exception:
            log.exception("look failed", policy=run.policy)
        finally:
            self._again.discard(run)

    def _wake(self) -> None:
        """The warehouse is back: whatever is due looks at once."""
        self.rounds.want(self._known)

    # --------------------------------------------------------------------- chores

    def _chore(self, name: str, do: Callable[[], object]) -> None:
        try:
            do()
        except StoreAway as away:
            self._store_away(away)
        except Exception:
            log.exception("chore failed", chore=name)
            return
        self.beats[name] = datetime.now(UTC)

    def _store_away(self, _away: StoreAway) -> None:
        """Said once, whoever meets it: the store knows since when, and whether it was said."""
        news = self.engine.store.outage.news()
        if news and news.why:
            log.error("store away", why=news.why, for_s=round(news.seconds))
        elif news:
            log.info("store back", after_s=round(news.seconds))

    def _watch(self) -> None:
        """Finds out whether a store that was away takes writes again, where nothing else is to be written."""
        store = self.engine.store
        if store.outage.why:
            store.try_to_write()
        self._store_away(StoreAway())

    def _clock_jumped(self, by: timedelta, right: datetime | None) -> bool:
        """Nothing may wait for a time that was reckoned by a clock that has been put back since; what it had
        looked at since it was `right` is looked at again."""
        try:
            if right:
                clock_went_back(self.engine.store, list(self._known), right)
            mended = self.engine.store.set_right(self.engine.clock())
        except StoreAway as away:
            self._store_away(away)
            return False
        log.warning("the clock jumped", by_s=round(by.total_seconds()), set_right=mended)
        if self.deliverer:
            self.deliverer.clock_jumped()
        self.rounds.want(self._known)
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # it has ended meanwhile
                job.modify(next_run_time=datetime.now(UTC))
        return True

    def _sweep(self) -> None:
        self.engine.sweep()
        if seal := self.engine.store.trail.seal(self.engine.clock()):
            log.info("audit sealed", head=f"{seal.number}:{seal.hash}", lines=len(seal.lines))

    def _start_things(self) -> None:
        self.starting.effects()
        self.waiting.sweep()
        self.starting.jobs()

    def _reload(self) -> None:
        try:
            if self.engine.reload():
                log.info("files changed", version=self.engine.catalog.version[:12])
        finally:
            catalog = self.engine.catalog
            if self._outdated(catalog) and self.engine.renaming.settled(catalog):
                self._plan_policies()

    def _outdated(self, catalog: Catalog) -> bool:
        """Whether there are other files than were planned, or a pause or another pace has begun or ended."""
        if self._planned is not catalog:
            return True
        now = {n: p.schedule for n, p in self.engine.orders.policies().items() if p.runs}
        return now != {n: p.schedule for n, p in self._known.items()}

    def _prune(self) -> None:
        now = self.engine.clock()
        self.engine.store.runs.prune(now - RUNS_KEPT)
        self.engine.store.requests.prune(now - REQUESTS_KEPT)
        self.engine.store.snoozes.prune(now - ASKS_KEPT)
        self.engine.store.backfills.prune(now - RUNS_KEPT)
        self.engine.store.states.prune()
        self.engine.store.sightings.prune(self.engine.catalog.jobs, now - RUNS_KEPT)
        for name in self.engine.catalog.policies:
            self.engine.store.alerts.forget(name, now - MEMORY_KEPT)
        gone = self.engine.store.keeping.prune(self.keep, now)
        if any(gone.values()):
            log.info("forgotten as too old", **gone)

    # ------------------------------------------------------------------- delivery

    def _deliver(self) -> None:
        """Woken by every commit, and by itself every quarter second for what waits on a time."""
        assert self.deliverer
        while not self._stopping.is_set():
            self._work.wait(self.deliverer.idle())
            self._work.clear()
            try:
                while self.deliverer.once() and not self._stopping.is_set():
                    self.beats["deliver"] = datetime.now(UTC)
            except StoreAway as away:
                self._store_away(away)
                self._stopping.wait(1)
            except Exception:
                log.exception("delivery failed")
                self._stopping.wait(1)
            self.beats["deliver"] = datetime.now(UTC)


def _same(policy: Policy, known: Policy | None) -> bool:
    return known is not None and (known.schedule, known.content) == (policy.schedule, policy.content)
