"""Starts of jobs: once per key, moved on by one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.core.job_run import JobRun, JobState
from bot.core.upstream import State
from bot.store import Store
from tests.store.making import MINUTE, NOON, opened

ASKED, STARTING, RUNNING = JobState.asked, JobState.starting, JobState.running


def asked(store: Store, key: str = "effect-1", alert: int | None = None) -> JobRun:
    params = {"seller_id": "s_1", "note": "\x00 it's"}
    return store.jobs.ask("rescore_seller", "ana", params, alert, key, NOON, NOON + MINUTE * 10, NOON)


def test_a_job_is_asked_for_once_for_each_key(store: Store) -> None:
    with ThreadPoolExecutor(6) as pool:
        runs = set(pool.map(lambda _: asked(store).id, range(12)))
    assert len(runs) == 1
    assert asked(store, "effect-2").id not in runs
    assert [r.idempotency_key for r in store.jobs.recent()] == ["effect-2", "effect-1"]
    assert store.jobs.get(runs.pop()).params == {"seller_id": "s_1", "note": "\x00 it's"}
    assert store.jobs.get(99) is None


def test_one_of_many_takes_it_and_it_is_due_again_after_the_lease(store: Store) -> None:
    run = asked(store)
    assert store.jobs.due(NOON) == [run]
    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(lambda _: store.jobs.take(run.id, ASKED, STARTING, NOON, MINUTE), range(12)))
    assert won.count(True) == 1
    assert store.jobs.due(NOON) == []
    assert store.jobs.due(NOON + MINUTE) == [replace(run, state=STARTING, attempts=1)]
    assert store.jobs.take(run.id, STARTING, STARTING, NOON + MINUTE, MINUTE)
    assert not store.jobs.take(run.id, STARTING, STARTING, NOON + MINUTE, MINUTE)


def test_a_running_job_is_due_when_it_is_to_be_polled_or_its_time_is_up(store: Store) -> None:
    run = asked(store)
    assert store.jobs.take(run.id, ASKED, STARTING, NOON, MINUTE)
    started = replace(run, state=RUNNING, external_id="x1", started_at=NOON, poll_at=NOON + MINUTE * 60)
    assert store.jobs.record(started, STARTING)
    assert not store.jobs.record(started, STARTING)
    assert store.jobs.due(NOON + MINUTE) == []
    assert store.jobs.due(NOON + MINUTE * 10) == [store.jobs.get(run.id)]
    sooner = replace(started, poll_at=NOON + MINUTE * 2)
    assert store.jobs.record(sooner, RUNNING)
    assert store.jobs.due(NOON + MINUTE * 2) == [sooner]


def test_a_start_that_is_to_be_tried_later_waits(store: Store) -> None:
    run = asked(store)
    assert store.jobs.take(run.id, ASKED, STARTING, NOON, MINUTE)
    unknown = replace(run, state=STARTING, poll_at=NOON + MINUTE * 2, attempts=2)
    assert store.jobs.record(unknown, STARTING)
    assert store.jobs.due(NOON + MINUTE) == []
    assert store.jobs.due(NOON + MINUTE * 2) == [unknown]


def test_an_ended_job_is_due_until_it_is_told_and_stays_as_it_ended(store: Store) -> None:
    one = opened(store)
    run = asked(store, alert=one.id)
    ended = replace(run, state=JobState.succeeded, ended_at=NOON, outcome="rescored 1", link="https://x")
    assert store.jobs.record(ended, ASKED)
    assert store.jobs.due(NOON) == [ended]
    assert store.jobs.record(replace(ended, poll_at=None), JobState.succeeded)
    assert not store.jobs.record(replace(run, state=JobState.failed), RUNNING)
    assert store.jobs.due(NOON + MINUTE * 60) == []
    assert store.jobs.of_alert(one.id) == [replace(ended, poll_at=None)]


def test_a_run_that_moved_meanwhile_has_made_nothing_and_one_that_ended_has_made_it_once(
    store: Store,
) -> None:
    run = asked(store)
    ended = replace(run, state=JobState.succeeded, ended_at=NOON)
    made = [State("model:reco", f"job:{run.job} {run.id}", NOON)]
    assert not store.jobs.record(ended, RUNNING, made)
    assert store.states.history("model:reco") == []
    for _ in range(2):
        store.jobs.record(ended, ASKED, made)
    assert [state.mark for state, _ in store.states.history("model:reco")] == [f"job:{run.job} {run.id}"]
