"""Sees what has moved upstream, by one query for all tables; wakes what runs after it or waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from bot.core.order import NO_SCHEDULE
from bot.core.plan import EPOCH
from bot.core.upstream import JOB, POLICY, State, reference, stamp, upstream_of
from bot.engine.due import due_upstreams
from bot.engine.engine import Engine
from bot.process.log import get
from bot.watch.stale import StaleAssets
from sensors.model.asset import Asset
from sensors.model.policy import Policy
from sensors.run import dated, late, sources_of, until_of
from sensors.warehouse import WarehouseError

log = get("upstreams")

AWAITED = timedelta(seconds=10)  # between two looks at tables that something waits for or runs after
ALL = timedelta(seconds=60)  # … and at the others, of which only the age is told
LEFT_OUT = timedelta(minutes=10)  # a table that cannot be asked, so that it blinds nobody to the rest
AGAIN = timedelta(seconds=30)  # what was due for a state and has not begun is woken again
TURN = "upstreams"


class Upstreams:
    """One round after another; of many processes one asks the warehouse, whichever comes first."""

    def __init__(self, engine: Engine, want: Callable[[Iterable[str]], None]) -> None:
        """`want` is told which policies may be due now."""
        self.engine = engine
        self.store = engine.store
        self.stale = StaleAssets(engine)
        self._want = want
        self._next, self._all_next = EPOCH, EPOCH
        self._loaded: dict[str, datetime] = {}  # by name, as this process saw it last
        self._marks: dict[str, str] = {}  # by ref, that are recorded
        self._woken: dict[str, tuple[str, datetime]] = {}  # by policy: for which states, and when
        self._left_out: dict[str, datetime] = {}  # by name: until when

    def once(self) -> set[str]:
        """One round: which policies were woken."""
        now = self.engine.clock()
        policies = {name: p for name, p in self.engine.orders.policies().items() if p.runs}
        waiting = self._waiting(now)
        self._record(self.store.states.of_runs(self._runs_of(policies.values())), now)
        if self.engine.circuit.away():
            return set()
        arrived = self._look(policies, [policies[n] for n in waiting if n in policies], now)
        due = {n: stamp(s) for n, s in due_upstreams(self.store, policies.values()).items()}
        woken = arrived | {name for name, mark in due.items() if self._wakes(name, mark, waiting, now)}
        if woken:
            self._want(woken)
        return woken

    def _waiting(self, now: datetime) -> set[str]:
        """Policies that wait; of one that is run no more, nothing does."""
        found = set(self.store.runs.waiting())
        catalog = self.engine.catalog.policies
        for name in [n for n in found if n not in catalog or not catalog[n].runs]:
            self.store.runs.give_up(name, "its policy is no longer run", now)
            found.discard(name)
        return found

    def _wakes(self, name: str, mark: str, waiting: set[str], now: datetime) -> bool:
        """Once for each state; again where nothing came of it. What waits is woken by what it waits for."""
        woken, at = self._woken.get(name, ("", EPOCH))
        if name in waiting or (woken == mark and timedelta() <= now - at < AGAIN):
            return False
        self._woken[name] = mark, now
        return True

    def _runs_of(self, policies: Iterable[Policy]) -> set[str]:
        """The policies and jobs that something runs after."""
        refs = {ref for policy in policies for ref in upstream_of(policy)}
        refs |= {ref for job in self.engine.catalog.jobs.values() for ref in job.after}
        return {ref for ref in refs if ref.startswith((JOB, POLICY))}

    def _record(self, found: Iterable[State], now: datetime) -> None:
        """Nothing is written where nothing has moved."""
        moved = [one for one in found if self._marks.get(one.ref) != one.mark]
        if moved:
            self.store.states.record_all(moved, now)
            self._marks |= {one.ref: one.mark for one in moved}

    # --------------------------------------------------------------------- tables

    def _look(self, policies: Mapping[str, Policy], waiting: list[Policy], now: datetime) -> set[str]:
        """Until when tables are loaded, if it is time and our turn. Which of the waiting may look now."""
        if self._next - AWAITED <= now < self._next or not self._mine(now):
            return set()
        awaited = self._awaited(policies.values(), waiting)
        whole = bool(waiting) or not self._all_next - ALL <= now < self._all_next
        wanted = {a.name: a for a in (*awaited, *(self._dated() if whole else ()))}
        asked = [a for a in wanted.values() if self._left_out.get(a.name, EPOCH) <= now]
        try:
            loaded = self._ask(asked, now)
        except WarehouseError as error:
            log.warning("not seen how far tables are loaded", why=error.message)
            return set()
        self._loaded = {n: at for n, at in self._loaded.items() if n not in wanted} | loaded
        refs = {asset.name: reference(asset) for asset in asked}
        self._record([State(refs[name], at.isoformat(), at) for name, at in loaded.items()], now)
        if whole:
            self._all_next = now + ALL
            self.stale.judge(self._until(), policies, now)
        return {policy.name for policy in waiting if self._comes(policy, loaded, now)}

    def _mine(self, now: datetime) -> bool:
        free = self.store.pace.turn(TURN, now, AWAITED)
        self._next = now + AWAITED if free == now else free
        return free == now

    def _ask(self, asked: list[Asset], now: datetime) -> dict[str, datetime]:
        """By one query; where one cannot be asked each by itself, and that one not again for a while."""
        if not asked:
            return {}
        try:
            return self.engine.warehouse.loaded_until(asked)
        except WarehouseError as error:
            if error.transient or len(asked) == 1:
                raise
        found: dict[str, datetime] = {}
        for asset in asked:
            try:
                found |= self.engine.warehouse.loaded_until([asset])
            except WarehouseError as error:
                log.warning("not seen how far a table is loaded", table=asset.name, why=error.message)
                self._left_out[asset.name] = now + LEFT_OUT
        return found

    def _awaited(self, policies: Iterable[Policy], waiting: Iterable[Policy]) -> list[Asset]:
        """Tables that something runs after, and those that what waits needs."""
        assets = self.engine.catalog.assets
        refs = {ref for policy in policies for ref in upstream_of(policy)}
        refs |= {ref for job in self.engine.catalog.jobs.values() for ref in job.after}
        found = [a for a in assets.values() if a.loaded_until and reference(a) in refs]
        for policy in waiting:
            found += [*dated(policy, assets), *sources_of(policy, assets, self.engine.warehouse)]
        return found

    def _dated(self) -> list[Asset]:
        """Tables whose age is told."""
        return [
            a
            for a in self.engine.catalog.assets.values()
            if a.loaded_until and (a.warn_after or a.late_after)
        ]

    def _until(self) -> dict[str, datetime]:
        """By reference, until when assets are loaded: as seen, else as somebody has told."""
        assets = self.engine.catalog.assets.values()
        told = self.store.states.newest([reference(a) for a in assets if not a.loaded_until])
        seen = {reference(a): self._loaded[a.name] for a in assets if a.name in self._loaded}
        return {**{ref: state.at for ref, state in told.items()}, **seen}

    def _comes(self, policy: Policy, loaded: Mapping[str, datetime], now: datetime) -> bool:
        """Whether what it waited for has come, so that it may look."""
        if policy.schedule == NO_SCHEDULE:
            return False
        assets = self.engine.catalog.assets
        sources = sources_of(policy, assets, self.engine.warehouse)
        empty = bool(sources) and until_of(sources, loaded) is None
        return not empty and not late(policy, assets, loaded, now)
