"""States of tables, jobs and policies, and when what comes `after` them is due: one run per state. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from bot.core.job_run import assets_of
from bot.core.words import clean, when
from sensors.model.asset import Asset
from sensors.model.graph import ASSETS, JOB, POLICY, job_ref, kind_of, name_of
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
    mark: str  # how far a table is loaded; the number of a job's or a policy's good run, which may have made
    # an asset; a delivery's id
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


def made(
    job: str, mark: str, updated: Iterable[str], assets: Mapping[str, Asset], at: datetime
) -> tuple[State, ...]:
    """The states of the assets that a good run of a job, known by its mark, has made anew by its end.

    Of the tables those that it says it has updated, else those that come after it; of other assets, of which
    no job tells, those that come after it. One that has an age of its own has its states from there alone.
    """
    ref, told = job_ref(job), tuple(updated)
    built = assets_of(told, assets)
    found = [
        name
        for name, asset in sorted(assets.items())
        if not asset.ages and (name in built or (ref in asset.after and not (told and _is_table(name))))
    ]
    return tuple(State(name, f"{ref} {mark}", at) for name in found)


def made_by(state: State | None) -> tuple[str, str]:
    """The job that has made an asset so, as `job:dbt_build`, and its run in words; empty where none has."""
    ref, _, mark = (state.mark if state else "").partition(" ")
    return (ref, _run(mark)) if kind_of(ref) == JOB and mark else ("", "")


def makers_of(asset: Asset | None, newest: State | None, jobs: Collection[str]) -> tuple[str, ...]:
    """What an asset is updated after, where nothing tells of it: neither its own age, nor the end of a job
    (one of these names) that makes it."""
    if asset is None or asset.ages or any(kind_of(ref) == JOB for ref in asset.after):
        return ()
    return () if name_of(made_by(newest)[0]) in jobs else asset.after


def _is_table(ref: str) -> bool:
    return kind_of(ref) == ASSETS[0]


def upstream_of(policy: Policy) -> tuple[str, ...]:
    """What it runs after; empty where its schedule says when."""
    return policy.schedule.upstream if isinstance(policy.schedule, After) else ()


def is_run(ref: str) -> bool:
    """Whether it is a policy or a job, of which good runs are the states; else it is an asset."""
    return kind_of(ref) in (JOB, POLICY)


def said(state: State) -> str:
    """One state, in words."""
    if is_run(state.ref):
        return f"`{clean(state.ref)}`{_run(state.mark)}, which ended at {when(state.at)}"
    job, run = made_by(state)
    return f"`{clean(state.ref)}` as of {when(state.at)}{f', made by `{clean(job)}`{run}' if job else ''}"


def _run(mark: str) -> str:
    return f" run {mark}" if mark.isdigit() else ""  # else it was seen, or told, from outside


def said_all(states: Iterable[State]) -> str:
    return "; ".join(said(one) for one in states)
