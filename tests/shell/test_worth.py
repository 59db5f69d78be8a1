"""A policy in shadow runs for real and pages nobody until it has earned `live`; a noisy one goes back."""

from __future__ import annotations

import json

import pytest

from bot.core.action import Resolve
from bot.core.alert import Alert, Disposition, FalseCause, Lane
from bot.core.builtin_earned import EARNED_LIVE, NOISY_POLICY
from bot.core.reply import Person, PolicyReply, Said
from bot.sandbox import Sandbox
from bot.slack.answers import render
from bot.watch.worth import Worth
from tests.shell.making import DAY, ELSEWHERE, FILES, HOUR, MINUTE, SECOND, Node, World
from tests.shell.trouble import BOTH, EVERY

ANA = Person("U0ANA")
FILE = "policies/payments/elsewhere.yml"
TP, FP = Disposition.true_positive, Disposition.false_positive


def in_shadow(world: World) -> Node:
    world.write(FILE, ELSEWHERE + "status: shadow\n")
    return world.node()


def alert_of(world: World, node: Node, *sellers: str) -> list[Alert]:
    for seller in sellers:
        world.table.says(seller, node.clock() - SECOND)
    node.next_tick()
    return [a for a in node.alerts(EVERY) if a.key_values["seller_id"] in sellers]


def judged(world: World, node: Node, right: int, wrong: int, start: int = 0) -> None:
    """So many alerts, and what ana calls them."""
    calls = [(TP, None)] * right + [(FP, FalseCause.threshold)] * wrong
    names = [f"s_{start + n}" for n in range(len(calls))]
    for alert, (call, cause) in zip(alert_of(world, node, *names), calls, strict=True):
        node.engine.act(alert.id, Resolve("U0ANA", call, cause), by="U0ANA")


def said(node: Node) -> str:
    reply = node.desk.command(ANA, f"policy {EVERY}")
    assert isinstance(reply, PolicyReply)
    return json.dumps(render(reply).blocks, ensure_ascii=False)


def test_a_shadow_alert_goes_to_the_review_channel_mentions_nobody_and_can_be_judged(
    town: World, slack: Sandbox
) -> None:
    node = in_shadow(town)
    (alert,) = alert_of(town, node, "s_1")
    node.deliver()
    (card,) = slack.messages("payments-review")
    assert slack.messages("payments") == []
    assert "<@U0" not in json.dumps(card["blocks"])
    assert "SHADOW" in json.dumps(card["blocks"])
    node.clock.on(6 * HOUR)  # past every step of the ladder
    node.engine.sweep()
    node.deliver()
    assert slack.messages("payments-review", card["ts"])[1:] == []
    assert slack.state()["notifications"] == []
    answer = node.desk.act(ANA, alert.id, Resolve("U0ANA", TP))
    assert answer.ok
    node.deliver()
    assert "true positive" in json.dumps(slack.messages("payments-review")[0]["blocks"])


def test_what_people_called_shadow_alerts_says_nothing_on_live_cards(world: World) -> None:
    node = in_shadow(world)
    judged(world, node, 2, 1)
    world.write(FILE, ELSEWHERE)
    node.engine.reload()
    (live,) = alert_of(world, node, "s_9")
    assert live.lane is Lane.live
    assert dict(node.view.context(live).dispositions) == {}


