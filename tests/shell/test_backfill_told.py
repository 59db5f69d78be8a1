"""What is told of a backfill while it runs and at its end: how often, to whom, and what it waits for."""

from __future__ import annotations

import pytest

from bot.core.backfill import BackfillState
from bot.core.words import in_plain
from bot.engine import backfill as room
from bot.engine import backfilling
from bot.engine.backfilling import Backfills
from bot.sandbox import Sandbox
from tests.flows.conftest import eventually
from tests.shell.backfilled import ANA, begins, carries_out, kept, looked_until_three
from tests.shell.making import ELSEWHERE, MINUTE, NOON, Node, World
from tests.shell.test_circuit import away, beats
from tests.shell.test_renaming import NEW, moved


@pytest.fixture
def late(world: World, node: Node) -> Node:
    return looked_until_three(world, node)


def seq(node: Node) -> int:
    """How often its message has been told anew."""
    return next(notice.seq for notice, _ in node.store.notices.waiting(node.clock()) if notice.backfill)


@pytest.mark.parametrize(("gap", "told"), [(3600.0, 1 + 1 + 1), (0.0, 1 + 5 + 1)])
def test_its_message_is_edited_once_in_a_while_and_at_its_end(
    late: Node, monkeypatch: pytest.MonkeyPatch, gap: float, told: int
) -> None:
    monkeypatch.setattr(backfilling, "EDIT_EVERY_S", gap)
    begins(late)
    carries_out(late)
    assert seq(late) == told


def test_while_the_warehouse_is_away_it_waits_and_says_so(
    world: World, late: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AGAIN_S", 0.02)
    begins(late)
    away(world, late)
    work = Backfills(late.engine)
    work.once()
    (one,) = work._at.values()
    eventually(lambda: kept(late).why.startswith("the warehouse is away"), 20)
    assert kept(late).state is BackfillState.running
    world.table.publish()
    beats(late, MINUTE)
    one.thread.join(20)
    assert (kept(late).state, kept(late).why) == (BackfillState.done, "")


def test_what_it_finds_of_a_sensitive_policy_is_not_for_everybody(town: World, slack: Sandbox) -> None:
    town.write("policies/payments/elsewhere.yml", ELSEWHERE + "sensitive: true\n")
    node = looked_until_three(town, town.node())
    begins(node)
    carries_out(node)
    node.deliver()
    (message,) = [m for m in slack.messages("payments-review") if "Backfill of" in str(m)]
    assert "what it found, only those see who may" in str(message)
    assert "5 of 5 windows" in str(message)
    assert node.store.notices.places(["backfill-1", "x"]) == {
        "backfill-1": ("C0PAYMENTSREVIEW", message["ts"])
    }
    assert "ALR-" not in str(message)
    (reply,) = slack.messages("payments-review", message["ts"])
    assert "<@U0ANA>" in reply["text"]
    assert "ALR-" not in str(reply)


def test_a_policy_that_is_moved_takes_its_backfill_along(world: World, late: Node) -> None:
    begins(late)
    moved(world)
    late.engine.reload()
    assert [one.policy for one in kept(late).stages] == [NEW]
    carries_out(late)
    assert in_plain(kept(late).why) == f"`{NEW}` was changed meanwhile: half of it would be by another text"
    assert late.desk.steer(ANA, 1, "go on").ok
    carries_out(late)
    assert kept(late).state is BackfillState.done
    assert {alert.policy for alert in late.alerts() if alert.opened_at > NOON} == {NEW}
