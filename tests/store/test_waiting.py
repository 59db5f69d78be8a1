"""A run that waits for late data: one of each policy, whose due time slides; begun once, over all."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot.core.upstream import State
from bot.store import Done, Held, RunSave, Store, Waiting
from bot.store.claims import Claim
from sensors.model.run import Cause, CauseKind, Run, RunStatus
from sensors.model.window import Window
from tests.store.making import MINUTE, NOON, POLICY, ask, running, tick

LATE = "core.orders is late"
LEASE = 5 * MINUTE


def waits(store: Store, n: int = 0) -> Claim:
    """The tick of minute `n` finds its table late."""
    due = NOON + n * MINUTE
    return store.runs.claim(replace(ask(due=due), waits=LATE), due, LEASE)


def test_ticks_that_come_while_it_waits_are_the_same_run(store: Store) -> None:
    assert [waits(store, n) for n in range(4)] == [Waiting(NOON, LATE)] * 4
    (run,) = store.runs.recent(POLICY)
    assert (run.status, run.cause, run.due, run.window) == (
        RunStatus.waiting,
        tick(NOON + 3 * MINUTE),
        NOON + 3 * MINUTE,
        None,
    )
    assert store.runs.waiting().keys() == store.runs.waiting([POLICY]).keys() == {POLICY}
    assert store.runs.waiting(["other"]) == {}
    assert store.runs.last_tick(POLICY) == NOON + 3 * MINUTE
    assert store.runs.dead(NOON + 60 * MINUTE) == []


def test_it_begins_with_a_window_of_then_and_for_the_newest_states(store: Store) -> None:
    first, newer = (Cause(CauseKind.upstream, stamp) for stamp in ("s1", "s2"))
    assert isinstance(store.runs.claim(replace(ask(first), waits=LATE), NOON, LEASE), Waiting)
    later, state = NOON + 240 * MINUTE, State("core.orders", "two", NOON, 2)
    claim = store.runs.claim(replace(ask(newer, due=later), states=(state,)), later, LEASE)
    assert isinstance(claim, Run)
    assert (claim.window, claim.due, claim.attempt) == (Window(later - 60 * MINUTE, later), later, 1)
    store.save(RunSave(claim, claim.window, incremental=True, content="c1"), later)
    (run,) = store.runs.recent(POLICY)
    assert (run.status, run.started_at, run.error) == (RunStatus.succeeded, later, "")
    assert store.states.of_run(f"policy:{POLICY}", claim.cause.detail) == (state,)
    assert store.runs.waiting() == {}
    assert store.runs.claim(ask(newer, due=later), later, LEASE) == Done(RunStatus.succeeded)


def test_of_many_threads_one_begins_it(store: Store) -> None:
    waits(store)
    with ThreadPoolExecutor(8) as pool:
        claims = list(
            pool.map(lambda n: store.runs.claim(ask(due=NOON + n * MINUTE), NOON, LEASE), range(16))
        )
    assert Counter(map(type, claims)) == {Run: 1, Held: 15}
    assert len(store.runs.recent(POLICY)) == 1


def test_of_many_threads_that_find_it_late_all_make_one_that_waits(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = set(pool.map(lambda n: type(waits(store, n)), range(16)))
    assert Waiting in claims
    assert claims <= {Waiting, Held}
    (run,) = store.runs.recent(POLICY)
    assert run.status is RunStatus.waiting


def test_while_another_run_is_at_it_nothing_begins(store: Store) -> None:
    waits(store)
    asked = running(store, Cause(CauseKind.range, "r1"), now=NOON)
    assert isinstance(store.runs.claim(ask(due=NOON + MINUTE), NOON, LEASE), Held)
    store.runs.fail(asked, RunStatus.failed, "away", NOON)
    assert isinstance(store.runs.claim(ask(due=NOON + MINUTE), NOON, LEASE), Run)


def test_what_somebody_asks_for_leaves_it_waiting(store: Store) -> None:
    waits(store)
    asked = running(store, Cause(CauseKind.manual, "m1"), now=NOON, incremental=False)
    store.save(RunSave(asked, asked.window), NOON)
    assert store.runs.waiting().keys() == {POLICY}


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_run_that_had_begun_may_wait_unless_it_was_taken_over(store: Store, taken_over: bool) -> None:
    run = running(store)
    if taken_over:
        assert isinstance(store.runs.claim(ask(), NOON + 6 * MINUTE, LEASE), Run)
    assert store.runs.wait(run, LATE, NOON) is not taken_over
    assert bool(store.runs.waiting()) is not taken_over


def test_of_a_policy_that_is_run_no_more_it_is_given_up(store: Store) -> None:
    waits(store)
    store.runs.give_up(POLICY, "its policy is no longer run", NOON + MINUTE)
    (run,) = store.runs.recent(POLICY)
    assert (run.status, run.error, run.ended_at) == (
        RunStatus.skipped,
        "its policy is no longer run",
        NOON + MINUTE,
    )
