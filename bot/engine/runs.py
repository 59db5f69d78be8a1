"""Runs: claimed, looked, decided and saved, many together where many are due. One transaction each way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.action import Action, Unknown
from bot.core.alert import Alert, Condition, Lane
from bot.core.change import Change
from bot.core.context import House
from bot.core.entities import addressed
from bot.core.reconcile import (
    RESOLVED_LATELY,
    Reconciled,
    reconcile,
    remembered_since,
    speaks_of,
    unknown_keys,
)
from bot.core.reply import Evidence
from bot.core.retry import retry_at
from bot.core.route import lane_for, lane_of
from bot.core.step import step
from bot.engine.asked import Asked, Claimed, Ready, Ticked
from bot.engine.errands import Errands
from bot.process.errors import Conflict, LeaseLost
from bot.process.killpoint import reach
from bot.process.log import bound, get
from bot.process.metrics import Metrics
from bot.project import Project
from bot.store import Done, Held, Keys, RunSave, Store, Waiting
from bot.watch.circuit import Breaker
from sensors.model.asset import LateTable
from sensors.model.policy import Policy, WhenLate
from sensors.model.run import Cause, Looked, Run, RunStatus
from sensors.model.window import Window
from sensors.run import dated, late, look, needed, sources_of, until_of
from sensors.seen import hidden, seen_of
from sensors.title import title
from sensors.warehouse import Warehouse, WarehouseError
from sensors.warehouse.able import within

log = get("runs")

LEASE = timedelta(seconds=15)  # a run whose process is gone is taken over so soon; renewed while it runs
TOO_MANY = "it gives more rows within one second than can be read; narrow the query: it goes on from there"
MOST_PARTS = 200  # of one window, when only a part at a time fits
CONFLICTS = 6  # tries before a run gives up against clicks
Alerts = tuple[Alert, ...]


class Runs:
    """Thread-safe: its state lies in the store, but for which runs this process is at."""

    def __init__(
        self,
        store: Store,
        warehouse: Warehouse,
        project: Project,
        clock: Callable[[], datetime],
        metrics: Metrics,
        circuit: Breaker,
        act: Callable[[int, Action], object],
        paused: Callable[[], set[str]],
    ) -> None:
        self.store = store
        self.warehouse = warehouse
        self.project = project
        self.clock = clock
        self.metrics = metrics
        self.circuit = circuit
        self.troubles = circuit.troubles
        self._act = act
        self.errands = Errands(store, paused)
        self._running: dict[str, Run] = {}  # by token: one that was taken over here is here twice

    def one(self, asked: Asked) -> Ticked:
        """The whole of one run, now."""
        (claimed,) = self.claim([asked])
        if isinstance(claimed, Ticked):
            return claimed
        return self.save([(claimed, self.look(claimed))])[0]

    # ------------------------------------------------------------------- claiming

    def claim(self, asked: Sequence[Asked]) -> list[Claimed | Ticked]:
        """The runs that are ours now, to be looked at and saved, or released; else why not. In order."""
        ready = [self._ready(one) for one in asked]
        reach("claim.before")
        asks = [one.ask() for one in ready if isinstance(one, Ready)]
        claims = self.store.runs.claim_all(asks, self.clock(), LEASE)
        if any(isinstance(claim, Run) for claim in claims):
            reach("claim.after")
        rest = iter(claims)
        found = [self._claimed(one, next(rest)) if isinstance(one, Ready) else one for one in ready]
        self._running |= {one.run.token: one.run for one in found if isinstance(one, Claimed)}
        return found

    def _ready(self, asked: Asked) -> Ready | Ticked:
        policy = self.project.catalog.policies.get(asked.policy)
        if policy is None:
            return Ticked(why_not=f"there is no policy {asked.policy}")
        if asked.after is None and (away := self.circuit.away()):  # a later part fails, to be tried again
            return Ticked(why_not=away)
        until, failed, behind = self._loaded(policy)
        return Ready(asked, policy, until, failed, behind if asked.cause.moves_watermark else ())

    def _claimed(self, ready: Ready, claim: Run | Held | Done | Waiting) -> Claimed | Ticked:
        if isinstance(claim, Held):
            return Ticked(why_not=f"another run ({claim.cause}) is at it", busy=True)
        if isinstance(claim, Done):
            return Ticked(why_not=f"this run has {claim.status.value} before")
        if isinstance(claim, Waiting):
            return self._waits(ready)
        if ready.waits:  # a run that had begun before, by one that is gone
            return self._waits(ready, claim)
        if ready.behind:
            return self._passed_over(ready, claim)
        return Claimed(ready.policy, claim, ready.failed)

    def _waits(self, ready: Ready, run: Run | None = None) -> Ticked:
        """Nothing is looked at on stale data; when they have come one run looks at all of it."""
        if run is None or self.store.runs.wait(run, ready.late, self.clock()):
            self.unknown(ready.policy, ready.late)
        return Ticked(run, why_not=ready.late, waits=True)

    def _passed_over(self, ready: Ready, run: Run) -> Ticked:
        if self.store.runs.fail(run, RunStatus.skipped, ready.late, self.clock()):
            self.unknown(ready.policy, ready.late)
        return Ticked(run, why_not=ready.late)

    def _loaded(self, policy: Policy) -> tuple[datetime | None, Looked | None, tuple[LateTable, ...]]:
        """Until when the policy's tables are loaded, the failed look where the warehouse does not say, and
        which tables it should not be run without are late, or empty: one that is being loaded anew."""
        assets, asked = self.project.catalog.assets, within(self.warehouse, policy.session)
        try:
            sources = sources_of(policy, assets, asked)
            needs = dated(policy, assets)
            seen = seen_of([*sources, *needs], asked, self.clock())
            until = until_of(sources, seen.loaded)
            behind = late(policy, assets, self._told(policy) | dict(seen.ages), self.clock())
            behind += hidden(policy, needs, asked, seen)
            if until is None and not behind:
                empty = [asset for asset in sources if asked.columns(asset.name)]
                behind = tuple(LateTable(a, None, policy.needs.get(a.name, WhenLate.wait)) for a in empty)
            return until, None, behind
        except WarehouseError as error:
            now = self.clock()
            failed = Looked(
                policy, Window(now, now), RunStatus.failed, error=str(error), transient=error.transient
            )
            return None, failed, ()

    def _told(self, policy: Policy) -> dict[str, datetime]:
        """When the assets that it needs, and that no warehouse can be asked about, were last updated."""
        told = [asset.name for asset in needed(policy, self.project.catalog.assets) if not asset.ages]
        return {ref: one.at for ref, one in self.store.states.newest(told).items()} if told else {}

    def renew(self) -> None:
        """Renews the leases of what this process runs; to be called well within a lease."""
        for run in list(self._running.values()):
            if not self.store.runs.extend(run, self.clock(), LEASE):
                self.errands.lose(run)

    def is_at(self, policy: str, cause: Cause) -> bool:
        """Whether this process is at it; where its lease ran out, it could not be renewed for a while."""
        return any(run.policy == policy and run.cause == cause for run in list(self._running.values()))

    def release(self, claimed: Iterable[Claimed]) -> None:
        """Gives back runs that will not be looked at here: whoever asks next takes them over at once."""
        for one in claimed:
            self._running.pop(one.run.token, None)
            self.store.runs.extend(one.run, self.clock(), timedelta())

    # -------------------------------------------------------------------- looking

    def look(self, claimed: Claimed) -> Looked:
        """What the policy finds in the run's window. Takes as long as its query; never raises."""
        run = claimed.run
        with bound(run=run.id, policy=run.policy, cause=str(run.cause)):
            asked = self.errands.on(self.warehouse, claimed.policy, run)
            looked = claimed.failed or look(claimed.policy, asked, run.window)
        self.metrics.looked(looked)
        if claimed.policy.accumulates and looked.truncated:  # to go on would be to pass rows over
            return replace(looked, status=RunStatus.failed, error=TOO_MANY)
        return looked

    # --------------------------------------------------------------------- saving

    def save(self, found: Sequence[tuple[Claimed, Looked]]) -> list[Ticked]:
        """Decides what the looks amount to and saves it, all together where that can be; in order."""
        done: dict[int, Ticked] = {}
        good: dict[int, tuple[Claimed, Looked]] = {}
        try:
            for n, (claimed, looked) in enumerate(found):
                if looked.ok:
                    good[n] = (claimed, looked)
                else:
                    done[n] = self._failed(claimed, looked)
            done |= self._saved(good)
        finally:
            for claimed, _ in found:
                self._running.pop(claimed.run.token, None)
        return [done[n] for n in range(len(found))]

    def _failed(self, claimed: Claimed, looked: Looked) -> Ticked:
        run, policy = claimed.run, claimed.policy
        if why := self.errands.unwanted(run):  # nothing failed that anybody is to be told of
            self.store.runs.fail(run, RunStatus.skipped, why, self.clock(), looked.elapsed_s)
            return Ticked(run, why_not=why)
        away = self.circuit.of_look(looked)
        looked = replace(looked, transient=looked.transient or away)
        now, why = self.clock(), looked.error or looked.status.value
        again = retry_at(run, looked, now)
        if not self.store.runs.fail(
            run, looked.status, looked.error or "", now, looked.elapsed_s, retry_at=again
        ):
            return _taken(run, looked)
        again_at = f"{again:%H:%M:%S}" if again else "its next due time"
        with bound(run=run.id, policy=run.policy, cause=str(run.cause)):
            log.warning("run failed", why=why, status=looked.status.value, again_at=again_at)
        if run.cause.of_the_past:
            return Ticked(run, looked)
        self.unknown(policy, why)
        if not away:
            self.troubles.of_look(looked, self.project.catalog.teams)
        return Ticked(run, looked)

    def _saved(self, good: Mapping[int, tuple[Claimed, Looked]]) -> dict[int, Ticked]:
        """Against clicks that come in between it is decided again, never looked again."""
        left, done = dict(good), dict[int, Ticked]()
        for _ in range(CONFLICTS):
            if not left:
                return done
            now = self.clock()
            decided = self._decided(list(left.values()), now)
            reach("save.before")
            outcomes = self.store.save_all([save for _, save in decided], now)
            reach("save.after")
            for n, (found, save), outcome in zip(list(left), decided, outcomes, strict=True):
                if not isinstance(outcome, Conflict):
                    looked = left.pop(n)[1]
                    done[n] = _told(looked, found, save, outcome)
                    self._well(looked, done[n])
        for claimed, _ in left.values():
            log.error("run gave up against others", policy=claimed.policy.name, tries=CONFLICTS)
        return done | {n: _taken(claimed.run, looked) for n, (claimed, looked) in left.items()}

    def _decided(
        self, found: Sequence[tuple[Claimed, Looked]], now: datetime
    ) -> list[tuple[Reconciled, RunSave]]:
        """What each look says of every key, by what was seen before and is held now: read for all at once."""
        looks = [looked for _, looked in found]
        memory = self.store.alerts.memory_of([_rows(looked) for looked in looks])
        lanes = [lane_for(claimed.policy, claimed.run.cause) for claimed, _ in found]
        keys = [
            Keys(look.policy.name, speaks_of(look), lane) for look, lane in zip(looks, lanes, strict=True)
        ]
        held = self.store.alerts.held_of(keys, now - RESOLVED_LATELY)
        snoozes = self.store.snoozes.on() if any(looked.violations for looked in looks) else []
        decided = []
        for (claimed, looked), lane, seen, holders in zip(found, lanes, memory, held, strict=True):
            policy = claimed.policy
            team = self.project.catalog.teams.get(policy.owner)
            what = reconcile(policy, looked, team, seen, holders, title, lane)
            catalog = self.project.catalog
            house = House(catalog, self.project.owner, now)
            theirs = [one for one in snoozes if house.sees_of(one.by, policy)]
            acts = [(key, addressed(one, policy, catalog, theirs, now)) for key, one in what.actions]
            outcomes = [step(holders.get(key), action, now) for key, action in acts]
            changes = tuple(outcome for outcome in outcomes if isinstance(outcome, Change))
            decided.append((what, _leaving(claimed.run, looked, lane, what, changes)))
        return decided

    def _well(self, looked: Looked, ticked: Ticked) -> None:
        """A good look also says how the warehouse is, and its own policy."""
        self.circuit.of_look(looked)
        if ticked.run and not ticked.busy and not ticked.run.cause.of_the_past:
            self.troubles.of_look(looked, self.project.catalog.teams)

    def unknown(self, policy: Policy, why: str, *, but_known: bool = True) -> None:
        """Late is not clear: conditions of which a failed run says nothing are marked as not known.

        `but_known` False: one that is unknown already stays as it is, with its reason.
        """
        if policy.accumulates:
            return
        held = self.store.alerts.held(
            policy.name, lane_of(policy), resolved_since=self.clock() - RESOLVED_LATELY
        )
        wanted = (
            unknown_keys(held)
            if but_known
            else [key for key, alert in held.items() if alert.condition is Condition.firing]
        )
        for key in wanted:  # each by itself: one alert's trouble never holds up another's
            self._act(held[key].id, Unknown(why))


