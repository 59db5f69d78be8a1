"""What a process has claimed is renewed while it is at it, and no longer: nobody waits for a run in vain."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import StoreAway
from bot.runs import LEASE, Asked, Claimed
from sensors.model.run import Cause, CauseKind
from tests.shell.making import HOUR, Node
from tests.shell.trouble import EVERY, HELD_NAME, counting


def asked(node: Node, name: str) -> Asked:
    return Asked(name, Cause(CauseKind.tick, node.clock().isoformat()), node.clock())


def claimed(node: Node, name: str = HELD_NAME) -> Claimed:
    (claim,) = node.engine.runs.claim([asked(node, name)])
    assert isinstance(claim, Claimed)
    return claim


def test_where_a_claim_breaks_in_the_middle_what_it_had_is_left_to_others(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> bool:
        raise StoreAway("The store does not answer.")

    monkeypatch.setattr(node.store.runs, "fail", away)
    with pytest.raises(StoreAway):  # the second waits for a table without rows, which cannot be written down
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
    assert node.engine.take_over() == 0
    assert asked_of == []
    assert node.engine.runs.save([(first, node.engine.runs.look(first))])[0].looked
