"""States of tables, jobs and policies, and when what comes `after` them is due: one run per state. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from bot.core.words import clean
from sensors.model.graph import JOB, POLICY, kind_of
from sensors.model.policy import After, Policy

DELIVERY, SEEN = (
    "delivery ",
    "seen ",
)  # how marks begin that others have told, and that are of runs over there


@dataclass(frozen=True)
class State:
    """How an upstream is now. It is another state where its `mark` is another.

    `ref` is written as in `after:`: core.orders, model:reco, job:dbt_build, policy:payments.refund_spike.
    `number` is the store's, of this one update: a mark that comes again much later is another state.
    """

    ref: str
    mark: str  # how far a table is loaded; the number of a job's or a policy's good run; a delivery's id
    at: datetime  # until when its data are there, or when that run ended
    number: int = 0


States = Mapping[str, State]  # by ref


def due_upstream(after: Sequence[str], now: States, ran_for: States) -> tuple[State, ...] | None:
    """The states that a run is due for, or None: it waits until each upstream is in another state than the
    one that was last run for. `now`: the newest states; `ran_for`: of the last run, empty before the first.
    """
    refs = sorted(set(after))
    if not refs or not all(ref in now for ref in refs):
        return None
    found = tuple(now[ref] for ref in refs)
    return None if any(_same(state, ran_for.get(state.ref)) for state in found) else found


def awaited(after: Sequence[str], now: States, ran_for: States) -> tuple[str, ...]:
    """Which upstreams have not come to another state since the last run; empty where a run is due."""
    refs = sorted(set(after))
    return tuple(ref for ref in refs if ref not in now or _same(now[ref], ran_for.get(ref)))


def _same(state: State, last: State | None) -> bool:
    return last is not None and last.mark == state.mark


def stamp(states: Iterable[State]) -> str:
    """The name of these states together: the same for every process, whenever it asks."""
    parts = sorted((one.ref, one.number, one.mark) for one in states)
    return sha256(json.dumps(parts).encode()).hexdigest()[:16]


def upstream_of(policy: Policy) -> tuple[str, ...]:
    """What it runs after; empty where its schedule says when."""
    return policy.schedule.upstream if isinstance(policy.schedule, After) else ()


def consumer(policy: str) -> str:
    """The policy among those that run after something: jobs are others."""
    return f"{POLICY}:{policy}"


def is_run(ref: str) -> bool:
    """Whether it is a policy or a job, of which good runs are the states; else it is an asset."""
    return kind_of(ref) in (JOB, POLICY)


def said(state: State) -> str:
    """One state, in words."""
    if is_run(state.ref):
        run = f" run {state.mark}" if state.mark.isdigit() else ""  # else it was seen, or told, from outside
        return f"{clean(state.ref)}{run}, which ended at {_when(state.at)}"
    return f"{clean(state.ref)} as of {_when(state.at)}"


def said_all(states: Iterable[State]) -> str:
    return "; ".join(said(one) for one in states)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