def _rows(looked: Looked) -> Keys:
    """The rows of its keys that were seen before, as far back as they count."""
    return Keys(looked.policy.name, [v.key for v in looked.violations], since=remembered_since(looked))


def _leaving(run: Run, looked: Looked, lane: Lane, found: Reconciled, changes: tuple[Change, ...]) -> RunSave:
    """What the run leaves behind."""
    return RunSave(
        run=run,
        window=looked.window,
        changes=changes,
        evidence={key: Evidence(looked.columns, rows, len(rows)) for key, rows in found.evidence.items()},
        remember=found.remember,
        rows=len(looked.rows),
        violations=len(found.fired),
        query_id=looked.query_id,
        elapsed_s=looked.elapsed_s,
        bytes=looked.bytes,
        incremental=looked.policy.accumulates,
        content=looked.policy.content,
        lane=lane,
    )


def _told(looked: Looked, found: Reconciled, save: RunSave, outcome: Alerts | LeaseLost) -> Ticked:
    run = save.run
    with bound(run=run.id, policy=run.policy, cause=str(run.cause)):
        if isinstance(outcome, LeaseLost):
            log.warning("run lost", why=str(outcome))
            return _taken(run, looked)
        for alert, change in zip(outcome, save.changes, strict=True):
            log.info(change.event.kind, alert=alert.id, story=change.event.story)
    return Ticked(run, looked, found=found)


def _taken(run: Run, looked: Looked) -> Ticked:
    return Ticked(run, looked, "another run looked at the same rows first", busy=True)
