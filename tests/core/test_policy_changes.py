"""What a change of its policy's files means for an alert: another name, a false positive that is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.action import Acknowledge, Comment, Mended, Renamed, Reopen, Resolve
from bot.core.alert import Disposition, Lane
from bot.core.change import EffectKind
from bot.core.step import step
from tests.core.making import ANA, BO, HOUR, MINUTE, NOON, after, done, effects, opened, resolved, why_not

MOVED = Renamed("money.refund_spike", '{"shop":"s_1"}')
FP = Disposition.false_positive
NEWER = Mended(BO, "3f2a")


def test_an_open_alert_says_its_policys_new_name_on_its_card() -> None:
    change = done(opened(), MOVED)
    assert (change.alert.policy, change.alert.key) == (MOVED.policy, MOVED.key)
    assert change.event.story == "its policy is called money.refund_spike now; it was payments.refund_spike"
    assert change.alert.face_seq > opened().face_seq
    assert change.effects == ()


def test_the_card_of_one_that_is_over_stays_as_it_was() -> None:
    before = resolved()
    alert = done(before, MOVED).alert
    assert (alert.policy, alert.key) == (MOVED.policy, MOVED.key)
    assert (alert.face_seq, alert.version) == (before.face_seq, before.version + 1)


def test_a_name_that_it_bears_already_is_no_news() -> None:
    assert why_not(step(done(opened(), MOVED).alert, MOVED, NOON)) == "known already"


def test_who_reported_a_false_positive_is_told_by_name_that_it_is_mended() -> None:
    change = done(resolved(FP), NEWER)
    (reply,) = effects(change)
    assert (reply.kind, reply.to, reply.broadcast) == (EffectKind.reply, BO, False)
    assert reply.text == (
        "mended: refund_spike (version 3f2a) would no longer alert on this; thank you, your report did it"
    )
    assert change.event.story == "mended: refund_spike (version 3f2a) would no longer alert on this"
    assert change.alert.mended == "3f2a"


def test_it_is_told_once() -> None:
    assert why_not(step(done(resolved(FP), NEWER).alert, Mended(BO, "4b1c"), NOON)) == "told already"


@pytest.mark.parametrize("disposition", [d for d in Disposition if d is not FP])
def test_nothing_else_is_mended(disposition: Disposition) -> None:
    assert why_not(step(resolved(disposition), NEWER, NOON)) == "nobody calls it a false positive now"


def test_nor_is_what_has_been_opened_again() -> None:
    again = after(done(resolved(FP), NEWER).alert, (Reopen(BO), NOON + HOUR))
    assert again.mended == ""
    assert why_not(step(again, NEWER, NOON)) == "nobody calls it a false positive now"
    assert (
        why_not(step(replace(again, disposition=FP), NEWER, NOON)) == "nobody calls it a false positive now"
    )


@pytest.mark.parametrize("lane", [Lane.shadow, Lane.historical])
def test_where_nobody_was_paged_nobody_is_told(lane: Lane) -> None:
    assert why_not(step(replace(resolved(FP), lane=lane), NEWER, NOON)) == f"it is {lane.value}"


def test_called_false_again_after_it_was_opened_again_it_can_be_mended_again() -> None:
    again = after(done(resolved(FP), NEWER).alert, (Reopen(BO), NOON + HOUR))
    called = after(again, (Acknowledge(ANA), NOON + HOUR + MINUTE), Resolve(ANA, FP), Comment(ANA, "again"))
    assert done(called, Mended(ANA, "4b1c")).alert.mended == "4b1c"
