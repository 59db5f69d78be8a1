"""What was pulled of bundles: one process pulls at a time, and all see the same, whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from bot.store import Store

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOON = NOON + timedelta(seconds=3)


def test_one_of_many_that_want_it_may_pull_it(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: store.pulls.claim("risk", "r main", NOON, MINUTE), range(8)))
    assert sum(won) == 1
    assert not store.pulls.claim("risk", "r main", NOON + MINUTE / 2, MINUTE)
    assert store.pulls.claim("shop", "s main", NOON, MINUTE)
    assert store.pulls.claim("risk", "r main", NOON + MINUTE, MINUTE)


def test_a_clock_that_was_ahead_holds_up_no_pull(store: Store) -> None:
    assert store.pulls.claim("risk", "r main", NOON + timedelta(days=1), MINUTE)
    assert store.pulls.claim("risk", "r main", NOON, MINUTE)


def test_what_was_pulled_is_found_and_what_it_replaced_is_forgotten(store: Store) -> None:
    store.pulls.claim("risk", "r main", NOON, MINUTE)
    assert store.pulls.pulled("risk", NOON, "c1", "files 1", SOON)
    first = store.pulls.all()["risk"]
    assert (first.commit, first.since, first.pulled_at, first.tried_at) == ("c1", SOON, SOON, NOON)
    assert first.hash
    assert store.contents.get(first.hash) == b"files 1"

    store.pulls.claim("risk", "r main", NOON + MINUTE, MINUTE)
    assert store.pulls.pulled("risk", NOON + MINUTE, "c1", "files 1", NOON + MINUTE)
    again = store.pulls.all()["risk"]
    assert (again.since, again.pulled_at, again.hash) == (SOON, NOON + MINUTE, first.hash)

    store.pulls.claim("risk", "r main", NOON + 2 * MINUTE, MINUTE)
    assert store.pulls.pulled("risk", NOON + 2 * MINUTE, "c2", "files 2", NOON + 2 * MINUTE)
    newer = store.pulls.all()["risk"]
    assert (newer.commit, newer.since) == ("c2", NOON + 2 * MINUTE)
    assert store.contents.get(first.hash) is None


def test_whoever_was_overtaken_changes_nothing(store: Store) -> None:
    store.pulls.claim("risk", "r main", NOON, MINUTE)
    store.pulls.claim("risk", "r main", NOON + MINUTE, MINUTE)
    assert not store.pulls.pulled("risk", NOON, "old", "files", SOON)
    assert not store.pulls.failed("risk", NOON, "late")
    assert store.pulls.all()["risk"].commit == store.pulls.all()["risk"].trouble == ""


def test_failures_are_counted_and_the_last_commit_stands(store: Store) -> None:
    store.pulls.claim("risk", "r main", NOON, MINUTE)
    store.pulls.pulled("risk", NOON, "c1", "files", NOON)
    for n in range(1, 4):
        at = NOON + n * MINUTE
        store.pulls.claim("risk", "r main", at, MINUTE)
        assert store.pulls.failed("risk", at, "its host does not answer")
        held = store.pulls.all()["risk"]
        assert (held.failures, held.commit, held.pulled_at) == (n, "c1", NOON)
    store.pulls.claim("risk", "r main", NOON + 4 * MINUTE, MINUTE)
    store.pulls.pulled("risk", NOON + 4 * MINUTE, "c1", "files", NOON + 4 * MINUTE)
    held = store.pulls.all()["risk"]
    assert (held.failures, held.trouble) == (0, "")


def test_another_source_begins_anew_at_once(store: Store) -> None:
    store.pulls.claim("risk", "r main", NOON, MINUTE)
    store.pulls.pulled("risk", NOON, "c1", "files", NOON)
    assert store.pulls.claim("risk", "r next", SOON, MINUTE)
    held = store.pulls.all()["risk"]
    assert (held.source, held.commit, held.hash, held.pulled_at) == ("r next", "", None, None)
