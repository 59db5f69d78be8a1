"""Backfills in the store: of a policy one runs at a time, one process is at it, and each ends once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from bot.core.backfill import BackfillRun, BackfillState, Stage
from bot.core.trail import Line
from bot.store import Store
from tests.store.making import MINUTE, NOON

SECOND, HOUR, LEASE = timedelta(seconds=1), timedelta(hours=1), timedelta(seconds=15)
LINE = Line(NOON, "UANA", "command", "C1", "backfill", "payments.x")
SEED = 1  # with which a process that had it before it went on is caught
ODD = ("payments.x", "a b", "é 🎉", "\x00" * 3, "x" * 2_000)


def stage(policy: str, windows: int = 5, **fields: object) -> Stage:
    return replace(Stage(policy, "text", NOON - 5 * HOUR, NOON, windows), **fields)  # type: ignore[arg-type]


def wanted(*policies: str, at: datetime = NOON) -> BackfillRun:
    return BackfillRun("UANA", at, tuple(stage(one) for one in policies), "payments", "C0REVIEW")


def begun(store: Store, *policies: str) -> BackfillRun:
    made = store.backfills.begin(wanted(*policies), LINE)
    assert made
    return made


def taken(store: Store, at: datetime = NOON) -> BackfillRun:
    (run,) = store.backfills.take(at, LEASE, 5)
    return run


def test_it_is_read_as_it_was_begun(store: Store) -> None:
    stages = tuple(
        stage(name, n + 1, done=n, bad_rows=n, each=n * MINUTE or None) for n, name in enumerate(ODD)
    )
    given = replace(wanted("x"), stages=stages, again=True, team=ODD[2], channel="C1")
    kept = store.backfills.begin(given, LINE)
    assert kept
    assert replace(kept, id=0) == given
    assert store.backfills.get(kept.id) == kept
    assert store.backfills.begun() == [kept]
    (line,) = [one.line for one in store.trail.lines()]
    assert line.about == "BKF-1 payments.x"


def test_one_whose_policy_is_held_leaves_no_trace(store: Store) -> None:
    begun(store, "a", "b")
    assert store.backfills.begin(wanted("c", "b"), LINE) is None
    assert store.backfills.of_policies(["c"]) is None
    assert [notice.key for notice, _ in store.notices.waiting(NOON)] == ["backfill-1"]
    assert store.trail.counts()["lines"] == 1
    held = store.backfills.of_policies(["c", "b"])
    assert held
    assert held.name == "BKF-1"


def test_going_on_is_refused_where_another_has_its_policy_now(store: Store) -> None:
    begun(store, "a")
    failed = replace(taken(store), state=BackfillState.failed, why="gone")
    assert store.backfills.end(failed, (), NOON)
    begun(store, "a")
    assert not store.backfills.go_on(failed, failed.stages, LINE)
    kept = store.backfills.get(failed.id)
    assert kept
    assert (kept.state, kept.why) == (BackfillState.failed, "gone")


class Lives:
    """Three processes and some people, and a model of what may become of each backfill: who took it last, and
    whether it has ended."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.random, self.now = store, Random(seed), NOON
        self.hands: list[BackfillRun] = []  # as processes hold them, whether they know better or not
        self.latest: dict[int, str] = {}
        self.over: set[int] = set()

    def goes_on(self) -> None:
        self.now += self.random.choice((SECOND, 5 * SECOND, 20 * SECOND))
        if not self.hands or self.random.random() < 0.4:
            self.random.choice((self.begins, self.takes))()
        else:
            run = self.random.choice(self.hands)
            ours = self.latest[run.id] == run.token and run.id not in self.over
            self.random.choice((self.works, self.works, self.ends, self.is_steered))(run, ours)

    def begins(self) -> None:
        policies, held = self.random.sample("abcd", 2), self.held()
        made = self.store.backfills.begin(wanted(*policies, at=self.now), LINE)
        assert (made is None) == bool(set(held) & set(policies))

    def takes(self) -> None:
        for mine in self.store.backfills.take(self.now, LEASE, 2):
            assert mine.id not in self.over
            self.latest[mine.id] = mine.token
            self.hands.append(mine)

    def works(self, run: BackfillRun, ours: bool) -> None:
        further = replace(run, stages=(replace(run.stages[0], done=3), *run.stages[1:]))
        assert (self.store.backfills.advance(further, 0, told=True) is not None) == ours
        assert (self.store.backfills.keep(run, self.now, LEASE) is not None) == ours

    def ends(self, run: BackfillRun, ours: bool) -> None:
        if self.random.random() < 0.3:
            assert self.store.backfills.give_back(run, self.now) == ours
            return
        state = self.random.choice((BackfillState.done, BackfillState.failed))
        assert self.store.backfills.end(replace(run, state=state), (), self.now) == ours
        self.over |= {run.id} if ours else set()

    def is_steered(self, run: BackfillRun, ours: bool) -> None:
        kept = self.store.backfills.get(run.id)
        assert kept
        assert kept.state.ended == (run.id in self.over)
        assert not ours or kept.token == run.token
        if self.store.backfills.go_on(kept, kept.stages, LINE):
            assert kept.state is BackfillState.failed
            self.over.discard(run.id)
            self.latest[run.id] = ""
        elif self.random.random() < 0.3:
            assert self.store.backfills.stop(run.id, "UBO", LINE) == (kept.state is BackfillState.running)

    def held(self) -> list[str]:
        return [stage.policy for one in self.store.backfills.begun() for stage in one.stages]


def test_in_any_order_of_what_happens_one_process_is_at_it_and_a_policy_is_held_once(store: Store) -> None:
    lives = Lives(store, SEED)
    for _ in range(100):
        lives.goes_on()
        assert len(lives.held()) == len(set(lives.held()))
    assert lives.over
    assert lives.hands


def test_a_lease_of_a_clock_that_was_ahead_is_brought_back(store: Store) -> None:
    begun(store, "a")
    taken(store, NOON + 5 * HOUR)
    assert store.backfills.take(NOON, LEASE, 5) == []
    assert store.set_right(NOON) == 1
    assert taken(store, NOON).id == 1


def test_what_ended_long_ago_is_forgotten_and_what_runs_is_not(store: Store) -> None:
    begun(store, "a")
    assert store.backfills.end(replace(taken(store), state=BackfillState.done), (), NOON)
    begun(store, "b")
    assert store.backfills.prune(NOON) == 0
    assert store.backfills.prune(NOON + SECOND) == 1
    assert [one.id for one in store.backfills.begun()] == [2]
    assert store.backfills.get(1) is None
