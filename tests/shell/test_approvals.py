"""Jobs that a second person must agree to: asked, answered, started once, told, shown in Slack."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.approval import Approval, ApprovalState
from bot.core.job_run import JobState
from bot.core.reply import ApprovalsReply, Person, Said, StatusReply
from bot.desk.waiting import Waiting
from bot.sandbox import Sandbox
from tests.shell.delivering import FAULTS, standing, struck
from tests.shell.making import ELSEWHERE, FILES, MINUTE, SECOND, Node, World
from tests.shell.outside import Killed, Outside, ended, go_on, opened
from tests.shell.trouble import BOTH
from tests.shell.typing_in import Patrol

ANA, BO, CY = (Person(f"U0{name}", "C0PAYMENTS") for name in ("ANA", "BO", "CY"))
TEAMS = FILES["policies/_teams.yml"].replace(
    "cy: {slack: U0CY}", "cy: {slack: U0CY, roles: [approver]}\n    dee: {slack: U0DEE, roles: [admin]}"
)
JOBS = FILES["policies/_jobs.yml"].rstrip() + "\n  approval: second_person\n"


@pytest.fixture
def outside() -> Outside:
    return Outside()


def a_node(world: World, outside: Outside) -> Node:
    world.write("policies/_teams.yml", TEAMS)
    world.write("policies/_jobs.yml", JOBS)
    return world.node(runners=lambda _: outside)


@pytest.fixture
def bot(world: World, outside: Outside) -> Node:
    return a_node(world, outside)


def lives(*nodes: Node, seconds: int = 1) -> None:
    for _ in range(seconds):
        go_on(*nodes)
        for node in nodes:
            Waiting(node.engine).sweep()


def says(bot: Node, text: str, person: Person = ANA) -> Said:
    answer = bot.desk.command(person, text)
    assert isinstance(answer, Said), answer
    return answer


def asked(world: World, bot: Node) -> tuple[int, Approval]:
    """An alert, for which ana asks for the job."""
    alert = opened(world, bot)
    said = bot.desk.start_job(ANA, alert, "hold_payouts", {})
    assert said.ok, said
    assert "waits for a second person" in said.text
    lives(bot)
    (approval,) = bot.store.approvals.waiting()
    return alert, approval


def stories(bot: Node, alert: int) -> list[str]:
    return [e.story for e in bot.store.alerts.history(alert) if e.kind.startswith("job_")]


@BOTH
def test_a_job_waits_for_a_second_person_and_starts_with_his_yes(
    world: World, bot: Node, outside: Outside
) -> None:
    alert, approval = asked(world, bot)
    lives(bot, seconds=5)
    assert outside.starts == []
    assert stories(bot, alert) == ["hold_payouts asked for by ⟦U0ANA⟧: it waits for a second person"]
    said = says(bot, f"approve {approval.id} looks right", CY)
    assert said.ok
    assert "undo: press Release" in said.hint
    lives(bot, seconds=6)
    assert len(outside.starts) == 1
    assert stories(bot, alert)[1:] == [
        "hold_payouts was approved by ⟦U0CY⟧: looks right",
        "hold_payouts succeeded: done",
    ]
    (run,) = bot.store.jobs.of_alert(alert)
    assert (run.by, run.params, run.state) == ("U0ANA", {"seller_id": "s_1"}, JobState.succeeded)


def test_whoever_asks_cannot_agree_by_whatever_surface(world: World, bot: Node, outside: Outside) -> None:
    world.write("policies/_teams.yml", TEAMS.replace("roles: [responder, lead]", "roles: [admin]"))
    bot.engine.reload()
    _, approval = asked(world, bot)
    for said in (
        says(bot, f"approve APR-{approval.id}"),
        bot.desk.decide(ANA, approval.id, True, approval.seen),
        bot.desk.decide(replace(ANA, channel="D0ANA"), approval.id, True, approval.seen),
    ):
        assert not said.ok
        assert "a second person must agree" in said.text
        assert "⟦U0CY⟧" in said.hint
    lives(bot, seconds=5)
    assert outside.starts == []


def test_who_is_no_approver_is_told_who_is(world: World, bot: Node) -> None:
    _, approval = asked(world, bot)
    said = bot.desk.decide(BO, approval.id, True, approval.seen)
    assert "Only an approver of payments may approve hold_payouts: ⟦U0CY⟧, ⟦U0DEE⟧." in said.text
    assert not bot.desk.decide(BO, approval.id, False, approval.seen).ok
    assert [a.id for a in bot.store.approvals.waiting()] == [approval.id]


def test_without_an_answer_it_is_not_started(world: World, bot: Node, outside: Outside) -> None:
    alert, approval = asked(world, bot)
    bot.clock.on(15 * MINUTE)
    said = bot.desk.decide(CY, approval.id, True, approval.seen)
    assert "has run out" in said.text
    lives(bot, seconds=3)
    assert stories(bot, alert)[-1] == (
        "hold_payouts was approved by nobody within 15 min: it was not started"
    )
    assert outside.starts == []
    assert "was approved by nobody" in says(bot, f"approve {approval.id}", CY).text


def test_a_no_is_told_with_its_reason_and_ones_own_is_withdrawn(
    world: World, bot: Node, outside: Outside
) -> None:
    alert, approval = asked(world, bot)
    assert says(bot, f"refuse {approval.id} he is new here", CY).ok
    lives(bot, seconds=2)
    assert stories(bot, alert)[-1] == "hold_payouts was refused by ⟦U0CY⟧: he is new here"
    bot.desk.start_job(ANA, alert, "hold_payouts", {})
    lives(bot)
    (again,) = bot.store.approvals.waiting()
    assert says(bot, f"refuse {again.id}").ok
    assert stories(bot, alert)[-1] == "hold_payouts was withdrawn by ⟦U0ANA⟧"
    lives(bot, seconds=3)
    assert outside.starts == []


def test_what_was_changed_after_it_was_asked_for_is_void(world: World, bot: Node, outside: Outside) -> None:
    alert, approval = asked(world, bot)
    world.write("policies/_jobs.yml", JOBS.replace("/hold/", "/hold_for_ever/"))
    bot.engine.reload()
    said = bot.desk.decide(CY, approval.id, True, approval.seen)
    assert not said.ok
    assert "was changed after it was asked for: it was not started" in said.text
    lives(bot, seconds=4)
    assert outside.starts == []
    assert "was changed after" in stories(bot, alert)[-1]


def test_what_was_changed_after_it_was_approved_is_not_started(
    world: World, bot: Node, outside: Outside
) -> None:
    alert, approval = asked(world, bot)
    assert bot.desk.decide(CY, approval.id, True, approval.seen).ok
    world.write("policies/_jobs.yml", JOBS.replace("/hold/", "/hold_for_ever/"))
    bot.engine.reload()
    lives(bot, seconds=4)
    assert outside.starts == []
    assert "it was changed after it was approved" in stories(bot, alert)[-1]


def test_a_button_of_something_else_starts_nothing(world: World, bot: Node) -> None:
    _, approval = asked(world, bot)
    said = bot.desk.decide(CY, approval.id, True, "0" * 16)
    assert "something else" in said.text
    assert bot.desk.decide(CY, 99, True, approval.seen).text == "There is no APR-99."


def test_where_nobody_else_could_agree_nothing_is_asked(world: World, bot: Node) -> None:
    world.write("policies/_teams.yml", FILES["policies/_teams.yml"])
    bot.engine.reload()
    alert = opened(world, bot)
    said = bot.desk.start_job(ANA, alert, "hold_payouts", {})
    assert not said.ok
    assert "has no other approver" in said.text
    assert "_teams.yml" in said.hint


def test_what_starts_by_itself_waits_too(world: World, bot: Node, outside: Outside) -> None:
    world.write("policies/payments/elsewhere.yml", ELSEWHERE + "on_open: [hold_payouts]\n")
    bot.engine.reload()
    alert = opened(world, bot)
    lives(bot, seconds=5)
    assert outside.starts == []
    (approval,) = bot.store.approvals.waiting()
    assert (approval.by, approval.alert) == ("patrol", alert)
    assert bot.desk.decide(CY, approval.id, True, approval.seen).ok
    lives(bot, seconds=5)
    assert len(outside.starts) == 1


def test_a_job_without_an_alert_waits_and_all_that_waits_is_listed(bot: Node, outside: Outside) -> None:
    said = says(bot, "start hold_payouts seller_id=s_7")
    assert "as APR-1, until" in said.text
    listed = bot.desk.command(CY, "approvals")
    assert isinstance(listed, ApprovalsReply)
    assert ([a.id for a in listed.waiting], listed.able, listed.mine) == ([1], {1: ("U0CY", "U0DEE")}, (1,))
    mine = bot.desk.command(ANA, "approvals")
    assert isinstance(mine, ApprovalsReply)
    assert mine.mine == ()
    status = bot.desk.command(BO, "status")
    assert isinstance(status, StatusReply)
    assert [a.id for a in status.approvals] == [1]
    assert says(bot, "approve 1", CY).ok
    lives(bot, seconds=6)
    assert len(outside.starts) == 1
    assert bot.store.jobs.recent()[0].state is JobState.succeeded


def test_check_says_where_nobody_could_agree(world: World, patrol: Patrol) -> None:
    world.write("policies/_jobs.yml", JOBS)
    said = patrol("check").out
    assert "approval: nobody of payments is an approver, so nobody can agree to it" in said
    world.write("policies/_teams.yml", TEAMS.replace("    dee: {slack: U0DEE, roles: [admin]}\n", ""))
    assert "only cy may agree to it: what he asks for himself cannot be started" in patrol("check").out
    world.write("policies/_teams.yml", TEAMS)
    assert "agree to it" not in patrol("check").out


# ------------------------------------------------------------------------------ once


@BOTH
def test_double_clicks_in_two_processes_start_it_once(world: World, bot: Node, outside: Outside) -> None:
    alert, approval = asked(world, bot)
    nodes = [bot, world.node(runners=lambda _: outside), world.node(runners=lambda _: outside)]
    people = (CY, Person("U0DEE"))

    def clicks(n: int) -> Said:
        return nodes[n % 3].desk.decide(people[n % 2], approval.id, True, approval.seen)

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(clicks, range(12)))
    assert sum(one.ok for one in said) == 1
    assert all("was approved by" in one.text for one in said)
    for _ in range(6):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lives, nodes))
    assert len(outside.begun) == 1
    assert len(bot.store.jobs.of_alert(alert)) == 1
    assert len([s for s in stories(bot, alert) if "was approved by" in s]) == 1
    assert ended(bot, alert) == ["hold_payouts succeeded: done"]


STEPS = ["ask", "decide", "take", "told"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_it_is_started_once_and_told_once_wherever_a_process_dies(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    dying = a_node(world, outside)
    world.write("policies/_jobs.yml", JOBS.replace("timeout: 30s", "timeout: 30m"))
    dying.engine.reload()
    other = world.node(runners=lambda _: outside)
    alert = opened(world, dying)
    real = getattr(dying.store.approvals, step)

    def dies(*given: Any, **how: Any) -> Any:
        if after:
            real(*given, **how)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(dying.store.approvals, step, dies)
        dying.desk.start_job(ANA, alert, "hold_payouts", {})
        lives(dying)
        for approval in dying.store.approvals.waiting():
            with suppress(Killed):
                dying.desk.decide(CY, approval.id, True, approval.seen)
    other.clock.on(7 * MINUTE)  # the leases of the dead run out
    lives(other, seconds=2)
    for approval in other.store.approvals.waiting():
        assert other.desk.decide(CY, approval.id, True, approval.seen).ok
    other.clock.on(MINUTE)
    lives(other, seconds=8)
    assert len(outside.begun) == 1
    assert len([s for s in stories(other, alert) if "was approved by" in s]) == 1
    assert ended(other, alert) == ["hold_payouts succeeded: done"]


# ------------------------------------------------------------------------------ in Slack


@pytest.fixture
def village(town: World, outside: Outside) -> tuple[Node, World]:
    return a_node(town, outside), town


def thread(slack: Sandbox, ts: str) -> list[str]:
    return [json.dumps(m["blocks"]) for m in slack.messages("payments", ts)]


def test_the_card_names_it_all_pings_who_may_and_says_in_its_thread_what_became_of_it(
    village: tuple[Node, World], slack: Sandbox
) -> None:
    bot, _ = village
    says(bot, "start hold_payouts seller_id=s_7")
    bot.deliver(4)
    (card,) = slack.messages("payments")
    shown = json.dumps(card["blocks"])
    for part in ("hold_payouts", "s_7", "press Release", "<@U0ANA> asks", "<@U0CY> <@U0DEE> may agree"):
        assert part in shown
    (approval,) = bot.store.approvals.waiting()
    assert f'"{approval.id}:{approval.seen}"' in shown
    assert bot.desk.decide(CY, approval.id, True, approval.seen).ok
    bot.deliver(4)
    lives(bot, seconds=6)
    bot.deliver(8)
    (card,) = slack.messages("payments")
    shown = json.dumps(card["blocks"])
    assert "approval.yes" not in shown
    assert "was approved by <@U0CY>" in shown
    assert "succeeded: done" in shown
    approved, over = thread(slack, card["ts"])
    assert "<@U0ANA> hold_payouts was approved by" in approved
    assert "succeeded: done" in over
    assert bot.store.notices.waiting(bot.clock()) == []


def test_that_nobody_answered_is_told_there_too(village: tuple[Node, World], slack: Sandbox) -> None:
    bot, _ = village
    says(bot, "start hold_payouts seller_id=s_7")
    bot.deliver(3)
    bot.clock.on(15 * MINUTE)
    lives(bot)
    bot.deliver(8)
    (card,) = slack.messages("payments")
    assert "was approved by nobody within 15 min" in json.dumps(card["blocks"])
    assert "approval.yes" not in json.dumps(card["blocks"])
    (line,) = thread(slack, card["ts"])
    assert "<@U0ANA> hold_payouts was approved by nobody" in line


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["fault"])
def test_the_card_stands_once_whatever_slack_does(
    village: tuple[Node, World], slack: Sandbox, fault: dict[str, Any]
) -> None:
    bot, _ = village
    says(bot, "start hold_payouts seller_id=s_7")
    struck(bot, slack, fault)
    for _ in range(40):
        if standing(slack) == ["notice-1"]:
            break
        bot.clock.on(5 * SECOND)
        bot.deliver(2)
    bot.clock.on(timedelta(seconds=40))
    bot.deliver(10)
    assert standing(slack) == ["notice-1"]


def test_where_its_channel_takes_nothing_the_card_goes_to_who_answers_for_patrol(
    town: World, outside: Outside, slack: Sandbox
) -> None:
    town.write(
        "policies/_teams.yml", TEAMS + TEAMS.replace("payments:", "ops:").replace("C0PAYMENTS", "C0GONE")
    )
    town.write("policies/_jobs.yml", JOBS.replace("owner: payments", "owner: ops"))
    bot = town.node(runners=lambda _: outside)
    says(bot, "start hold_payouts seller_id=s_7", ANA)
    bot.deliver(4)
    bot.clock.on(31 * SECOND)
    bot.deliver(4)
    assert bot.engine.project.owner == "payments"
    (told,) = bot.alerts("patrol.unreachable_channel")
    assert sorted(standing(slack)) == [f"card-{told.id}", "notice-1"]


def test_an_approval_comes_back_from_the_store_as_it_was(bot: Node) -> None:
    says(bot, "start hold_payouts seller_id=s_7")
    approval = bot.store.approvals.get(1)
    assert approval is not None
    assert (approval.state, approval.params, approval.name) == (
        ApprovalState.waiting,
        {"seller_id": "s_7"},
        "APR-1",
    )
    assert approval.expires_at - approval.asked_at == 15 * MINUTE
