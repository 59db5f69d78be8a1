"""False positives as reports: which are open, whose they are, and what is said when one is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.action import Comment, Mended, Reopen, Resolve
from bot.core.alert import Alert, Disposition, Event, FalseCause, Lane
from bot.core.change import Change, EffectKind, Same
from bot.core.reconcile import flood_key
from bot.core.reports import cannot_compare, in_a_case, open_reports, reporter, window_of
from bot.core.step import step
from sensors.model.policy import Incremental, Now, Threshold
from sensors.model.window import Window
from tests.core.looking import policy
from tests.core.making import ANA, BO, DAY, HOUR, MINUTE, NOON, after, done, opened

FALSE = Resolve(BO, Disposition.false_positive, FalseCause.rule, "a charity")
MENDED = Mended(BO, "0a1b2c3d")


def false(**fields: object) -> Alert:
    return after(replace(opened(), id=142, **fields), FALSE)  # type: ignore[arg-type]


def test_whoever_reported_it_is_told_once_in_the_thread_and_nobody_is_paged() -> None:
    change = done(false(), MENDED)
    assert change.event.actor == "patrol"
    (told,) = change.effects
    assert (told.kind, told.to, told.broadcast) == (EffectKind.reply, BO, False)
    assert told.text.startswith("mended: ")
    assert told.text.endswith(
        "(version 0a1b2c3d) would no longer alert on this; thank you, your report did it"
    )
    assert change.alert.disposition is Disposition.false_positive
    assert isinstance(step(change.alert, replace(MENDED, version="ffffffff"), NOON), Same)


@pytest.mark.parametrize(
    "alert",
    [
        opened(),
        after(opened(), Resolve(BO, Disposition.true_positive)),
        false(lane=Lane.shadow),
        false(lane=Lane.historical),
        after(false(), Reopen(BO)),
    ],
)
def test_it_says_nothing_of_other_alerts(alert: Alert) -> None:
    assert isinstance(step(alert, MENDED, NOON), Same)


def test_what_fires_again_and_is_reported_again_can_be_told_again() -> None:
    again = after(done(false(), MENDED).alert, Reopen(ANA), FALSE)
    assert again.mended == ""
    assert isinstance(step(again, MENDED, NOON), Change)


def test_a_report_is_open_until_the_file_names_its_alert_or_it_is_mended() -> None:
    mine = policy()
    assert open_reports(mine, [false(), opened()]) == (false(),)
    assert open_reports(mine, [done(false(), MENDED).alert]) == ()
    assert (
        open_reports(replace(mine, body='{"files": ["# bo called ALR-142 a false positive"]}'), [false()])
        == ()
    )
    assert not in_a_case(replace(mine, body="ALR-1421 and ALR-14"), false())


def test_the_reporter_is_who_called_it_false_last() -> None:
    def line(seq: int, action: Resolve | Comment, kind: str) -> Event:
        change = done(false(), action) if isinstance(action, Comment) else None
        record = change.event.action if change else done(opened(), action).event.action
        return Event(seq, NOON, action.by, kind, "", record)

    alert = false()
    history = [
        line(2, Resolve(ANA, Disposition.benign), "resolved"),
        line(3, FALSE, "redisposed"),
        line(4, Comment(ANA, "thanks"), "commented"),
    ]
    assert reporter(replace(alert, resolved_by=ANA), history) == BO
    assert reporter(replace(alert, resolved_by=ANA), []) == ANA


def test_where_to_look_again() -> None:
    looked = Window(NOON - MINUTE, NOON)
    events = policy(window=Incremental("sent_at"), threshold=Threshold(3, DAY))
    assert window_of(events, looked, NOON + HOUR) == Window(NOON - DAY, NOON)
    assert window_of(replace(events, threshold=Threshold()), looked, NOON + HOUR) == looked
    assert window_of(replace(events, window=Now()), looked, NOON + HOUR) == Window(None, NOON + HOUR)


def test_what_cannot_be_held_against_the_policy_is_said() -> None:
    mine = policy(key=("seller_id",))
    alert = replace(false(), key_values={"seller_id": "s_1"})
    assert cannot_compare(mine, alert) == ""
    assert cannot_compare(replace(mine, key=("buyer_id",)), alert) == "its key was seller_id"
    assert (
        cannot_compare(mine, replace(alert, key=flood_key(alert.policy))) == "it spoke for many keys at once"
    )
