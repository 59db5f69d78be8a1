"""Wakes the engine: APScheduler says when to look, `core/plan.py` what is due. Decides nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.core.catchup import Tick
from bot.core.plan import last_due, next_due
from bot.deliver import Deliverer
from bot.due import Watch, clock_went_back, due_ticks
from bot.engine import Engine, Ticked
from bot.errors import StoreAway
from bot.late import LateRows
from bot.log import get
from bot.starting import Starting
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy, Schedule
from sensors.model.run import Cause, CauseKind

log = get("schedule")

CHORES: dict[str, float] = {
    "sweep": 1,
    "starting": 0.5,
    "reload": 2,
    "renew": 4,
    "take_over": 2,
    "prune": 3600,
    "late_rows": 600,
}
RUNS_KEPT = timedelta(days=14)
REQUESTS_KEPT = timedelta(hours=1)  # Slack sends nothing again so late, and no signature lives so long
MEMORY_KEPT = timedelta(days=35)
AGAIN = timedelta(seconds=2)
MOST_PARTS = 200  # of one window, when only a part at a time fits


class Plan(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """APScheduler's trigger over our own due times."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        return next_due(self.schedule, max(previous or now, now).astimezone(UTC))


class Scheduler:
    """All that happens by itself in one process: ticks, chores and deliveries."""

    def __init__(self, engine: Engine, starting: Starting, deliverer: Deliverer | None, workers: int) -> None:
        self.engine = engine
        self.starting = starting
        self.deliverer = deliverer
        self.beats: dict[str, datetime] = {}  # when each chore last ended, for /healthz
        self.store_trouble = ""
        self._stopping = threading.Event()
        self._work = threading.Event()
        self._known: dict[str, Policy] = {}
        self._planned: Catalog | None = None
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(workers), "chores": ThreadPoolExecutor(len(CHORES))},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._watching = threading.Thread(target=self._watch_clock, name="clock", daemon=True)
        self._delivering = threading.Thread(target=self._deliver, name="deliver", daemon=True)

    def start(self) -> None:
        self.engine.store.on_commit = self._work.set
        self.engine.reload()
        self._plan_policies()
        chores: dict[str, Callable[[], object]] = {
            "sweep": self.engine.sweep,
            "starting": self._start_things,
            "reload": self._reload,
            "renew": self.engine.renew,
            "take_over": self.engine.take_over,
            "prune": self._prune,
            "late_rows": LateRows(self.engine).once,
        }
        for name, seconds in CHORES.items():
            self._scheduler.add_job(
                self._chore,
                "interval",
                (name, chores[name]),
                seconds=seconds,
                executor="chores",
                id=f":{name}",
            )
        self._scheduler.start()
        self._watching.start()
        if self.deliverer:
            self._delivering.start()

    def stop(self) -> None:
        """Ends at the next safe moment: what runs is finished, the rest is done after the next start."""
        self._stopping.set()
        self._work.set()
        self._scheduler.shutdown(wait=True)
        self.starting.close()
        if self.deliverer:
            self._delivering.join(timeout=15)

    # ------------------------------------------------------------------- policies

    def _plan_policies(self) -> None:
        """One APScheduler job for each policy that runs; changed ones are planned anew, at once."""
        catalog = self.engine.catalog
        wanted = {n: p for n, p in catalog.policies.items() if p.runs}
        for name in set(self._known) - set(wanted):
            if self._scheduler.get_job(name):
                self._scheduler.remove_job(name)
        for name, policy in wanted.items():
            known = self._known.get(name)
            if known and (known.schedule, known.content) == (policy.schedule, policy.content):
                continue
            first: dict[str, Any] = {}
            if last_due(policy.schedule, self.engine.clock()) is not None:
                first = {"next_run_time": datetime.now(UTC)}
            self._scheduler.add_job(
                self._tick, Plan(policy.schedule), (name,), id=name, replace_existing=True, **first
            )
        self._known, self._planned = wanted, catalog

    def _tick(self, name: str) -> None:
        """The due ticks of the policy: the newest, or by its `catchup` one after the other."""
        policy = self.engine.catalog.policies.get(name)
        for tick in self._due(policy) if policy else ():
            if not self._run(name, tick):
                return

    def _run(self, name: str, tick: Tick) -> bool:
        """One tick; where only a part of its window fits, part after part. Whether the next may follow."""
        after = None
        for part in range(MOST_PARTS):
            cause = Cause(CauseKind.tick, tick.stamp if not part else f"{tick.stamp}+{part}")
            ticked = None if self._stopping.is_set() else self._guarded(name, cause, tick, after)
            if ticked and ticked.busy:
                self._again(name)
            if not ticked or not ticked.goes_on or not ticked.looked:
                return ticked is not None and not ticked.stops
            after = ticked.looked.window.end
        return False

    def _due(self, policy: Policy) -> tuple[Tick, ...]:
        """The ticks that are due now; with the store away they are asked for again soon."""
        try:
            return due_ticks(self.engine.store, policy, self.engine.clock())
        except StoreAway as away:
            self._store_away(away)
            self._again(policy.name)
            return ()

    def _guarded(self, name: str, cause: Cause, tick: Tick, after: datetime | None) -> Ticked | None:
        try:
            return self.engine.tick(name, cause, tick.due, after=after, begins=tick.begins)
        except StoreAway as away:
            self._store_away(away)
            self._again(name)
        except Exception:
            log.exception("tick failed", policy=name)
        return None

    def _again(self, name: str) -> None:
        """Another run is at it, or the store is away: the tick is tried again soon, not at the next due time,
        which may be a day away."""
        at = datetime.now(UTC) + AGAIN
        job = self._scheduler.get_job(name)
        if job and (job.next_run_time is None or job.next_run_time > at):
            job.modify(next_run_time=at)

    # ------------------------------------------------------------------- the clock

    def _watch_clock(self) -> None:
        """APScheduler sleeps until a time on the wall: where that clock goes back, nothing would happen."""
        watch, before = Watch(datetime.now(UTC)), time.monotonic()
        while not self._stopping.wait(1):
            now = time.monotonic()
            right = watch.saw(datetime.now(UTC), timedelta(seconds=now - before))
            before = now
            if right:
                self._clock_went_back(right)

    def _clock_went_back(self, right: datetime) -> None:
        """Undoes what was run ahead of the time, then asks for everything; what is not due does nothing."""
        log.warning("clock went back", right_until=right.isoformat())
        try:
            clock_went_back(self.engine.store, list(self._known), right)
        except StoreAway as away:
            self._store_away(away)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    # --------------------------------------------------------------------- chores

    def _chore(self, name: str, do: Callable[[], object]) -> None:
        try:
            do()
            self.store_trouble = ""
        except StoreAway as away:
            self._store_away(away)
        except Exception:
            log.exception("chore failed", chore=name)
            return
        self.beats[name] = datetime.now(UTC)

    def _store_away(self, away: StoreAway) -> None:
        if not self.store_trouble:
            log.error("store away", why=str(away))
        self.store_trouble = str(away)

    def _start_things(self) -> None:
        self.starting.effects()
        self.starting.jobs()

    def _reload(self) -> None:
        try:
            if self.engine.reload():
                log.info("files changed", version=self.engine.catalog.version[:12])
        finally:
            catalog = self.engine.catalog
            if self._planned is not catalog and self.engine.renaming.settled(catalog):
                self._plan_policies()

    def _prune(self) -> None:
        now = self.engine.clock()
        self.engine.store.runs.prune(now - RUNS_KEPT)
        self.engine.store.requests.prune(now - REQUESTS_KEPT)
        for name in self.engine.catalog.policies:
            self.engine.store.alerts.forget(name, now - MEMORY_KEPT)

    # ------------------------------------------------------------------- delivery

    def _deliver(self) -> None:
        """Woken by every commit, and by itself every quarter second for what waits on a time."""
        assert self.deliverer
        while not self._stopping.is_set():
            self._work.wait(0.25)
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
