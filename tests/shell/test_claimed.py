"""What a process has claimed is renewed while it is at it, and no longer: nobody waits for a run in vain."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

import sensors.run
from bot.engine import rounds
from bot.engine.asked import Asked, Claimed
from bot.engine.rounds import Rounds
from bot.engine.runs import LEASE
from bot.process.errors import StoreAway
from bot.schedule import CHORES, Scheduler
from bot.store.tables import RUNNING, runs
from sensors.model.run import Cause, CauseKind, RunStatus
from tests.shell.making import ELSEWHERE, HELD, HELD_SQL, HOUR, MINUTE, SECOND, Node, World
from tests.shell.test_schedule import wait
from tests.shell.trouble import EVERY, HELD_NAME, counting


def asked(node: Node, name: str) -> Asked:
    return Asked(name, Cause(CauseKind.tick, node.clock().isoformat()), node.clock())


def claimed(node: Node, name: str = HELD_NAME) -> Claimed:
    (claim,) = node.engine.runs.claim([asked(node, name)])
    assert isinstance(claim, Claimed)
    return claim


def test_where_a_claim_breaks_in_the_middle_what_it_had_is_left_to_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "needs: {core.chat: skip}\n")
    node = world.node()

    def away(*_: Any) -> bool:
        raise StoreAway("The store does not answer.")

    monkeypatch.setattr(node.store.runs, "fail", away)
    with pytest.raises(
        StoreAway
    ):  # the second is passed over for a table without rows, which cannot be written down
        node.engine.runs.claim([asked(node, HELD_NAME), asked(node, EVERY)])
    node.clock.on(LEASE)
    node.engine.runs.renew()
    assert {dead.policy for dead in node.store.runs.dead(node.clock())} == {HELD_NAME, EVERY}


def test_a_run_taken_over_in_the_same_process_is_renewed_though_the_first_has_ended(node: Node) -> None:
    first = claimed(node)
    node.clock.on(LEASE)
    (again,) = node.engine.runs.claim([Asked(HELD_NAME, first.run.cause, first.run.due)])
    assert isinstance(again, Claimed)
    (late,) = node.engine.runs.save([(first, node.engine.runs.look(first))])
    assert late.busy
    node.clock.on(LEASE)
    node.engine.runs.renew()
    assert node.store.runs.dead(node.clock()) == []


def test_a_process_that_is_still_at_it_does_not_take_it_over_from_itself(node: Node) -> None:
    first = claimed(node)
    node.clock.on(HOUR)  # the store was away, and nothing could be renewed
    asked_of = counting(node)
    assert node.take_over() == 0
    assert asked_of == []
    assert node.engine.runs.save([(first, node.engine.runs.look(first))])[0].looked


# ------------------------------------------------------------------------------ the end


class Slow:
    """A warehouse whose queries for policies last until they are let go."""

    def __init__(self, node: Node) -> None:
        self.began, self.go = threading.Event(), threading.Event()
        real = node.warehouse.query

        def query(sql: str, binds: Any, **how: Any) -> Any:
            if how.get("tag"):
                self.began.set()
                assert self.go.wait(30)
            return real(sql, binds, **how)

        node.warehouse.query = query  # type: ignore[method-assign]


def test_what_is_looked_at_when_all_must_end_is_renewed_and_the_rest_given_back_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHORES, "renew", 0.1)
    world.write("policies/payments/held_b.yml", HELD)
    world.write("sql/payments/held_b.sql", HELD_SQL)
    node = world.node()
    slow = Slow(node)
    scheduler = Scheduler(node.engine, node.starting, None, workers=1)
    scheduler.start()
    assert slow.began.wait(15)
    ends = threading.Thread(target=scheduler.stop)
    ends.start()
    (left,) = wait(lambda: node.store.runs.dead(node.clock()))
    node.clock.on(LEASE - SECOND)
    wait(lambda: _lease_of(node, left.policy) == node.clock() + LEASE)
    slow.go.set()
    ends.join(15)
    assert not ends.is_alive()
    assert [run.policy for run in node.store.runs.dead(node.clock())] == [left.policy]


def _lease_of(node: Node, but: str) -> Any:
    """Of the run that is not of this policy."""
    with node.store._database.read() as c:
        return c.execute(select(runs.c.lease_until).where(RUNNING, runs.c.policy != but)).scalar()


def test_what_is_claimed_while_all_must_end_is_given_back(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Rounds(node.engine, 1, pytest.fail)
    real = node.engine.runs.claim
    inside, go = threading.Event(), threading.Event()

    def claim(asked: Any) -> Any:
        inside.set()
        assert go.wait(15)
        return real(asked)

    monkeypatch.setattr(node.engine.runs, "claim", claim)
    made.start()
    made.want([HELD_NAME])
    assert inside.wait(15)
    ends = threading.Thread(target=made.close)
    ends.start()
    wait(lambda: made._ending)
    go.set()
    ends.join(15)
    assert [run.policy for run in node.store.runs.dead(node.clock())] == [HELD_NAME]


# ------------------------------------------------------------------------------ what follows


def test_a_part_that_met_no_store_follows_soon_and_not_at_the_next_due_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "AGAIN", timedelta(milliseconds=100))
    looked = sensors.run.look
    monkeypatch.setattr("bot.engine.runs.look", lambda *given: looked(*given, limit=10))
    for n in range(30):
        world.table.says("s_1", world.clock() - timedelta(minutes=40) + n * MINUTE)
    node = world.node()
    real, told = node.store.runs.claim_all, []

    def claim_all(asks: Any, *given: Any) -> Any:
        if any("+1" in str(ask.cause) for ask in asks) and not told:
            raise StoreAway("The store does not answer.")
        return real(asks, *given)

    monkeypatch.setattr(node.store.runs, "claim_all", claim_all)
    made = Rounds(node.engine, 1, told.append)
    made.start()
    made.want([EVERY])
    wait(lambda: [alert.count for alert in node.alerts()] == [30])
    made.close()
    assert len(told) == 1


def test_many_dead_runs_are_taken_over_side_by_side(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHORES, "take_over", 0.1)
    world.write("policies/payments/held_b.yml", HELD)
    world.write("sql/payments/held_b.sql", HELD_SQL)
    died, node = world.node(), world.node()
    names = [HELD_NAME, "payments.held_b"]
    for name in names:
        claimed(died, name)
    node.clock.on(LEASE)
    slow = Slow(node)
    scheduler = Scheduler(node.engine, node.starting, None, workers=2)
    monkeypatch.setattr(scheduler.rounds, "want", lambda _: None)
    scheduler.start()
    try:
        wait(lambda: {run.policy for run in node.engine.runs._running.values()} == set(names))
    finally:
        slow.go.set()
        scheduler.stop()
    assert {r.status for name in names for r in node.store.runs.recent(name)} == {RunStatus.succeeded}