@BOTH
def test_the_owner_is_told_once_that_it_has_earned_live_and_going_live_ends_it(world: World) -> None:
    node = in_shadow(world)
    worth = Worth(node.engine)
    judged(world, node, 6, 1)
    node.clock.on(4 * DAY)
    assert worth.once() == 0
    assert "right 6 of 7, 1.8 alerts a day over 4 days" in said(node)
    assert "Missing for live: 3 more verdicts" in said(node)
    judged(world, node, 3, 0, start=20)
    assert worth.once() == 1
    (told,) = node.alerts(EARNED_LIVE)
    assert told.title == f"{EVERY} has earned live: right 9 of 10"
    assert (told.lane, told.terms.team) == (Lane.shadow, "payments")
    assert f"write `status: live` in `{FILE}`" in said(node)
    assert f"`{EVERY}` · shadow · has earned live" in json.dumps(
        render(node.view.status()).blocks, ensure_ascii=False
    )
    for _ in range(3):
        node.clock.on(DAY)
        worth.once()
    assert node.kinds(told.id) == ["opened"]
    world.write(FILE, ELSEWHERE)
    node.engine.reload()
    assert Worth(world.node().engine).once() == 1
    assert node.alerts(EARNED_LIVE) == []


def test_who_has_said_no_is_not_asked_again(world: World) -> None:
    node = in_shadow(world)
    judged(world, node, 10, 0)
    node.clock.on(4 * DAY)
    Worth(node.engine).once()
    (told,) = node.alerts(EARNED_LIVE)
    node.engine.act(told.id, Resolve("U0ANA", Disposition.benign, None, "not yet"), by="U0ANA")
    for _ in range(20):
        node.clock.on(DAY)
        Worth(node.engine).once()
    assert node.alerts(EARNED_LIVE) == []


def test_the_card_stands_in_the_review_channel_with_the_line_to_write(town: World, slack: Sandbox) -> None:
    node = in_shadow(town)
    judged(town, node, 10, 0)
    node.clock.on(4 * DAY)
    Worth(node.engine).once()
    node.deliver(60)
    (card,) = [m for m in slack.messages("payments-review") if "has earned live" in json.dumps(m)]
    assert "`status: live` in `policies/payments/elsewhere.yml`" in json.dumps(card["blocks"])
    said = json.dumps(card["blocks"], ensure_ascii=False)
    assert "About policy `payments.elsewhere`, since " in said
    assert ("10 rows" in said, "digest" in said) == (False, False)  # it counts verdicts; there is no digest
    assert card["ts"] not in [one["ts"] for one in slack.state()["notifications"]]


@pytest.mark.parametrize(
    ("edit", "over"),
    [
        (("title: Seller", "title: A seller"), False),
        (("severity: {medium: 1, high: 4}", "severity: high"), False),
        (("row_key: [message_id]", "row_key: [message_id]\nthreshold: {count: 2, within: 1h}"), True),
        (("owner: payments", "owner: payments\nstatus: shadow"), True),
        (("owner: payments", "owner: payments\nstatus: retired"), True),
    ],
    ids=["title", "severity", "threshold", "shadow", "retired"],
)
def test_a_noisy_live_policy_is_proposed_for_shadow_until_it_is_mended(
    world: World, node: Node, edit: tuple[str, str], over: bool
) -> None:
    judged(world, node, 1, 11)
    worth = Worth(node.engine)
    assert worth.once() == 1
    (told,) = node.alerts(NOISY_POLICY)
    assert told.title == f"{EVERY} is noisy: it was right 1 of 12 times in 30 days"
    advice = str(told.newest["advice"])
    assert "Blamed: threshold 11×." in advice
    assert f"`patrol case --reports {EVERY}`" in advice
    assert "it was right 1 of 12 times" in said(node)
    node.clock.on(HOUR)
    node.engine.sweep()
    worth.once()
    assert node.kinds(told.id) == ["opened"]
    world.write(FILE, ELSEWHERE.replace(*edit))
    node.engine.reload()
    node.next_tick(after=MINUTE)
    worth.once()
    assert (node.alerts(NOISY_POLICY) == []) == over


def test_a_noisy_policy_that_has_become_right_is_so_no_more(world: World, node: Node) -> None:
    judged(world, node, 1, 11)
    worth = Worth(node.engine)
    worth.once()
    judged(world, node, 12, 0, start=40)
    worth.once()
    assert node.alerts(NOISY_POLICY) == []


