"""A failed run that is tried again: once, with the window that it had, unless a newer tick looks for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from bot.store import DeadRun, Done, Held, RunSave, Store
from sensors.model.run import Cause, CauseKind, Run, RunStatus
from tests.store.making import MINUTE, NOON, POLICY, claimed, running, tick

SOON = NOON + timedelta(seconds=10)


def failed(store: Store, **how: object) -> Run:
    run = running(store, **how)
    assert store.runs.fail(run, RunStatus.failed, "away", run.due, 0.5, retry_at=run.due + (SOON - NOON))
    return run


def test_it_is_failed_until_its_time_comes_and_then_begins_again_with_its_window(store: Store) -> None:
    first = failed(store)
    (record,) = store.runs.recent(POLICY)
    assert (record.status, record.error, record.retry_at) == (RunStatus.failed, "away", SOON)
    assert store.runs.to_retry(NOON) == []
    assert claimed(store, now=NOON) == Done(RunStatus.failed)
    assert store.runs.to_retry(SOON) == [DeadRun(POLICY, tick(), NOON, None, None)]
    assert store.runs.dead(NOON + MINUTE * 60) == []
    again = running(store, now=SOON)
    assert (again.id, again.window, again.attempt) == (first.id, first.window, 2)
    assert again.token != first.token
    assert store.runs.to_retry(SOON) == []
    (record,) = store.runs.recent(POLICY)
    assert (record.status, record.error, record.retry_at) == (RunStatus.running, "", None)


def test_a_retry_that_succeeds_leaves_no_trace_of_the_failure(store: Store) -> None:
    failed(store)
    again = running(store, now=SOON)
    store.save(RunSave(again, again.window, incremental=True), SOON)
    (record,) = store.runs.recent(POLICY)
    assert (record.status, record.error, record.attempt) == (RunStatus.succeeded, "", 2)
    assert store.runs.watermark(POLICY) == NOON


def test_a_retry_whose_process_dies_is_taken_over_like_any_run(store: Store) -> None:
    failed(store)
    running(store, now=SOON)
    late = SOON + MINUTE * 10
    assert store.runs.dead(late) == [DeadRun(POLICY, tick(), NOON, None, None)]
    assert running(store, now=late).attempt == 3


def test_a_newer_tick_cancels_it(store: Store) -> None:
    failed(store)
    newer = running(store, due=NOON + MINUTE)
    store.save(RunSave(newer, newer.window, incremental=True), NOON + MINUTE)
    assert claimed(store, now=NOON + MINUTE * 2) == Done(RunStatus.failed)
    assert store.runs.to_retry(NOON + MINUTE * 60) == []
    assert store.runs.recent(POLICY)[1].retry_at is None


def test_it_waits_for_another_run_of_its_policy(store: Store) -> None:
    failed(store)
    manual = running(store, Cause(CauseKind.manual, "m1"), due=SOON)
    held = claimed(store, now=SOON)
    assert isinstance(held, Held)
    store.runs.fail(manual, RunStatus.failed, "no", SOON)
    assert isinstance(claimed(store, now=SOON), Run)


def test_of_many_threads_that_try_it_again_one_does(store: Store) -> None:
    failed(store)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claimed(store, now=SOON), range(16)))
    assert sum(isinstance(c, Run) for c in claims) == 1
    assert {type(c) for c in claims} == {Run, Held}


def test_a_retry_and_another_run_that_begin_at_once_never_both_run(store: Store) -> None:
    """Only one incremental run of a policy stands, whichever of the two is quicker."""
    for n in range(12):
        policy = f"payments.p{n}"
        failed(store, policy=policy)
        manual = Cause(CauseKind.manual, f"m{n}")

        def begin(cause: Cause, policy: str = policy) -> object:
            return claimed(store, cause, now=SOON, policy=policy)

        with ThreadPoolExecutor(4) as pool:
            claims = list(pool.map(begin, [tick(), manual, tick(), manual]))
        assert sum(isinstance(c, Run) for c in claims) == 1, claims
