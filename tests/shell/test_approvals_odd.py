"""Approvals among people and clocks that change meanwhile: what counts is what holds when the yes is said."""

from __future__ import annotations

import json

import pytest

from bot.core.approval import ApprovalState
from bot.sandbox import Sandbox
from tests.shell.delivering import standing
from tests.shell.making import DAY, HOUR, MINUTE, SECOND, Node, World
from tests.shell.outside import Outside
from tests.shell.test_approvals import ANA, BO, CY, JOBS, TEAMS, a_node, asked, lives, says


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return a_node(world, outside)


def test_whoever_is_no_approver_any_more_agrees_to_nothing(world: World, bot: Node, outside: Outside) -> None:
    _, approval = asked(world, bot)
    world.write("policies/_teams.yml", TEAMS.replace("U0CY, roles: [approver]", "U0CY"))
    bot.engine.reload()
    for said in (
        says(bot, f"approve {approval.id}", CY),
        bot.desk.decide(CY, approval.id, True, approval.seen),
    ):
        assert "Only an approver of payments may approve hold_payouts: ⟦U0DEE⟧." in said.text
    lives(bot, seconds=4)
    assert outside.starts == []
    refused = [k.line for k in bot.store.trail.lines() if k.line.deed == "approve"]
    assert [(line.by, line.outcome) for line in refused] == [("U0CY", "refused")] * 2


def test_whoever_became_an_approver_since_may_agree_but_never_the_one_who_asked(
    world: World, bot: Node
) -> None:
    _, approval = asked(world, bot)
    world.write(
        "policies/_teams.yml",
        TEAMS.replace("bo: {slack: U0BO}", "bo: {slack: U0BO, roles: [approver]}").replace(
            "[responder, lead]", "[approver]"
        ),
    )
    bot.engine.reload()
    assert "a second person must agree" in bot.desk.decide(ANA, approval.id, True, approval.seen).text
    assert bot.desk.decide(BO, approval.id, True, approval.seen).ok


def test_the_same_asked_for_twice_waits_and_starts_once(world: World, bot: Node, outside: Outside) -> None:
    alert, approval = asked(world, bot)
    again = bot.desk.start_job(BO, alert, "hold_payouts", {})
    assert not again.ok
    assert again.text == "Hold payouts waits already, as APR-1: ⟦U0ANA⟧ asked for it."
    other = bot.desk.start_job(BO, alert, "hold_payouts", {"seller_id": "s_2"})
    assert other.ok, "with other values it is another"
    lives(bot)
    assert [one.id for one in bot.store.approvals.waiting()] == [1, 2]
    assert bot.desk.decide(CY, approval.id, True, approval.seen).ok
    lives(bot, seconds=5)
    assert len(outside.begun) == 1


def test_two_who_ask_within_one_moment_make_one_card(world: World, bot: Node) -> None:
    alert = asked(world, bot)[0]
    assert says(bot, "refuse 1").ok
    for person in (ANA, BO):  # neither has been looked at yet
        assert bot.desk.start_job(person, alert, "hold_payouts", {}).ok
    lives(bot, seconds=2)
    assert len(bot.store.approvals.waiting()) == 1


def test_what_was_asked_for_by_a_clock_that_was_ahead_is_over_once_it_is_right(
    world: World, bot: Node, outside: Outside
) -> None:
    now = bot.clock()
    bot.clock.on(DAY)
    _, approval = asked(world, bot)
    bot.clock.at = now + MINUTE
    bot.store.set_right(bot.clock())
    said = bot.desk.decide(CY, approval.id, True, approval.seen)
    assert "has run out: it was not started" in said.text
    lives(bot, seconds=3)
    found = bot.store.approvals.get(approval.id)
    assert found
    assert found.state is ApprovalState.expired
    assert outside.starts == []


def test_a_clock_that_is_put_forward_ends_it(world: World, bot: Node, outside: Outside) -> None:
    _, approval = asked(world, bot)
    bot.clock.on(HOUR)
    assert "has run out" in bot.desk.decide(CY, approval.id, True, approval.seen).text
    lives(bot, seconds=3)
    assert outside.starts == []


def test_parameters_that_were_touched_in_the_store_start_nothing(
    world: World, bot: Node, outside: Outside
) -> None:
    _, approval = asked(world, bot)
    with bot.store._database.write() as c:
        c.exec_driver_sql('UPDATE approvals SET params = \'{"seller_id": "s_666"}\'')
    said = bot.desk.decide(CY, approval.id, True, approval.seen)
    assert "was changed after it was asked for: it was not started" in said.text
    lives(bot, seconds=4)
    assert outside.starts == []


def test_a_card_whose_channel_is_closed_since_goes_on_elsewhere(
    town: World, outside: Outside, slack: Sandbox
) -> None:
    ops = TEAMS.replace("payments:", "ops:").replace("C0PAYMENTSREVIEW", "C0OTHER")
    town.write("policies/_teams.yml", TEAMS + ops.replace("C0PAYMENTS\n", "C0OTHER\n"))
    town.write("policies/_jobs.yml", JOBS.replace("owner: payments", "owner: ops"))
    bot = town.node(runners=lambda _: outside)
    says(bot, "start hold_payouts seller_id=s_7")
    bot.deliver(4)
    assert standing(slack, "other") == ["notice-1"]
    slack.set_channel("other", archived=True)
    assert says(bot, "approve 1 fine", CY).ok
    bot.clock.on(SECOND)
    bot.deliver(40, SECOND)
    shown = json.dumps(slack.messages("payments"))
    assert "was approved by" in shown
    assert "notice-1" in standing(slack, "payments")
