"""THE STORY: tick looks and saves, act records what a person does, sweep does what the clock asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from bot.core.action import Action, PersonAction, Timer
from bot.core.alert import Alert
from bot.core.alert import due as due_of
from bot.core.change import Change, Outcome, Refused
from bot.core.context import House
from bot.core.earned import Rule
from bot.core.step import stale, step
from bot.core.trail import Line, with_outcome
from bot.engine.asked import Asked, Ticked
from bot.engine.due import due_upstreams
from bot.engine.orders import Orders
from bot.engine.renaming import Renaming
from bot.engine.runs import LEASE, MOST_PARTS, Runs
from bot.engine.snoozes import Snoozes
from bot.engine.trust import Trust
from bot.process.errors import Conflict, PatrolError
from bot.process.log import get
from bot.process.metrics import METRICS, Metrics
from bot.project import Project
from bot.store import Ask, DeadRun, Store
from bot.store.values import Beside
from bot.watch.auditor import Auditor
from bot.watch.circuit import Breaker
from bot.watch.silence import Silence
from bot.watch.trouble import Troubles
from sensors.model.catalog import Catalog
from sensors.model.run import Cause, Run, RunStatus
from sensors.model.window import Window
from sensors.warehouse import Warehouse

log = get("engine")
T = TypeVar("T")

CONFLICTS = 6  # tries before a click gives up against others
HELD_BACK = timedelta(minutes=1)  # what broke something here


class Engine:
    """Everything between the clock and the store. Thread-safe: state lives in the store."""

    def __init__(
        self,
        store: Store,
        warehouse: Warehouse,
        project: Project,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
        rule: Rule | None = None,
    ) -> None:
        self.store = store
        self.warehouse = warehouse
        self.project = project
        self.clock = clock
        self.metrics = metrics or METRICS
        self._held_back: dict[str, datetime] = {}
        self.troubles = Troubles(store, clock)
        self.circuit = Breaker(warehouse, self.troubles, project, self.metrics, self._all_unknown)
        self.orders = Orders(store, project, clock)
        self.runs = Runs(
            store, warehouse, project, clock, self.metrics, self.circuit, self._record, self.orders.paused
        )
        self.auditor = Auditor(store, self.troubles, project, self.metrics)
        self.renaming = Renaming(store, clock)
        due = partial(due_upstreams, store)
        self.silence = Silence(store, self.troubles, project, self.circuit, self.orders.policies, due)
        self.trust = Trust(store, clock, rule or Rule())
        self.snoozes = Snoozes(store, project, clock, self._record)

    @property
    def catalog(self) -> Catalog:
        return self.project.catalog

    # ------------------------------------------------------------------ tick

    def tick(
        self,
        name: str,
        cause: Cause,
        due: datetime,
        *,
        by: str | None = None,
        alert: int | None = None,
        window: Callable[[datetime], Window] | None = None,
        after: datetime | None = None,
        begins: datetime | None = None,
    ) -> Ticked:
        """Looks at the warehouse for one policy and saves what came of it: `Asked` says what each is."""
        return self.runs.one(Asked(name, cause, due, by, alert, window, after, begins))

    def _all_unknown(self, why: str) -> None:
        """Nobody looks whether the open conditions still hold."""
        for name in self.store.alerts.counts():
            if policy := self.catalog.policies.get(name):
                self.runs.unknown(policy, why, but_known=False)

    # ------------------------------------------------------------------- act

    def act(
        self,
        alert_id: int,
        action: PersonAction | Action,
        *,
        by: str = "",
        work_seq: int | None = None,
        permit: Callable[[Alert, datetime], Refused | None] = lambda _alert, _now: None,
        line: Callable[[Alert, datetime], Line] | None = None,
    ) -> tuple[Alert | None, Outcome]:
        """Records what a person or an ended job does to an alert: the alert as it now is, and the outcome.

        `work_seq` is what the person's button carried: a click on the past is told who has it now. `permit`
        says of the alert, as it then is, why the person may not; `line` begins that of the audit, which is
        written in the transaction of the change, or by itself where nothing is changed.
        """
        for _ in range(CONFLICTS):
            alert = self.store.alerts.get(alert_id)
            now = self.clock()
            refused = alert and (permit(alert, now) or (work_seq is not None and stale(alert, by, work_seq)))
            outcome = refused or step(alert, action, now)
            told = (with_outcome(line(alert, now), alert_id, outcome),) if alert and line else ()
            if not isinstance(outcome, Change):
                if told:
                    self.store.trail.add(*told)
                return alert, outcome
            try:
                saved = self.store.act([outcome], now, Beside(trail=told))[0]
            except Conflict:
                continue
            story = outcome.event.story if not self._sensitive(saved) else "it is sensitive: look in Slack"
            log.info(outcome.event.kind, alert=saved.id, by=by, story=story)
            return saved, outcome
        return self.store.alerts.get(alert_id), Refused("Too many people are at it; try again.")

    def _sensitive(self, alert: Alert) -> bool:
        return House(self.catalog, self.project.owner, self.clock()).sensitive(alert)

    def _record(self, alert_id: int, action: Action) -> Outcome | None:
        """What the machine does to an alert, each by itself."""
        done = self._alone(f"alert {alert_id}", partial(self.act, alert_id, action))
        return done[1] if done else None

    def _alone(self, name: str, do: Callable[[], T]) -> T | None:
        """One alert's or run's trouble never holds up another's. What broke is tried again in a minute."""
        now = self.clock()
        if self._held_back.get(name, now) > now:
            return None
        try:
            return do()
        except PatrolError:
            raise  # the store is away: that is everybody's
        except Exception:
            self._held_back[name] = now + HELD_BACK
            log.exception("held back", what=name)
            return None

    # ----------------------------------------------------------------- sweep

    def sweep(self) -> int:
        """Does what is due about alerts: steps, reminders, ends of snoozes. How many alerts changed."""
        now, quieted = self.clock(), self.snoozes.sweep()
        self.orders.sweep()
        due = self.store.alerts.due(now)
        self.metrics.due_behind(
            max(((now - d.at).total_seconds() for a in due if (d := due_of(a))), default=0)
        )
        return quieted + sum(isinstance(self._record(alert.id, Timer()), Change) for alert in due)

    def dead(self) -> list[DeadRun]:
        """Runs whose process died; none while no policy can look."""
        found = [] if self.circuit.away() else self.store.runs.dead(self.clock())
        return [run for run in found if not self.runs.is_at(run.policy, run.cause)]

    def take_over(self, run: DeadRun) -> None:
        """Looks again, over the window that the run had."""
        self._alone(f"run {run.policy} {run.cause}", partial(self._take_over, run))

    def _take_over(self, run: DeadRun) -> None:
        log.warning("run taken over", policy=run.policy, cause=str(run.cause))
        if run.policy in self.catalog.policies:
            self._to_the_end(run)
        else:
            self._bury(run)

    def retries(self) -> list[DeadRun]:
        """Failed runs whose time to be tried again has come; none while none can look, or of a paused one."""
        paused = self.orders.paused()
        found = [] if self.circuit.away() else self.store.runs.to_retry(self.clock())
        return [run for run in found if run.policy not in paused]

    def try_again(self, run: DeadRun) -> None:
        """Looks once more over the window that the run had, if its policy is still to be run."""
        policy = self.catalog.policies.get(run.policy)
        if policy and policy.runs:
            self._to_the_end(run)
        else:
            self._bury(run)

    def _to_the_end(self, run: DeadRun) -> None:
        """The run again; and, where only a part of its window fits, the parts that follow."""
        cause, after = run.cause, None
        for _ in range(MOST_PARTS):
            ticked = self.tick(run.policy, cause, run.due, by=run.by, alert=run.alert, after=after)
            if not ticked.goes_on or not ticked.looked or not cause.moves_watermark:
                return
            cause, after = cause.following, ticked.looked.window.end

    def _bury(self, dead: DeadRun) -> None:
        """Ends a run that nobody can look at any more, so that it is not found dead for ever."""
        now = self.clock()
        ask = Ask(
            dead.policy, dead.cause, dead.due, lambda _: Window(now, now), incremental=False, content=""
        )
        run = self.store.runs.claim(ask, now, LEASE)
        if isinstance(run, Run):
            self.store.runs.fail(run, RunStatus.skipped, "its policy is no longer run", now)

    def reload(self) -> bool:
        """Takes in changed files; policies that do not load become alerts to their owners."""
        changed = self.project.reload()
        self.troubles.of_reading(self.project.trouble, self.project.owner, self.catalog)
        self.renaming.of_files(self.catalog)
        self.troubles.of_files(self.catalog)
        return changed
