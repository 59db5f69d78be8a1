"""Which runs of a policy are due now: asks the store what was run, and `core/catchup.py` what that means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core import catchup
from bot.core.catchup import Tick
from bot.core.order import NO_SCHEDULE
from bot.core.plan import last_due
from bot.core.upstream import State, due_upstream, upstream_of
from bot.process.log import get
from bot.store import Store
from sensors.model.graph import policy_ref
from sensors.model.policy import Cron, Policy
from sensors.model.run import Cause, CauseKind

log = get("due")

AHEAD = timedelta(minutes=1)  # so far the clocks of two hosts may differ


def due_runs(store: Store, policies: Sequence[Policy], now: datetime) -> dict[str, tuple[Tick, ...]]:
    """By policy the runs that are due, in order: by the clock, by upstreams, or since they wait for data that
    may have come. Raises StoreAway."""
    last = store.runs.last_ticks([policy.name for policy in policies])
    found = {p.name: due_ticks(store, p, now, last.get(p.name)) for p in policies}
    found |= {name: (Tick(now, states=states),) for name, states in due_upstreams(store, policies).items()}
    rest = [p.name for p in policies if not found[p.name] and p.schedule != NO_SCHEDULE]
    waiting = store.runs.waiting(rest) if rest else {}
    return found | {name: (Tick(now, waited=run.cause),) for name, run in waiting.items()}


def due_upstreams(store: Store, policies: Iterable[Policy]) -> dict[str, tuple[State, ...]]:
    """Which of them are due, for they run after what is in another state now; and those states."""
    after = {policy.name: refs for policy in policies if (refs := upstream_of(policy))}
    if not after:
        return {}
    states = store.states.newest({ref for refs in after.values() for ref in refs})
    ran_for = store.states.ran_for([policy_ref(name) for name in after])
    due = {
        name: due_upstream(refs, states, ran_for.get(policy_ref(name), {})) for name, refs in after.items()
    }
    return {name: found for name, found in due.items() if found}


def due_ticks(store: Store, policy: Policy, now: datetime, last: datetime | None) -> tuple[Tick, ...]:
    """The runs that are due, in order. `last` is the newest due time that was run. Raises StoreAway.

    Where the clock has gone back, runs of times that are still to come are undone first. A policy whose
    schedule was edited since its last tick has missed no time of the new one: all is made up for in one run.
    """
    if last is not None and last > now + AHEAD:
        clock_went_back(store, [policy.name], now)
        last = store.runs.last_tick(policy.name)
    if last is None and isinstance(policy.schedule, Cron):
        return _begin(store, policy, now)
    found = catchup.due_ticks(policy, now, last)
    if found.story and not catchup.same_schedule(_last_body(store, policy), policy.body):
        found = catchup.merged(found)
    if found.story:
        return replace(found.ticks[0], missed=found.story), *found.ticks[1:]
    return found.ticks


def clock_went_back(store: Store, policies: Iterable[str], right: datetime) -> None:
    """What a clock that was ahead has looked at since `right` is looked at again: more rows have come."""
    for name in policies:
        undone = store.ledger.step_back(name, right)
        if undone:
            log.warning("looked at by a clock that was ahead", policy=name, runs_undone=undone)


def _begin(store: Store, policy: Policy, now: datetime) -> tuple[Tick, ...]:
    """Writes down that a cron policy begins now, so that its next time is found to be due when it comes."""
    before = last_due(policy.schedule, now)
    if before is not None:
        cause = Cause(CauseKind.tick, Tick(before).stamp)
        store.runs.skip(policy.name, cause, before, "it begins with its next time", now)
    return ()


def _last_body(store: Store, policy: Policy) -> str:
    """The text that the policy's last tick was run with."""
    content = store.ledger.last_content(policy.name)
    if content == policy.content:
        return policy.body
    body = store.contents.get(content) if content else None
    return body.decode() if body else ""
