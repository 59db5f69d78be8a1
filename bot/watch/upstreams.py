"""Sees what has moved upstream, and wakes what runs after it or has waited for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.order import NO_SCHEDULE
from bot.core.plan import EPOCH
from bot.core.upstream import State, due_upstream, is_run, makers_of, stamp, upstream_of
from bot.engine.due import due_upstreams
from bot.engine.engine import Engine
from bot.process.log import get
from bot.watch.stale import StaleAssets
from bot.watch.tables import NONE, Tables
from sensors.model.asset import Asset
from sensors.model.policy import Policy
from sensors.run import dated, late, sources_of, until_of
from sensors.seen import Seen, seen_of
from sensors.warehouse import Warehouse, WarehouseError
from sensors.warehouse.able import within

log = get("upstreams")

AGAIN = timedelta(seconds=30)  # what was due for a state and has not begun is woken again


class Upstreams:
    """One round after another, in every process: what a state makes due is claimed once, whoever wakes it."""

    def __init__(self, engine: Engine, want: Callable[[Iterable[str]], None]) -> None:
        """`want` is told which policies may be due now."""
        self.engine = engine
        self.store = engine.store
        self.tables = Tables(engine)
        self.stale = StaleAssets(engine)
        self._want = want
        self._marks: dict[str, str] = {}  # by ref, that are recorded
        self._woken: dict[str, tuple[str, datetime]] = {}  # by policy: for which states, and when
        self._round = threading.Lock()

    def once(self) -> set[str]:
        """One round: which policies were woken."""
        with self._round:
            return self._once()

    def _once(self) -> set[str]:
        now = self.engine.clock()
        policies = {name: p for name, p in self.engine.orders.policies().items() if p.runs}
        refs = self._refs(policies.values())
        self._record(self.store.states.of_runs(filter(is_run, refs)), now)
        self._make(refs, now)
        waiting = self._waiting(now)
        if self.engine.circuit.away():
            return set()
        arrived = self._look(policies, [policies[name] for name in sorted(waiting)], now)
        due = {name: stamp(found) for name, found in due_upstreams(self.store, policies.values()).items()}
        woken = arrived | {name for name, mark in due.items() if self._wakes(name, mark, waiting, now)}
        if woken:
            self._want(woken)
        return woken

    def _waiting(self, now: datetime) -> set[str]:
        """Policies that wait for late data; for one that is run no more nothing waits."""
        catalog, found = self.engine.catalog.policies, set(self.store.runs.waiting())
        over = {name for name in found if name not in catalog or not catalog[name].runs}
        for name in over:
            self.store.runs.give_up(name, "its policy is no longer run", now)
        return found - over

    def _wakes(self, name: str, mark: str, waiting: set[str], now: datetime) -> bool:
        """Once for each state; again where nothing came of it. What waits is woken by what it waits for."""
        woken, at = self._woken.get(name, ("", EPOCH))
        if name in waiting or (woken == mark and timedelta() <= now - at < AGAIN):
            return False
        self._woken[name] = mark, now
        return True

    def _refs(self, policies: Iterable[Policy]) -> set[str]:
        """All that policies and jobs run after, and assets of which the age counts; of those without an age
        what makes them, too."""
        refs = {ref for policy in policies for ref in upstream_of(policy)}
        refs |= {ref for job in self.engine.catalog.jobs.values() for ref in job.after}
        assets = self.engine.catalog.assets
        refs |= {a.name for a in assets.values() if not a.ages and (a.warn_after or a.late_after)}
        more = refs
        while more := {ref for name in more for ref in makers_of(assets.get(name), None, ())} - refs:
            refs |= more
        return refs

    def _make(self, refs: Iterable[str], now: datetime) -> None:
        """An asset of which nothing else tells is updated when all that it comes after has been."""
        catalog = self.engine.catalog
        after = {ref: makers for ref in refs if (makers := makers_of(catalog.assets.get(ref), None, ()))}
        if not after:
            return
        states = self.store.states.newest({*after, *(ref for makers in after.values() for ref in makers)})
        before = self.store.states.ran_for(after)
        for ref in sorted(after):
            makers = makers_of(catalog.assets[ref], states.get(ref), catalog.jobs)
            if found := due_upstream(makers, states, before.get(ref, {})):
                self.store.states.record(ref, stamp(found), max(state.at for state in found), now)
                self.store.states.begin(ref, stamp(found), found, now)

    def _record(self, found: Iterable[State], now: datetime) -> None:
        """Nothing is written where nothing has moved."""
        moved = [one for one in found if self._marks.get(one.ref) != one.mark]
        if moved:
            self.store.states.record_all(moved, now)
            self._marks |= {one.ref: one.mark for one in moved}

    # --------------------------------------------------------------------- tables

    def _look(self, policies: Mapping[str, Policy], waiting: Sequence[Policy], now: datetime) -> set[str]:
        """Until when tables are loaded, if it is time. Which of the waiting may look now."""
        if not self.tables.due(now):
            return set()
        whole = bool(waiting) or self.tables.due_whole(now)
        wanted = [*self._awaited(policies.values(), waiting), *(self._dated() if whole else ())]
        try:
            seen = self.tables.look(wanted, now, whole=whole)
        except WarehouseError as error:
            log.warning("not seen how far tables are loaded", why=error.message)
            return set()
        self.store.states.record_seen([State(n, at.isoformat(), at) for n, at in seen.ages.items()], now)
        if whole:
            waits = {policy.name for policy in waiting}
            untold = {**self.tables.empty, **self.tables.untold}
            self.stale.judge(self._until(), untold, policies, waits, now)
        return {policy.name for policy in waiting if self._comes(policy, seen, now)}

    def _awaited(self, policies: Iterable[Policy], waiting: Iterable[Policy]) -> list[Asset]:
        """Tables that something runs after, and those that what waits needs."""
        assets = self.engine.catalog.assets
        refs = self._refs(policies)
        found = [asset for asset in assets.values() if asset.ages and asset.name in refs]
        for policy in waiting:
            found += [*dated(policy, assets), *sources_of(policy, assets, self.engine.warehouse)]
        return found

    def _dated(self) -> list[Asset]:
        """Tables whose age is told."""
        assets = self.engine.catalog.assets.values()
        return [asset for asset in assets if asset.ages and (asset.warn_after or asset.late_after)]

    def _until(self) -> dict[str, datetime]:
        """Until when assets are loaded: as seen, else, where nobody can be asked, as somebody has told."""
        told = [asset.name for asset in self.engine.catalog.assets.values() if not asset.ages]
        states = self.store.states.newest(told) if told else {}
        return {ref: state.at for ref, state in states.items()} | dict(self.tables.ages)

    def _comes(self, policy: Policy, seen: Seen, now: datetime) -> bool:
        """Whether what it waited for has come, so that it may look."""
        if policy.schedule == NO_SCHEDULE:
            return False
        assets, asked = self.engine.catalog.assets, within(self.engine.warehouse, policy.session)
        sources = sources_of(policy, assets, asked)
        if policy.session.said:  # its tables may be others of these names
            seen = self._own(policy, asked, now)
        elif self.tables.untold.keys() & {asset.name for asset in dated(policy, assets)}:
            return False  # whether it has come is not known
        empty = bool(sources) and until_of(sources, seen.loaded) is None
        return not empty and not late(policy, assets, self._until() | dict(seen.ages), now)

    def _own(self, policy: Policy, asked: Warehouse, now: datetime) -> Seen:
        assets = self.engine.catalog.assets
        try:
            return seen_of([*sources_of(policy, assets, asked), *dated(policy, assets)], asked, now)
        except WarehouseError:
            return NONE  # its run says so