def test_verdicts_grow_old_also_when_their_runs_are_forgotten(world: World) -> None:
    node = in_shadow(world)
    judged(world, node, 10, 0)
    node.clock.on(20 * DAY)
    node.store.runs.prune(node.clock() - 14 * DAY)
    Worth(node.engine).once()
    assert len(node.alerts(EARNED_LIVE)) == 1
    node.clock.on(11 * DAY)
    Worth(node.engine).once()
    assert node.alerts(EARNED_LIVE) == []
    assert "10 more verdicts" in said(node)


@BOTH
def test_the_days_in_shadow_are_counted_from_its_first_run_also_when_that_is_old(world: World) -> None:
    node = in_shadow(world)
    world.table.says("s_99", node.clock() - DAY)  # a run on an empty table would wait
    node.next_tick()
    node.clock.on(20 * DAY)
    judged(world, node, 10, 0)
    node.next_tick()
    node.store.runs.prune(node.clock() - 14 * DAY)
    assert "right 10 of 10 (95% sure: 72%–100%), 0.5 alerts a day over 20 days" in said(node)


def test_an_edited_description_of_a_table_keeps_the_verdicts_and_the_version(world: World) -> None:
    node = in_shadow(world)
    judged(world, node, 6, 1)
    was = node.engine.catalog.policies[EVERY].content
    assets = FILES["policies/_assets.yml"]
    world.write(
        "policies/_assets.yml", assets.replace("load_interval: 1m,", 'load_interval: 1m, description: "x",')
    )
    node.engine.reload()
    assert node.engine.catalog.assets["core.chat"].description == "x"
    assert node.engine.catalog.policies[EVERY].content == was
    world.write("policies/_assets.yml", assets.replace("load_interval: 1m,", "load_interval: 2m,"))
    node.engine.reload()
    assert node.engine.catalog.policies[EVERY].content != was
    assert "right 6 of 7" in said(node)


def test_a_policy_that_its_folder_sent_to_shadow_begins_its_days_there(world: World) -> None:
    node = world.node()
    node.next_tick()
    node.clock.on(9 * DAY)
    world.write("policies/payments/_defaults.yml", "status: shadow\n")
    node.engine.reload()
    node.next_tick()
    assert "3 more days in shadow" in said(node)


@pytest.mark.parametrize(
    ("status", "right", "place"), [("shadow", 10, "C0MINEREVIEW"), ("live", 1, "C0MINE")]
)
def test_it_is_told_in_the_channel_of_the_policy_s_own_alerts(
    world: World, status: str, right: int, place: str
) -> None:
    own = "channel: C0MINE\nreview_channel: C0MINEREVIEW\n"
    world.write(FILE, f"{ELSEWHERE}{own}status: {status}\n")
    node = world.node()
    judged(world, node, right, 12 - right)
    node.clock.on(4 * DAY)
    assert Worth(node.engine).once() == 1
    (told,) = [*node.alerts(EARNED_LIVE), *node.alerts(NOISY_POLICY)]
    assert node.view.channel_of(told) == place


def test_what_policy_says_of_one_that_is_broken_not_run_or_often_mistaken(world: World) -> None:
    world.may_be_wrong = True
    world.write(FILE, ELSEWHERE + "status: draft\nfalse_positives: A host who sells gift cards.\n")
    world.write("policies/payments/new.yml", "titel: x\n")
    world.write("sql/payments/new.sql", FILES["sql/payments/held.sql"])
    node = world.node()
    assert "*Draft, it is not run*" in said(node)
    assert "what looks like it and is none: A host who sells gift cards." in said(node)
    unknown = node.desk.command(ANA, "policy payments.new")
    assert isinstance(unknown, Said)
    assert unknown.text.startswith("payments.new does not load: policies/payments/new.yml:1:1 ")
    world.write(FILE, ELSEWHERE.replace("severity:", "severty:"))
    node.engine.reload()
    assert "this is its last good version: `policies/payments/elsewhere.yml:4:1`" in said(node)
