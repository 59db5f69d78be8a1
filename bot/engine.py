"""THE STORY: tick looks and saves, act records what a person does, sweep does what the clock asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.action import Action, PersonAction, Timer, Unknown
from bot.core.alert import Alert, Lane
from bot.core.alert import due as due_of
from bot.core.catchup import tick_window
from bot.core.change import Change, Outcome, Refused
from bot.core.reconcile import Reconciled, Seen, flood_key, reconcile, unknown_keys
from bot.core.reply import Evidence
from bot.core.route import lane_for, lane_of
from bot.core.step import stale, step
from bot.errors import Conflict, LeaseLost
from bot.killpoint import reach
from bot.log import bound, get
from bot.metrics import METRICS, Metrics
from bot.project import Project
from bot.renaming import Renaming
from bot.store import RENAMED_AWAY, DeadRun, Done, Held, RunSave, Store
from bot.trouble import RESOLVED_LATELY, Troubles
from sensors.model.catalog import Catalog
from sensors.model.policy import Policy
from sensors.model.run import Cause, CauseKind, Looked, Run, RunStatus
from sensors.model.window import INSTANT, Window
from sensors.run import data_until, late, look, sources_of
from sensors.title import title
from sensors.warehouse import Warehouse, WarehouseError

log = get("engine")

LEASE = timedelta(seconds=15)  # a run whose process is gone is taken over so soon; renewed while it runs
NOTHING_FOUND = Reconciled()
TOO_MANY = "it gives more rows within one second than can be read; narrow the query: it goes on from there"
CONFLICTS = 6  # tries before a run or a click gives up against others


@dataclass(frozen=True)
class Ticked:
    """What came of a tick: the look, or why there was none: another process has it, it was done before."""

    run: Run | None = None
    looked: Looked | None = None
    why_not: str = ""
    busy: bool = False  # another process is at it: ask again shortly
    found: Reconciled = NOTHING_FOUND

    @property
    def stops(self) -> bool:
        """Whether a later run of the policy is not to follow now: it waits for another, or for the data."""
        return self.busy or (self.run is not None and not (self.looked and self.looked.ok))

    @property
    def goes_on(self) -> bool:
        """Whether only the earlier part of the window could be looked at, so that the rest is due at once."""
        return bool(
            self.run and self.looked and self.looked.ok and self.looked.window.end < self.run.window.end
        )


class Engine:
    """Everything between the clock and the store. Thread-safe: state lives in the store."""

    def __init__(
        self,
        store: Store,
        warehouse: Warehouse,
        project: Project,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
    ) -> None:
        self.store = store
        self.warehouse = warehouse
        self.project = project
        self.clock = clock
        self.metrics = metrics or METRICS
        self._running: dict[int, Run] = {}
        self.troubles = Troubles(store, clock)
        self.renaming = Renaming(store, clock)

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
        """Looks at the warehouse for one policy and saves what came of it.

        `window` is for runs that people ask for: from the end of what is loaded to the window to look at.
        `after` is where the part of the window ended that was looked at before, if it did not fit whole;
        `begins` where the time ends that a policy with `catchup: skip` passes over.
        """
        policy = self.catalog.policies.get(name)
        if policy is None:
            return Ticked(why_not=f"there is no policy {name}")
        until, trouble, behind = self._loaded(policy)
        limit = min(due, until + INSTANT) if until else due

        def window_of(watermark: datetime | None) -> Window:
            if watermark == RENAMED_AWAY:  # these files are old: its past has another name
                return Window(due, due)
            whole = window(limit) if window else tick_window(policy.window, due, watermark, until, begins)
            rest = after is not None and whole.start is not None and whole.start < after
            return replace(whole, start=after) if rest else whole

        reach("claim.before")
        claimed = self.store.runs.claim(
            name,
            cause,
            due,
            window_of=window_of,
            incremental=policy.accumulates,
            content=policy.content,
            now=self.clock(),
            lease=LEASE,
            by=by,
            alert=alert,
        )
        if isinstance(claimed, Held):
            return Ticked(why_not=f"another run ({claimed.cause}) is at it", busy=True)
        if isinstance(claimed, Done):
            return Ticked(why_not=f"this run has {claimed.status.value} before")
        reach("claim.after")
        if behind and cause.kind is CauseKind.tick:
            return self._wait(policy, claimed, behind)
        with bound(run=claimed.id, policy=name, cause=str(cause)), self._leased(claimed):
            looked = trouble or look(policy, self.warehouse, claimed.window)
            self.metrics.looked(looked)
            found = self._save(policy, claimed, looked)
            if found is None:
                return Ticked(claimed, looked, "another run looked at the same rows first", busy=True)
            return Ticked(claimed, looked, found=found)

    @contextmanager
    def _leased(self, run: Run) -> Iterator[None]:
        """While it lasts, `renew` keeps the run ours."""
        self._running[run.id] = run
        try:
            yield
        finally:
            del self._running[run.id]

    def renew(self) -> None:
        """Renews the leases of what this process runs; to be called well within a lease."""
        for run in list(self._running.values()):
            self.store.runs.extend(run, self.clock(), LEASE)

    def _wait(self, policy: Policy, run: Run, behind: str) -> Ticked:
        """Nothing is looked at on stale data; the first tick after the table has come looks at all of it."""
        if self.store.runs.fail(run, RunStatus.skipped, behind, self.clock()):
            self._unknown(policy, behind)
        return Ticked(run, why_not=behind)

    def _loaded(self, policy: Policy) -> tuple[datetime | None, Looked | None, str]:
        """Until when the policy's tables are loaded, the failed look where the warehouse does not say, and
        which of the tables that it waits for are late, or empty: one that is being loaded anew."""
        assets = self.catalog.assets
        try:
            until = data_until(policy, assets, self.warehouse)
            behind = late(policy, assets, self.warehouse, self.clock())
            if until is None and not behind:
                sources = sources_of(policy, assets, self.warehouse)
                empty = [asset.name for asset in sources if self.warehouse.columns(asset.name)]
                behind = f"{' and '.join(empty)} holds no rows" if empty else ""
            return until, None, behind
        except WarehouseError as error:
            now = self.clock()
            failed = Looked(
                policy, Window(now, now), RunStatus.failed, error=str(error), transient=error.transient
            )
            return None, failed, ""

    def _save(self, policy: Policy, run: Run, looked: Looked) -> Reconciled | None:
        """What was found and saved; None where others were faster and nothing was saved."""
        if policy.accumulates and looked.truncated:  # to go on would be to pass rows over
            looked = replace(looked, status=RunStatus.failed, error=TOO_MANY)
        if not looked.ok:
            if not self.store.runs.fail(
                run, looked.status, looked.error or "", self.clock(), looked.elapsed_s
            ):
                return None
            log.warning("run failed", why=looked.error, status=looked.status.value)
            if not run.cause.of_the_past:
                self._unknown(policy, looked.error or looked.status.value)
                self.troubles.of_look(looked, self.catalog.teams)
            return NOTHING_FOUND
        for _ in range(CONFLICTS):
            try:
                found = self._save_once(policy, run, looked)
            except Conflict:
                continue
            except LeaseLost as lost:
                log.warning("run lost", why=str(lost))
                return None
            if not run.cause.of_the_past:
                self.troubles.of_look(looked, self.catalog.teams)
            return found
        log.error("run gave up against others", tries=CONFLICTS)
        return None

    def _save_once(self, policy: Policy, run: Run, looked: Looked) -> Reconciled:
        """Decides against what is held now, and saves all of it in one transaction."""
        now, lane = self.clock(), lane_for(policy, run.cause)
        keys = [*(v.key for v in looked.violations), flood_key(policy.name)] if policy.accumulates else None
        held = self._held(policy, keys, now, lane)
        team = self.catalog.teams.get(policy.owner)
        found = reconcile(policy, looked, team, self._memory(policy, looked), held, title, lane)
        changes = self._changes(found.actions, held, now)
        reach("save.before")
        saved = self.store.save(
            RunSave(
                run=run,
                window=looked.window,
                changes=changes,
                evidence={
                    key: Evidence(looked.columns, rows, len(rows)) for key, rows in found.evidence.items()
                },
                remember=found.remember,
                rows=len(looked.rows),
                violations=len(found.fired),
                query_id=looked.query_id,
                elapsed_s=looked.elapsed_s,
                incremental=policy.accumulates,
                content=policy.content,
                lane=lane,
            ),
            now,
        )
        reach("save.after")
        for alert, change in zip(saved, changes, strict=True):
            log.info(change.event.kind, alert=alert.id, story=change.event.story)
        return found

    def _held(self, policy: Policy, keys: list[str] | None, now: datetime, lane: Lane) -> dict[str, Alert]:
        return self.store.alerts.held(policy.name, lane, keys=keys, resolved_since=now - RESOLVED_LATELY)

    def _memory(self, policy: Policy, looked: Looked) -> Mapping[str, Mapping[str, Seen]]:
        keys = [v.key for v in looked.violations]
        if not keys:
            return {}
        since = looked.window.start
        if since and policy.threshold.within:
            since -= policy.threshold.within
        return self.store.alerts.memory(policy.name, keys, since)

    def _changes(
        self, actions: Iterable[tuple[str, Action]], held: Mapping[str, Alert], now: datetime
    ) -> tuple[Change, ...]:
        outcomes = (step(held.get(key), action, now) for key, action in actions)
        return tuple(outcome for outcome in outcomes if isinstance(outcome, Change))

    def _unknown(self, policy: Policy, why: str) -> None:
        """Late is not clear: conditions of which a failed run says nothing are marked as not known."""
        if policy.accumulates:
            return
        held = self._held(policy, None, self.clock(), lane_of(policy))
        self._record_machine([(held[key], Unknown(why)) for key in unknown_keys(held)])

    # ------------------------------------------------------------------- act

    def act(
        self, alert_id: int, action: PersonAction | Action, *, by: str = "", work_seq: int | None = None
    ) -> tuple[Alert | None, Outcome]:
        """Records what a person or an ended job does to an alert: the alert as it now is, and the outcome.

        `work_seq` is what the person's button carried: a click on the past is told who has it now.
        """
        for _ in range(CONFLICTS):
            alert = self.store.alerts.get(alert_id)
            now = self.clock()
            if alert and work_seq is not None and (refused := stale(alert, by, work_seq)):
                return alert, refused
            outcome = step(alert, action, now)
            if not isinstance(outcome, Change):
                return alert, outcome
            try:
                saved = self.store.act([outcome], now)[0]
            except Conflict:
                continue
            log.info(outcome.event.kind, alert=saved.id, by=by, story=outcome.event.story)
            return saved, outcome
        return self.store.alerts.get(alert_id), Refused("Too many people are at it; try again.")

    def _record_machine(self, actions: Iterable[tuple[Alert, Action]]) -> None:
        """One alert's trouble never holds up another's: each is recorded by itself."""
        for alert, action in actions:
            self.act(alert.id, action)

    # ----------------------------------------------------------------- sweep

    def sweep(self) -> int:
        """Does what is due about alerts: steps, reminders, ends of snoozes. How many alerts changed."""
        now = self.clock()
        due = self.store.alerts.due(now)
        self.metrics.due_behind(
            max(((now - d.at).total_seconds() for a in due if (d := due_of(a))), default=0)
        )
        outcomes = [self.act(alert.id, Timer())[1] for alert in due]
        return sum(isinstance(outcome, Change) for outcome in outcomes)

    def take_over(self) -> int:
        """Runs whose process died are looked at again, over the window they had."""
        dead = self.store.runs.dead(self.clock())
        for run in dead:
            log.warning("run taken over", policy=run.policy, cause=str(run.cause))
            if run.policy in self.catalog.policies:
                self.tick(run.policy, run.cause, run.due, by=run.by, alert=run.alert)
            else:
                self._bury(run)
        return len(dead)

    def _bury(self, dead: DeadRun) -> None:
        """Ends a run that nobody can look at any more, so that it is not found dead for ever."""
        now = self.clock()
        run = self.store.runs.claim(
            dead.policy,
            dead.cause,
            dead.due,
            window_of=lambda _: Window(now, now),
            incremental=False,
            content="",
            now=now,
            lease=LEASE,
        )
        if isinstance(run, Run):
            self.store.runs.fail(run, RunStatus.skipped, "its policy is no longer there", now)

    def reload(self) -> bool:
        """Takes in changed files; policies that do not load become alerts to their owners."""
        changed = self.project.reload()
        self.renaming.of_files(self.catalog)
        self.troubles.of_files(self.catalog)
        return changed
