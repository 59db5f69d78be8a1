"""For which run a warehouse is asked: what its query is labelled with, and how it outlives a process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sensors.model.run import Submitted
from sensors.warehouse import Warehouse

LONGEST = 2000  # characters of a tag


def _kept(_: Submitted) -> bool:
    return True


def _wanted() -> str:
    return ""


@dataclass(frozen=True)
class Errand:
    """A run's errand. `before`: the query that an earlier process submitted for it; `again`: there was such a
    process, which may have submitted one without being able to say so.

    `submitted` is told of each query as soon as there is one; False: the run is no longer ours, stop it.
    `unwanted` says in words why the query is to be stopped; empty while it is wanted. `lost`: another process
    has the run and has taken up its query, which is left to it.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    before: Submitted | None = None
    again: bool = False
    submitted: Callable[[Submitted], bool] = _kept
    unwanted: Callable[[], str] = _wanted
    lost: Callable[[], bool] = bool

    def tag(self, said: str, asks: str = "") -> str:
        """What the warehouse's history shows of the query, as JSON: the same for the same query of a run."""
        labels = {"app": "patrol", **(self.labels or {"policy": said}), "asks": asks}
        cut = {name: value[:300] for name, value in labels.items() if value}
        return json.dumps(cut, separators=(",", ":"), ensure_ascii=False)[:LONGEST]


@runtime_checkable
class Lasting(Protocol):
    """A warehouse where a query goes on without who asked."""

    def on(self, errand: Errand) -> Warehouse: ...


def on_errand(warehouse: Warehouse, errand: Errand) -> Warehouse:
    """The warehouse, asked for this run. One whose queries end with the process is asked as ever."""
    return warehouse.on(errand) if isinstance(warehouse, Lasting) else warehouse
