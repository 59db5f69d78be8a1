"""A run's look at the warehouse: labelled, its query recorded at once, and stopped when nobody wants it."""

from __future__ import annotations

from collections.abc import Callable

from bot.process.errors import StoreAway
from bot.process.log import get
from bot.store import Store
from sensors.model.policy import Policy
from sensors.model.run import Run, Submitted
from sensors.warehouse import Warehouse
from sensors.warehouse.errand import Errand, on_errand

log = get("errands")

PAUSED = "its policy is paused"


class Errands:
    """Thread-safe. `paused` names the policies that are not to be looked at just now."""

    def __init__(self, store: Store, paused: Callable[[], set[str]]) -> None:
        self.store = store
        self._paused = paused
        self._lost: set[str] = set()  # tokens of runs that others have taken over: ever a few

    def on(self, warehouse: Warehouse, policy: Policy, run: Run) -> Warehouse:
        """The warehouse, as it is asked for this run."""
        return on_errand(warehouse, self._of(policy, run))

    def lose(self, run: Run) -> None:
        """Another process has the run, and takes up its query: ours waits for it no longer."""
        self._lost.add(run.token)

    def unwanted(self, run: Run) -> str:
        """Why its look is not wanted any more, in words. What a person asked for is, though it be paused."""
        return PAUSED if run.cause.moves_watermark and run.policy in self._paused() else ""

    def _of(self, policy: Policy, run: Run) -> Errand:
        labels = {
            "bundle": policy.bundle,
            "policy": policy.name,
            "run": str(run.id),
            "version": policy.content[:12],
            **policy.session.said,
        }
        return Errand(
            labels,
            before=run.submitted,
            again=run.taken_over,
            submitted=lambda one: self._record(run, one),
            unwanted=lambda: self.unwanted(run),
            lost=lambda: run.token in self._lost,
        )

    def _record(self, run: Run, one: Submitted) -> bool:
        """Whether the run still is ours. With the store away the query goes on: its tag says whose it is."""
        try:
            return self.store.runs.submitted(run, one)
        except StoreAway as away:
            log.warning("query not recorded", run=run.id, query=one.query_id, why=str(away))
            return True
