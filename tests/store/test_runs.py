"""Claims: one winner, a lease, a token, and the window that a takeover keeps."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from multiprocessing import get_context

from bot.core.reply import Evidence
from bot.process.errors import LeaseLost
from bot.store import Ask, DeadRun, Done, Held, RunSave, Store
from sensors.model.run import Cause, CauseKind, Run, RunStatus, Submitted
from sensors.model.window import Window
from tests.store.making import MINUTE, NOON, POLICY, alert, change, claimed, running, tick

LATER = NOON + MINUTE * 10


def test_a_claim_gives_the_window_of_the_watermark(store: Store) -> None:
    run = running(store)
    assert run.window == Window(NOON - MINUTE * 60, NOON)
    assert (run.from_watermark, run.attempt) == (None, 1)
    store.save(RunSave(run, run.window, incremental=True), NOON)
    following = running(store, due=LATER)
    assert following.window == Window(NOON, LATER)
    assert following.from_watermark == NOON


def test_a_claimed_cause_is_held_until_its_lease_runs_out(store: Store) -> None:
    running(store)
    assert claimed(store, now=NOON + MINUTE) == Held(NOON + MINUTE * 5, tick())


def test_a_takeover_keeps_the_window_and_the_watermark_of_the_first_claim(store: Store) -> None:
    first = running(store)
    assert store.runs.dead(NOON + MINUTE) == []
    assert store.runs.dead(LATER) == [DeadRun(POLICY, tick(), NOON, None, None)]
    other = Ask(POLICY, tick(), NOON, lambda _: Window(None, LATER), incremental=True, content="c9")
    second = store.runs.claim(other, LATER, MINUTE)
    assert isinstance(second, Run)
    assert (second.id, second.window, second.from_watermark) == (first.id, first.window, first.from_watermark)
    assert (second.attempt, second.token == first.token) == (2, False)
    assert store.runs.dead(LATER) == []


def test_who_takes_a_run_over_learns_which_query_looks_for_it(store: Store) -> None:
    first, query = running(store), Submitted("01b2", "abc")
    assert (first.taken_over, first.submitted) == (False, None)
    assert store.runs.submitted(first, query)
    second = claimed(store, now=LATER)
    assert isinstance(second, Run)
    assert (second.taken_over, second.submitted) == (True, query)
    assert not store.runs.submitted(first, Submitted("01b3", "abc"))  # it is no longer the first one's


def test_a_run_that_failed_and_is_tried_again_asks_anew(store: Store) -> None:
    first = running(store)
    assert store.runs.submitted(first, Submitted("01b2", "abc"))
    assert store.runs.fail(first, RunStatus.failed, "no", NOON, retry_at=NOON + MINUTE)
    second = claimed(store, now=LATER)
    assert isinstance(second, Run)
    assert (second.taken_over, second.submitted) == (False, None)


def test_an_extended_lease_is_not_taken_over(store: Store) -> None:
    run = running(store)
    assert store.runs.extend(run, NOON + MINUTE * 4, MINUTE * 10)
    assert isinstance(claimed(store, now=LATER), Held)


def test_one_incremental_run_of_a_policy_at_a_time(store: Store) -> None:
    running(store)
    assert claimed(store, due=LATER, now=NOON + MINUTE) == Held(NOON + MINUTE * 5, tick())
    assert claimed(store, due=LATER) == Held(NOON + MINUTE * 5, tick())  # even when its lease ran out
    assert isinstance(claimed(store, due=LATER, policy="payments.other"), Run)
    assert isinstance(claimed(store, due=LATER, incremental=False), Run)


def test_a_failed_run_has_ended_and_frees_the_policy(store: Store) -> None:
    run = running(store)
    assert store.runs.fail(run, RunStatus.timed_out, "took longer than 5 min\x00", NOON + MINUTE, 60.5)
    assert claimed(store) == Done(RunStatus.timed_out)
    assert store.runs.watermark(POLICY) is None
    record = store.runs.recent(POLICY)[0]
    assert (record.error, record.elapsed_s, record.ended_at) == (
        "took longer than 5 min\x00",
        60.5,
        NOON + MINUTE,
    )
    assert isinstance(claimed(store, due=LATER), Run)


def test_a_skipped_tick_is_recorded_once_and_never_over_a_real_run(store: Store) -> None:
    store.runs.skip(POLICY, tick(), NOON, "core.orders is late", NOON)
    store.runs.skip(POLICY, tick(), NOON, "again", NOON)
    assert claimed(store) == Done(RunStatus.skipped)
    (record,) = store.runs.recent(POLICY)
    assert (record.error, record.window) == ("core.orders is late", None)
    run = running(store, due=LATER)
    store.runs.skip(POLICY, tick(LATER), LATER, "no", LATER)
    assert store.runs.extend(run, LATER, MINUTE)


def test_last_tick_is_the_newest_due_that_was_claimed_or_skipped(store: Store) -> None:
    assert store.runs.last_tick(POLICY) is None
    running(store, due=NOON)
    running(store, Cause(CauseKind.manual, "m1"), due=LATER, incremental=False)
    assert store.runs.last_tick(POLICY) == NOON
    store.runs.skip(POLICY, tick(LATER), LATER, "late", LATER)
    assert store.runs.last_tick(POLICY) == LATER


def test_last_and_recent_tell_of_the_newest_runs(store: Store) -> None:
    for n in range(3):
        run = running(store, due=NOON + MINUTE * n)
        store.save(RunSave(run, run.window, incremental=True, rows=n), NOON + MINUTE * n)
    running(store, policy="chat.spam")
    running(store, due=LATER)
    for n in range(3):
        past = running(store, Cause(CauseKind.range, f"b{n}"), due=NOON, incremental=False)
        store.save(RunSave(past, past.window, incremental=False, rows=90 + n), LATER)
    assert set(store.runs.last()) == {POLICY}, "one that has only begun has come to nothing yet"
    assert store.runs.last([POLICY])[POLICY].rows == 2
    assert store.runs.last([]) == {}
    assert [r.rows for r in store.runs.recent(POLICY, 2)] == [92, 91]
    assert [r.rows for r in store.runs.recent(POLICY, 2, past=False)] == [0, 2]


def test_the_newest_run_by_schedule_is_found_whatever_else_ran(store: Store) -> None:
    assert store.runs.newest_planned() == {}
    for policy in ("b", "a", "c"):
        store.runs.fail(running(store, due=NOON, policy=policy), RunStatus.failed, "no", NOON)
    upstream = Cause(CauseKind.upstream, "core.orders@2")
    running(store, upstream, due=LATER, policy="a", now=LATER)
    running(store, Cause(CauseKind.manual, "m1"), due=LATER, policy="b", incremental=False)
    running(store, Cause(CauseKind.manual, "m2"), due=LATER, policy="only.by_hand", incremental=False)
    found = store.runs.newest_planned()
    assert {name: str(run.cause) for name, run in found.items()} == {
        "a": str(upstream),
        "b": str(tick()),
        "c": str(tick()),
    }


def test_a_good_look_counts_from_the_time_asked_for(store: Store) -> None:
    run = running(store)
    store.save(RunSave(run, run.window, incremental=True), NOON + MINUTE)
    store.runs.fail(running(store, due=LATER), RunStatus.failed, "no", LATER)
    assert store.runs.good_look(POLICY, NOON + MINUTE, NOON)
    assert not store.runs.good_look(POLICY, NOON + MINUTE * 2, NOON)
    assert not store.runs.good_look(POLICY, NOON, NOON + MINUTE)


def test_pruning_keeps_what_is_newest_first_of_a_version_running_or_behind_an_alert(store: Store) -> None:
    for n in range(4):
        run = running(store, due=NOON + MINUTE * n)
        found = alert(f"s_{n}")
        rows = {found.key: Evidence(("id",), ({"id": n},), 1)} if n == 1 else {}
        changes = (change(found),) if n == 1 else ()
        store.save(RunSave(run, run.window, changes, rows, incremental=True), NOON + MINUTE * n)
    manual = running(store, Cause(CauseKind.manual, "m"), due=LATER, incremental=False)
    store.runs.fail(manual, RunStatus.failed, "no", LATER)
    running(store, due=LATER)
    assert store.runs.prune(NOON) == 0
    assert store.runs.prune(LATER + MINUTE * 60) == 3  # ticks 0, 2 and 3
    assert [r.due for r in store.runs.recent(POLICY)] == [LATER, LATER, NOON + MINUTE]
    assert store.runs.last_tick(POLICY) == LATER


def _claims(url: str, worker: int, rounds: int) -> list[tuple[int, str]]:
    """What one worker wins of the same causes."""
    store = Store(url, patience=timedelta(seconds=20))
    won = []
    for n in range(rounds):
        due = NOON + MINUTE * n
        claim = claimed(store, due=due, incremental=False, policy=f"p.{n % 3}")
        if isinstance(claim, Run):
            won.append((worker, claim.token))
    store.close()
    return won


def test_of_many_threads_that_claim_a_cause_one_wins(url: str, store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = [w for wins in pool.map(lambda n: _claims(url, n, 15), range(8)) for w in wins]
    assert len(won) == len({token for _, token in won}) == 15
    assert len(store.runs.recent("p.0", 100)) == 5


def test_of_many_processes_that_claim_a_cause_one_wins(url: str, store: Store) -> None:
    with get_context("spawn").Pool(3) as pool:
        parts = pool.starmap(_claims, [(url, n, 30) for n in range(3)])
    won = [w for wins in parts for w in wins]
    assert len(won) == len({token for _, token in won}) == 30
    assert len(store.runs.recent("p.0", 100)) == 10


def test_of_many_threads_one_takes_over_and_one_incremental_run_stands(store: Store) -> None:
    running(store)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claimed(store, now=LATER), range(16)))
    assert sum(isinstance(c, Run) for c in claims) == 1
    assert {type(c) for c in claims} == {Run, Held}
    with ThreadPoolExecutor(8) as pool:
        others = pool.map(lambda n: claimed(store, due=LATER + MINUTE * n, policy="p.new"), range(16))
    assert sum(isinstance(c, Run) for c in others) == 1


def test_every_tick_is_looked_at_without_a_gap_whoever_wins(store: Store) -> None:
    """Many workers race over the ticks of one policy: the windows of those who saved join end to end."""
    saved: list[Window] = []

    def work(n: int) -> None:
        claim = claimed(store, due=NOON + MINUTE * (n + 1))
        if isinstance(claim, Run) and not claim.window.empty:
            with suppress(LeaseLost):  # another was faster: it has looked at these rows
                store.save(RunSave(claim, claim.window, incremental=True), NOON)
                saved.append(claim.window)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(30)))
    saved.sort(key=lambda w: w.end)
    assert all(a.end == b.start for a, b in itertools.pairwise(saved))
    assert store.runs.watermark(POLICY) == saved[-1].end
