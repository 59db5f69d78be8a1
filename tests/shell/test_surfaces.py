"""What is done by a button and by a verb is one act: one action, one right, one line of history and of the
audit; and whatever can be undone says how."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.core.action import Assign, Comment, PersonAction, Resolve
from bot.core.alert import Alert, Disposition
from bot.core.reply import Person, PolicyReply, Said
from bot.slack import payloads
from bot.slack.answers import render
from tests.core.test_safety import folded
from tests.shell.making import MINUTE, NOON, SECOND, Node, World
from tests.shell.trouble import EVERY

ANA, BO = Person("U0ANA", "C0PAYMENTS", "button"), Person("U0BO", "C0PAYMENTS", "button")
STRANGER = Person("U0STRANGER", "C0PAYMENTS", "button")
TP, FP = Disposition.true_positive, Disposition.false_positive
BENIGN = Resolve("U0ANA", Disposition.benign, None, "a charity stream")
# What was done before, the button (with whom it names) or form, and the verb.
SAME = (
    ("", "alert.ack", "ack {n}"),
    ("ack {n}", "alert.unack", "unack {n}"),
    ("", "alert.take", "take {n}"),
    ("", "alert.assign", "assign {n} <@U0BO>"),
    ("", "alert.snooze", "snooze {n} 1h"),
    ("snooze {n} 2h", "alert.wake", "wake {n}"),
    ("resolve {n} tp", "alert.reopen", "reopen {n}"),
    ("", "alert.escalate", "escalate {n}"),
    ("", "alert.rerun", "rerun {n}"),
    ("", BENIGN, "resolve {n} benign a charity stream"),
    ("resolve {n} tp", BENIGN, "resolve {n} benign a charity stream"),
    ("", Comment("U0ANA", "seen before"), "comment {n} seen before"),
)


@pytest.fixture
def bot(world: World, node: Node) -> Node:
    """ALR-1 and ALR-2 are alike but for their seller."""
    for n in (1, 2):
        world.table.says(f"s_{n}", NOON - MINUTE)
    node.tick()
    node.clock.on(SECOND)
    return node


def says(node: Node, text: str, person: Person = ANA) -> Said:
    said = node.desk.command(person, text)
    assert isinstance(said, Said), said
    return said


def clicked(button: str, by: str, alert: int, seq: int) -> PersonAction:
    """The action that a click on it is."""
    body = {
        "user": {"id": by},
        "actions": [{"action_id": button, "value": f"{alert}:{seq}", "selected_user": "U0BO"}],
    }
    action = payloads.action(payloads.click(body), NOON + SECOND)
    assert action is not None
    return action


def by_hand(node: Node, what: str | PersonAction, person: Person) -> Said:
    """To ALR-1, as the listeners hand it in."""
    seq = node.alert(1).work_seq
    action = clicked(what, person.slack, 1, seq) if isinstance(what, str) else what
    return node.desk.act(person, 1, action, seq)


def alike(alert: int, *said: Any) -> str:
    """As text, without what tells the two alerts apart."""
    return json.dumps(said, default=str).replace(f"ALR-{alert}", "ALR-N").replace(f" {alert}`", " N`")


def happened(node: Node, alert: int) -> str:
    """The last line of its history."""
    event = node.store.alerts.history(alert)[-1]
    return alike(alert, event.seq, event.actor, event.kind, event.story, event.action)


def kept(node: Node, alert: int) -> str:
    """The last line of the audit about it, but for how it was done."""
    line = [kept.line for kept in node.store.trail.lines() if kept.line.alert == alert][-1]
    return alike(alert, line.by, line.deed, line.about, line.outcome, line.seq, line.words)


@pytest.mark.parametrize(("before", "button", "verb"), SAME, ids=[verb for *_, verb in SAME])
def test_a_button_and_its_verb_leave_the_same(bot: Node, before: str, button: Any, verb: str) -> None:
    for n in (1, 2):
        assert not before or says(bot, before.format(n=n)).ok
    pressed, typed = by_hand(bot, button, ANA), says(bot, verb.format(n=2))
    assert (pressed.ok, typed.ok) == (True, True)
    assert (happened(bot, 1), kept(bot, 1)) == (happened(bot, 2), kept(bot, 2))
    assert typed.text.replace("ALR-2", "ALR-1").startswith(pressed.text)
    assert typed.hint.replace(" 2", " 1") == pressed.hint.replace(" 2", " 1")


@pytest.mark.parametrize(("before", "button", "verb"), SAME, ids=[verb for *_, verb in SAME])
def test_who_may_not_is_refused_by_both_in_the_same_words(
    bot: Node, before: str, button: Any, verb: str
) -> None:
    if verb.startswith(("escalate", "comment")):
        assert says(bot, verb.format(n=2), STRANGER).ok, "everybody may"
        return
    for n in (1, 2):
        assert not before or says(bot, before.format(n=n)).ok
    pressed, typed = by_hand(bot, button, STRANGER), says(bot, verb.format(n=2), STRANGER)
    assert (pressed.ok, typed.ok) == (False, False)
    assert pressed.text.replace("ALR-1", "ALR-N") == typed.text.replace("ALR-2", "ALR-N")
    assert "of payments may" in pressed.text
    assert kept(bot, 1) == kept(bot, 2)
    assert '"refused"' in kept(bot, 1)


WAYS_BACK = (
    ("ack 1", "unack 1"),
    ("unack 1", "ack 1"),
    ("take 1", "unack 1"),
    ("assign 1 @bo", "take 1"),
    ("snooze 1 2h", "wake 1"),
    ("wake 1", "snooze 1 2h"),
    ("resolve 1 tp", "reopen 1"),
    ("resolve 1 fp rule it is wide", "resolve 1 tp"),
    ("reopen 1", "resolve 1 fp rule it is wide"),
    ("cover 2h @cy", "uncover 1"),
    (f"pause {EVERY}", f"resume {EVERY}"),
    (f"every {EVERY} 1h 2h", f"resume {EVERY}"),
)


def test_whatever_can_be_undone_names_its_undo(bot: Node) -> None:
    for text, undo in WAYS_BACK:
        said = says(bot, text, BO if text.startswith("cover") else ANA)
        assert (said.ok, said.hint) == (True, f"undo: `/patrol {undo}`"), (text, said)


def test_of_another_verdict_history_keeps_both_and_figures_use_the_latest(bot: Node) -> None:
    says(bot, "resolve 1 tp he has done it before")
    says(bot, "resolve 1 fp rule it is a charity")
    stories = [event.story for event in bot.store.alerts.history(1) if "positive" in event.story]
    assert stories == [
        "resolved by ⟦U0ANA⟧ as true positive: he has done it before",
        "changed by ⟦U0ANA⟧ to false positive (rule): it is a charity",
    ]
    assert bot.view.context(bot.alert(2)).dispositions == {FP: 1}
    page = bot.desk.command(ANA, f"policy {EVERY}")
    assert isinstance(page, PolicyReply)
    assert page.worth
    assert (page.worth.record.right, page.worth.record.wrong) == (0, 1)
    assert dict(page.trend.called) == {FP: 1}
    assert "right 0 of 1" in str(render(page).blocks)


def test_the_history_of_a_day_folded_again_is_the_row_that_is_stored(world: World, bot: Node) -> None:
    def rows(times: int) -> None:
        world.table.says("s_1", bot.clock(), times=times)
        bot.next_tick()

    for act in ("ack 1", "comment 1 looks odd", "snooze 1 1h", "assign 1 @bo", "resolve 1 tp", "escalate 1"):
        assert says(bot, act).ok
        bot.clock.on(MINUTE)
        rows(1)  # they reopen what was resolved
        bot.clock.on(timedelta(hours=5))
        bot.engine.sweep()
    stored: Alert = bot.alert(1)
    assert stored.version > 15
    assert folded(list(bot.store.alerts.history(1)), 1) == stored


def test_what_was_so_before_is_not_in_the_undo_of_what_was_done(bot: Node) -> None:
    says(bot, "ack 1")
    said = says(bot, "ack 1 2")
    assert "You are on ALR-1 already" in said.text
    assert said.hint == "undo: `/patrol unack 2`"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("show 1 2", "One alert at a time. First: `show 1`"),
        ("why 1 2", "One alert at a time. First: `why 1`"),
        ("why seller:s_1 polcy:payments.x", "`polcy` is no filter."),
    ],
)
def test_nothing_that_was_typed_is_passed_over(bot: Node, text: str, told: str) -> None:
    said = says(bot, text)
    assert not said.ok
    assert told in f"{said.text} {said.hint}"


def test_who_escalates_hears_whom_that_tells(bot: Node) -> None:
    assert says(bot, "escalate 1 he is on a plane").text.endswith("he is on a plane. The team is told.")
    assert says(bot, "escalate 1").text.endswith("The lead is told.")


def test_an_alert_is_given_to_nobody_whom_the_files_do_not_name(bot: Node) -> None:
    kept = bot.alert(1).version
    said = bot.desk.act(ANA, 1, Assign("U0ANA", "U0STRANGER"))
    assert not said.ok
    assert "is in no team of Patrol's" in said.text
    assert "_teams.yml" in said.hint
    assert (bot.alert(1).version, bot.alert(1).owner) == (kept, None)
    assert list(bot.store.trail.lines())[-1].line.outcome == "refused"
