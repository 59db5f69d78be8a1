"""What was looked at is known for good: from the runs while they are kept, and from the ledger after that."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.ledger import Stretch, holes
from bot.core.reply import Evidence
from bot.store import RunSave, Store
from sensors.model.run import Cause, CauseKind, RunStatus
from sensors.model.window import Window
from tests.store.making import MINUTE, NOON, POLICY, alert, change, running

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOON + 30 * DAY


def looked(
    store: Store,
    start: datetime | None,
    end: datetime,
    *,
    cause: Cause | None = None,
    content: str = "c1",
    policy: str = POLICY,
    behind: bool = False,
) -> None:
    """A good run over this window; `behind` an alert or not."""
    made = cause or Cause(CauseKind.tick, f"{start}..{end}")
    run = running(store, made, due=end, now=end, policy=policy, incremental=False)
    found = alert("s_1", opened_at=end)
    rows = {found.key: Evidence(("id",), ({"id": 1},), 1)} if behind else {}
    changes = (change(found),) if behind else ()
    saved = RunSave(run, Window(start, end), changes, rows, content=content)
    store.save(saved, end)


def hour(n: float, length: float = 1) -> Stretch:
    return Stretch(NOON + n * HOUR, NOON + (n + length) * HOUR)


def test_windows_of_good_runs_are_one_stretch_and_what_is_between_them_is_a_hole(store: Store) -> None:
    looked(store, NOON, NOON + HOUR)
    looked(store, NOON + HOUR - MINUTE, NOON + 2 * HOUR)
    looked(store, NOON + 5 * HOUR, NOON + 6 * HOUR)
    assert store.ledger.covered(POLICY) == (hour(0, 2), hour(5))
    assert holes(store.ledger.covered(POLICY)) == (hour(2, 3),)
    assert store.ledger.covered("chat.spam") == ()


def test_failed_empty_and_unbounded_runs_looked_at_no_time(store: Store) -> None:
    run = running(store, Cause(CauseKind.tick, "a"), due=NOON + HOUR, incremental=False)
    store.runs.fail(run, RunStatus.failed, "no", NOON + HOUR)
    running(store, Cause(CauseKind.tick, "still"), due=NOON + HOUR, incremental=False)
    looked(store, NOON, NOON)
    looked(store, None, NOON)
    assert store.ledger.covered(POLICY) == ()


def test_pruning_changes_nothing_of_what_is_known(store: Store) -> None:
    for n in (0, 1, 2, 6, 7):
        looked(store, NOON + n * HOUR - MINUTE, NOON + (n + 1) * HOUR)
    looked(store, NOON, NOON + HOUR, policy="chat.spam")
    looked(store, NOON + 3 * HOUR, NOON + 4 * HOUR, cause=Cause(CauseKind.range, "x"))
    looked(store, NOON + 8 * HOUR, NOON + 9 * HOUR, behind=True)
    before = store.ledger.covered(POLICY)
    assert before == (hour(-1 / 60, 4 + 1 / 60), hour(6 - 1 / 60, 3 + 1 / 60))
    assert store.runs.prune(NOON + 3 * HOUR) == 1  # the first of a version is kept
    assert store.ledger.covered(POLICY) == before
    assert store.runs.prune(LATER) == 4
    assert store.ledger.covered(POLICY) == before
    assert store.ledger.covered("chat.spam") == (hour(0),)


def test_what_is_pruned_later_is_merged_with_what_was_pruned_before(store: Store) -> None:
    for n in range(6):
        looked(store, NOON + n * HOUR, NOON + (n + 1) * HOUR)
        store.runs.prune(LATER)
    assert store.ledger.covered(POLICY) == (hour(0, 6),)
    assert store.ledger.covered(POLICY, since=NOON + 4 * HOUR) == (hour(1, 5),)
    assert store.ledger.covered(POLICY, since=NOON + 6 * HOUR) == ()


def test_what_the_schedule_looked_at_is_told_from_what_people_asked_for(store: Store) -> None:
    looked(store, NOON - DAY, NOON - 20 * HOUR, cause=Cause(CauseKind.range, "long ago"))
    looked(store, NOON, NOON + HOUR)
    looked(store, NOON + HOUR, NOON + 2 * HOUR)
    for _ in range(2):
        assert store.ledger.covered(POLICY, asked=False) == (hour(0, 2),)
        assert len(store.ledger.covered(POLICY)) == 2
        store.runs.prune(LATER)


def test_looked_at_by_some_contents_only(store: Store) -> None:
    looked(store, NOON, NOON + HOUR, content="c1")
    looked(store, NOON + HOUR, NOON + 2 * HOUR, content="c2")
    assert store.ledger.covered(POLICY, contents=["c2"]) == (hour(1),)
    assert store.ledger.covered(POLICY, contents=["c1", "c2"]) == (Stretch(NOON, NOON + 2 * HOUR),)
    assert store.ledger.covered(POLICY, contents=["c3"]) == ()
    assert store.ledger.covered(POLICY, contents=[]) == ()
    assert sorted(store.ledger.contents(POLICY, NOON)) == ["c1", "c2"]
    assert store.ledger.contents(POLICY, NOON + HOUR) == ["c2"]


def test_runs_over_a_range_are_known_by_their_detail(store: Store) -> None:
    looked(store, NOON, NOON + HOUR, cause=Cause(CauseKind.range, "a..b"))
    run = running(store, Cause(CauseKind.range, "b..c"), due=NOON, incremental=False)
    store.runs.fail(run, RunStatus.failed, "no", NOON)
    known = store.ledger.ranges(POLICY)
    assert {detail: status for detail, (status, _) in known.items()} == {
        "a..b": RunStatus.succeeded,
        "b..c": RunStatus.failed,
    }
    assert known["a..b"][1] == Window(NOON, NOON + HOUR)
