"""How upstreams are, and for which of their states each consumer has run, on both databases."""

from __future__ import annotations

from dataclasses import replace

from bot.core.job_run import JobState
from bot.core.upstream import DELIVERY, SEEN, State
from bot.store import Store
from bot.store.states import KEPT
from bot.store.values import RunSave
from sensors.model.run import Cause, CauseKind
from tests.store.making import MINUTE, NOON, POLICY, running, stepped

ORDERS = "core.orders"
ODD = ("job:näh\x00t", "policy:a:b", "⟦UBO⟧", "x" * 1_000)


def test_a_state_is_recorded_once_however_often_it_is_seen(store: Store) -> None:
    assert store.states.record(ORDERS, "one", NOON, NOON)
    assert not store.states.record(ORDERS, "one", NOON, NOON + MINUTE)
    assert store.states.record(ORDERS, "two", NOON + MINUTE, NOON + MINUTE)
    assert not store.states.record(ORDERS, "one", NOON, NOON + 2 * MINUTE)  # told late: it is no news
    newest = store.states.newest()[ORDERS]
    assert (newest.mark, newest.at) == ("two", NOON + MINUTE)
    assert store.states.seen_at([ORDERS, "core.none"]) == {ORDERS: NOON + MINUTE}
    assert [(one.mark, seen) for one, seen in store.states.history(ORDERS)] == [
        ("two", NOON + MINUTE),
        ("one", NOON),
    ]


def test_a_table_that_is_back_where_it_was_is_in_another_state(store: Store) -> None:
    whole, part = State(ORDERS, "10:00", NOON), State(ORDERS, "09:30", NOON - 30 * MINUTE)
    later = State(ORDERS, "10:10", NOON + 10 * MINUTE)
    seen = [store.states.record_seen([one], NOON + n * MINUTE) for n, one in enumerate((whole, part, whole))]
    assert seen == [1, 1, 1]
    assert store.states.record(ORDERS, f"{DELIVERY}17", NOON, NOON + 3 * MINUTE)
    assert store.states.record_seen([whole], NOON + 4 * MINUTE) == 0  # what was told has not moved it
    assert store.states.record_seen([later], NOON + 9 * MINUTE) == 1
    assert store.states.record_seen([whole], NOON + 8 * MINUTE) == 0  # by a look that took long
    assert store.states.newest()[ORDERS].mark == "10:10"
    assert store.states.record_seen([State(ORDERS, "10:20", NOON)], NOON + 5 * MINUTE) == 1, (
        "a clock put back"
    )


def test_what_others_tell_does_not_make_a_run_of_ours_forgotten(store: Store) -> None:
    """Else it would be found anew, be the newest, and start all that comes after it once more."""
    store.states.record("job:dbt_build", "5", NOON, NOON)
    for n in range(2 * KEPT):
        store.states.record("job:dbt_build", f"{SEEN}{n}", NOON, NOON + n * MINUTE)
    store.states.prune()
    assert not store.states.record("job:dbt_build", "5", NOON, NOON + 99 * MINUTE)
    assert store.states.newest()["job:dbt_build"].mark == f"{SEEN}{2 * KEPT - 1}"


def test_states_are_read_as_they_were_recorded(store: Store) -> None:
    for ref in ODD:
        assert store.states.record(ref, f"mark of {ref}", NOON, NOON)
    found = store.states.newest(ODD)
    assert {ref: (one.ref, one.mark) for ref, one in found.items()} == {
        ref: (ref, f"mark of {ref}") for ref in ODD
    }
    store.states.begin("job:x", "s", found.values(), NOON)
    assert store.states.ran_for(["job:x", "job:y"]) == {"job:x": found}


def test_what_a_consumer_ran_for_last_and_what_each_of_its_runs_was_for(store: Store) -> None:
    first, second = State(ORDERS, "one", NOON, 1), State(ORDERS, "two", NOON + MINUTE, 2)
    store.states.begin("policy:a", "s1", [first], NOON)
    store.states.begin("policy:a", "s2", [second], NOON)
    store.states.begin("policy:b", "s1", [first], NOON)
    assert store.states.ran_for(["policy:a", "policy:b", "policy:c"]) == {
        "policy:a": {ORDERS: second},
        "policy:b": {ORDERS: first},
    }
    assert store.states.of_run("policy:a", "s1+2") == (first,)  # a later part of its window
    assert store.states.of_run("policy:a", "other") == ()
    store.states.begin("policy:a", "s1", [second], NOON)  # it waited, and begins for newer ones
    assert store.states.of_run("policy:a", "s1") == (second,)


def test_the_newest_good_run_is_the_state_of_its_policy(store: Store) -> None:
    refs = [f"policy:{POLICY}", "policy:none", "job:dbt_build"]
    assert store.states.of_runs(refs) == []
    tick = running(store, Cause(CauseKind.tick, "t1"), incremental=False)
    asked = running(store, Cause(CauseKind.manual, "m1"), incremental=False)
    for run in (tick, asked):  # what somebody asks for by hand starts nothing
        store.save(RunSave(run, run.window, content="c1"), NOON)
    (state,) = store.states.of_runs(refs)
    assert (state.ref, state.mark, state.at) == (refs[0], str(tick.id), NOON)


def test_the_newest_good_run_is_the_state_of_its_job(store: Store) -> None:
    for n, end in enumerate((JobState.succeeded, JobState.failed)):
        made = store.jobs.ask("dbt_build", "ana", {}, None, f"k{n}", NOON, NOON + 60 * MINUTE)
        assert store.jobs.record(replace(made, state=end, ended_at=NOON + n * MINUTE), JobState.asked)
    (state,) = store.states.of_runs(["job:dbt_build"])
    assert (state.mark, state.at) == ("1", NOON)


def test_only_the_newest_few_are_kept(store: Store) -> None:
    for n in range(KEPT + 5):
        store.states.record(ORDERS, str(n), NOON + n * MINUTE, NOON)
        store.states.begin("policy:a", str(n), [State(ORDERS, str(n), NOON, n)], NOON)
    store.states.record("core.other", "x", NOON, NOON)
    assert store.states.prune() == 10
    assert len(store.states.history(ORDERS, 100)) == KEPT
    assert set(store.states.newest()) == {ORDERS, "core.other"}
    assert store.states.of_run("policy:a", "0") == ()
    assert store.states.ran_for(["policy:a"])["policy:a"][ORDERS].mark == str(KEPT + 4)


def test_a_renamed_policy_keeps_its_states_and_what_it_ran_for(store: Store) -> None:
    store.states.record(f"policy:{POLICY}", "1", NOON, NOON)
    store.states.begin(f"policy:{POLICY}", "s", [State(ORDERS, "one", NOON, 1)], NOON)
    store.runs.skip(POLICY, Cause(CauseKind.tick, "t1"), NOON, "it begins", NOON)
    assert store.renames.carry(POLICY, "payments.moved", stepped, NOON)
    assert set(store.states.newest()) == {"policy:payments.moved"}
    assert set(store.states.ran_for([f"policy:{POLICY}", "policy:payments.moved"])) == {
        "policy:payments.moved"
    }
