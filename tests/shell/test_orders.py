"""Pauses and other paces: loud, over by themselves, and nothing that came meanwhile is missed."""

from __future__ import annotations

import json

import pytest

from bot.core.reply import Person, PolicyReply, Said, StatusReply
from bot.engine.rounds import Rounds, Want
from bot.sandbox import Sandbox
from bot.schedule import Scheduler
from bot.slack.answers import render
from sensors.model.policy import Every
from tests.shell.making import DAY, HOUR, MINUTE, Node, World
from tests.shell.trouble import BOTH

ANA, BO = Person("U0ANA", "C0PAYMENTS"), Person("U0BO", "C0PAYMENTS")
EVERY = "payments.elsewhere"


@pytest.fixture
def bot(town: World) -> Node:
    node = town.node()
    node.next_tick()
    return node


def said(node: Node, text: str, person: Person = ANA) -> Said:
    reply = node.desk.command(person, text)
    assert isinstance(reply, Said), reply
    return reply


def due(node: Node) -> bool:
    """Whether the schedule would look at it now."""
    rounds = Rounds(node.engine, 1, lambda _: None)
    return bool(rounds._due([Want(EVERY)]))


@BOTH
def test_a_paused_policy_is_not_due_and_makes_up_for_what_came_when_it_is_over(
    town: World, bot: Node, slack: Sandbox
) -> None:
    bot.clock.on(MINUTE)
    assert due(bot)
    answer = said(bot, f"pause {EVERY} 2h the table is being rebuilt")
    assert answer.ok
    assert answer.hint == f"undo: `/patrol resume {EVERY}`"
    town.table.says("s_1", bot.clock() + MINUTE)
    bot.clock.on(HOUR)
    bot.engine.sweep()
    assert not due(bot)
    bot.clock.on(HOUR)
    bot.engine.sweep()
    assert due(bot)
    bot.tick()
    assert [alert.key_values["seller_id"] for alert in bot.alerts(EVERY)] == ["s_1"]
    bot.deliver(12)
    told = json.dumps(slack.messages("payments"), ensure_ascii=False)
    assert "⏸ ana paused `payments.elsewhere`" in told
    assert "the table is being rebuilt" in told
    assert "▶ `payments.elsewhere` runs by its own schedule again: its time is over." in told


def test_resume_ends_it_early_and_once(bot: Node) -> None:
    assert said(bot, f"pause {EVERY}").ok
    (order,) = bot.store.orders.on()
    assert order.until == bot.clock() + 2 * HOUR
    bot.clock.on(MINUTE)
    assert not due(bot)
    assert said(bot, f"resume {EVERY}").ok
    assert due(bot)
    assert "runs by its own schedule." in said(bot, f"resume {EVERY}").text


def test_another_pace_lasts_until_its_day(bot: Node) -> None:
    assert said(bot, f"every {EVERY} 1h until:fri").ok  # today is a Monday
    bot.engine.sweep()
    assert bot.engine.orders.policies()[EVERY].schedule == Every(HOUR)
    (order,) = bot.store.orders.on()
    assert (order.until.weekday(), order.until - bot.clock() < 4 * DAY) == (4, True)
    bot.clock.on(4 * DAY)
    bot.engine.sweep()
    assert bot.engine.orders.policies()[EVERY].schedule == Every(MINUTE)
    assert bot.store.orders.on() == []


def test_the_timetable_follows_and_another_process_too(town: World, bot: Node) -> None:
    other = town.node()
    scheduler = Scheduler(other.engine, other.starting, None, workers=1)
    scheduler._plan_policies()
    assert not scheduler._outdated(other.engine.catalog)
    said(bot, f"pause {EVERY}")
    other.engine.sweep()
    assert scheduler._outdated(other.engine.catalog)
    scheduler._plan_policies()
    other.clock.on(MINUTE)
    assert EVERY not in scheduler.timetable.due(other.clock())
    said(bot, f"resume {EVERY}")
    other.engine.sweep()
    scheduler._plan_policies()
    other.clock.on(MINUTE)
    assert EVERY in scheduler.timetable.due(other.clock())


def test_a_paused_policy_is_not_called_silent(bot: Node) -> None:
    said(bot, f"pause {EVERY} 72h")
    bot.engine.silence.once()
    for _ in range(12 * 5):
        bot.clock.on(4 * MINUTE)
        bot.engine.sweep()
        bot.engine.silence.once()
    silent = [alert.key_values.get("policy") for alert in bot.alerts("patrol.silent_sensor")]
    assert EVERY not in silent
    assert "payments.held" in silent, "which nobody runs here either"


def test_it_stands_in_status_policy_and_why(bot: Node) -> None:
    said(bot, f"pause {EVERY} 2h the table is being rebuilt")
    status = bot.desk.command(BO, "status")
    assert isinstance(status, StatusReply)
    assert "is paused until" in status.standing[0]
    policy = bot.desk.command(BO, f"policy {EVERY}")
    assert isinstance(policy, PolicyReply)
    text = json.dumps(render(policy).blocks, ensure_ascii=False)
    assert "⏸" in text
    assert "*is paused*" in text
    assert policy.line.next_due is None
    assert "the table is being rebuilt" in json.dumps(render(bot.desk.command(BO, f"why {EVERY}")).blocks)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"pause {EVERY} 73h", "A policy can be paused for 3 d at most."),
        (f"every {EVERY} 1s 2h", "A pace lies between 1 min and 1 d."),
        (f"every {EVERY} 1h 15d", "A policy can run at another pace for 14 d at most."),
        (f"every {EVERY} 1h", "For how long?"),
        (f"every {EVERY}", "How often?"),
        ("pause", "Which one?"),
        ("pause payments.elsewere", "Did you mean `payments.elsewhere`?"),
    ],
)
def test_what_is_too_much_or_wrong_is_said_and_not_done(bot: Node, text: str, why: str) -> None:
    answer = said(bot, text)
    assert not answer.ok
    assert why in f"{answer.text} {answer.hint}"
    assert bot.store.orders.on() == []


def test_a_responder_is_told_who_may(bot: Node) -> None:
    answer = said(bot, f"pause {EVERY}", BO)
    assert not answer.ok
    assert answer.text == (
        "Only a lead of payments may pause `payments.elsewhere`, and let it run again: ⟦U0ANA⟧."
    )
    assert bot.store.orders.on() == []
