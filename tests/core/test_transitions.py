"""What people do to an alert and what then is so: the table of transitions, row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.action import (
    Acknowledge,
    Assign,
    Comment,
    Escalate,
    Reopen,
    Resolve,
    SnoozeFor,
    Timer,
    Unacknowledge,
    Wake,
)
from bot.core.alert import Disposition, FalseCause, Lane, Work, due
from bot.core.change import EffectKind
from bot.core.ladder import still_due
from bot.core.step import step
from tests.core.making import (
    ANA,
    BO,
    CY,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    acknowledged,
    after,
    done,
    effects,
    events,
    fire,
    ladder,
    opened,
    resolved,
    told,
    why_not,
)

TP = Disposition.true_positive
FP = Disposition.false_positive


# ---------------------------------------------------------------- acknowledging


def test_acknowledging_makes_it_yours_until_the_teams_time_is_over_and_stops_the_ladder() -> None:
    change = done(opened(), Acknowledge(ANA))
    assert (change.alert.work, change.alert.owner, change.alert.step_due) == (Work.acknowledged, ANA, None)
    assert change.alert.acknowledged_until == NOON + 4 * HOUR
    assert change.event.story == "acknowledged by ⟦UANA⟧ until ⟦t:1767628800⟧"
    assert told(change) == []


def test_one_may_say_for_how_long_it_is_ones_own() -> None:
    alert = done(opened(), Acknowledge(ANA, 90 * MINUTE)).alert
    assert (alert.acknowledged_at, alert.acknowledged_until) == (NOON, NOON + 90 * MINUTE)


def test_acknowledging_what_somebody_has_says_that_you_are_also_on_it() -> None:
    change = done(acknowledged(ANA), Acknowledge(BO))
    assert (change.alert.owner, change.alert.helpers) == (ANA, (BO,))
    assert change.event.story == "⟦UBO⟧ is also on it"
    assert done(change.alert, Acknowledge(CY)).alert.helpers == (BO, CY)


def test_acknowledging_twice_is_refused_with_the_way_back() -> None:
    refused = step(acknowledged(ANA), Acknowledge(ANA), NOON)
    assert "You are on ALR-3 already" in why_not(refused)
    joined = after(acknowledged(ANA), Acknowledge(BO))
    assert "You are on ALR-3 already" in why_not(step(joined, Acknowledge(BO), NOON))
    quiet = after(
        acknowledged(ANA),
        (Timer(), NOON + 192 * MINUTE),
        (SnoozeFor(ANA, NOON + 5 * HOUR)),
        at=NOON + 193 * MINUTE,
    )
    assert quiet.reminded
    assert "You are on ALR-3 already" in why_not(step(quiet, Acknowledge(ANA), NOON + 194 * MINUTE))


def test_handing_back_opens_it_and_its_ladder_begins_anew() -> None:
    change = done(acknowledged(ANA), Unacknowledge(ANA), NOON + HOUR)
    assert (change.alert.work, change.alert.owner, change.alert.step) == (Work.open, None, 0)
    next_due = due(change.alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + HOUR, "oncall")


def test_handing_back_what_is_snoozed_ends_the_snooze_so_that_those_on_call_hear_of_it() -> None:
    snoozed = after(acknowledged(ANA), SnoozeFor(ANA, NOON + 9 * HOUR))
    back = done(snoozed, Unacknowledge(ANA), NOON + HOUR).alert
    assert (back.snooze, back.word) == (None, "OPEN")
    next_due = due(back)
    assert next_due is not None
    assert next_due.at == NOON + HOUR


def test_handed_back_the_first_step_waits_as_long_as_it_did_at_first() -> None:
    steps = ladder((5, "oncall"), (9, "lead"))
    alert = done(acknowledged(ANA, terms=events(ladder=steps)), Unacknowledge(ANA), NOON + HOUR).alert
    next_due = due(alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 65 * MINUTE, "oncall")


def test_who_was_also_on_it_leaves_it_to_its_owner() -> None:
    change = done(after(acknowledged(ANA), Acknowledge(BO)), Unacknowledge(BO))
    assert (change.alert.work, change.alert.owner, change.alert.helpers) == (Work.acknowledged, ANA, ())
    assert change.event.story == "⟦UBO⟧ is no longer on it"


def test_an_owner_whose_alert_is_handed_back_by_another_is_told() -> None:
    change = done(acknowledged(ANA), Unacknowledge(CY))
    assert change.alert.owner is None
    assert told(change) == [ANA]


def test_handing_back_what_nobody_has_is_refused() -> None:
    assert why_not(step(opened(), Unacknowledge(ANA), NOON)) == "ALR-3 is not acknowledged."


def test_the_owner_is_reminded_at_four_fifths_of_the_time() -> None:
    alert = acknowledged(ANA)
    next_due = due(alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 192 * MINUTE, ANA)
    change = done(alert, Timer(), next_due.at)
    assert told(change) == [ANA]
    assert change.alert.work is Work.acknowledged


# ------------------------------------------------------------------- assigning


def test_assigning_tells_the_new_owner_and_the_old_one_but_not_who_did_it() -> None:
    change = done(acknowledged(ANA), Assign(CY, BO))
    assert (change.alert.owner, change.alert.work) == (BO, Work.acknowledged)
    assert told(change) == [BO, ANA]
    assert told(done(acknowledged(ANA), Assign(BO, BO))) == [ANA]
    assert told(done(opened(), Assign(BO, BO))) == []


def test_who_is_given_it_has_it_anew_and_no_longer_helps_with_it() -> None:
    alert = after(acknowledged(ANA), Acknowledge(BO), Acknowledge(CY), SnoozeFor(ANA, NOON + HOUR))
    given = done(alert, Assign(ANA, BO), NOON + HOUR).alert
    assert (given.owner, given.helpers, given.snooze) == (BO, (CY,), None)
    assert (given.acknowledged_at, given.acknowledged_until) == (NOON + HOUR, NOON + 5 * HOUR)
    fresh = done(opened(), Assign(ANA, BO)).alert
    assert (fresh.work, fresh.step_due) == (Work.acknowledged, None)


def test_what_was_done_is_told_with_who_did_it() -> None:
    (to_bo, to_ana) = effects(done(acknowledged(ANA), Assign(CY, BO)), EffectKind.tell)
    assert to_bo.text == to_ana.text == "ALR-3 was assigned to ⟦UBO⟧ by ⟦UCY⟧"
    (back,) = effects(done(acknowledged(ANA), Unacknowledge(CY)), EffectKind.tell)
    assert back.text == "ALR-3 was handed back by ⟦UCY⟧"
    assert done(opened(), Assign(BO, BO)).event.story == "taken by ⟦UBO⟧"


def test_assigning_to_the_owner_is_refused() -> None:
    assert why_not(step(acknowledged(ANA), Assign(ANA, ANA), NOON)) == "ALR-3 is yours already."
    assert why_not(step(acknowledged(ANA), Assign(BO, ANA), NOON)) == "ALR-3 is ⟦UANA⟧'s already."


# -------------------------------------------------------------------- snoozing


def test_snoozing_keeps_it_quiet_until_its_end_which_is_announced() -> None:
    alert = after(opened(), SnoozeFor(ANA, NOON + 2 * HOUR, "a sale is on"))
    assert alert.word == "SNOOZED"
    assert alert.last_event == "snoozed by ⟦UANA⟧ for 2 h, until ⟦t:1767621600⟧: a sale is on"
    next_due = due(alert)
    assert next_due is not None
    assert next_due.at == NOON + 2 * HOUR
    change = done(alert, Timer(), next_due.at)
    assert change.alert.snooze is None
    assert told(change) == ["team"]  # the step that was next
    assert change.event.story == "the snooze has ended; still there"


def test_a_snooze_is_for_a_day_at_most_and_not_for_the_past() -> None:
    assert after(opened(), SnoozeFor(ANA, NOON + DAY)).snooze is not None
    assert "24 h at most" in why_not(step(opened(), SnoozeFor(ANA, NOON + DAY + MINUTE), NOON))
    assert "has passed" in why_not(step(opened(), SnoozeFor(ANA, NOON), NOON))


def test_a_snoozed_acknowledgement_gets_back_the_time_that_it_had_left() -> None:
    alert = after(acknowledged(ANA), (SnoozeFor(ANA, NOON + 3 * HOUR), NOON + HOUR))
    woken = after(alert, (Wake(BO), NOON + 2 * HOUR))
    assert woken.acknowledged_until == NOON + 5 * HOUR
    assert woken.owner == ANA


def test_waking_what_is_awake_is_refused() -> None:
    assert why_not(step(opened(), Wake(ANA), NOON)) == "ALR-3 is not snoozed."


# -------------------------------------------------------------------- resolving


def test_resolving_says_what_it_was_and_ends_its_snooze() -> None:
    alert = after(opened(), SnoozeFor(ANA, NOON + HOUR))
    change = done(alert, Resolve(BO, FP, FalseCause.threshold, "three are usual"), NOON + MINUTE)
    after_it = change.alert
    assert (after_it.work, after_it.disposition, after_it.false_cause) == (
        Work.resolved,
        FP,
        FalseCause.threshold,
    )
    assert (after_it.snooze, after_it.resolved_by, after_it.resolved_at) == (None, BO, NOON + MINUTE)
    assert (after_it.note, after_it.owner, after_it.step_due) == ("three are usual", BO, None)
    assert change.event.story == "resolved by ⟦UBO⟧ as false positive (threshold): three are usual"
    assert due(after_it) is None


def test_what_somebody_had_stays_his_whoever_resolves_it() -> None:
    change = done(acknowledged(ANA), Resolve(BO, TP))
    assert (change.alert.owner, change.event.story) == (ANA, "resolved by ⟦UBO⟧ as true positive")


@pytest.mark.parametrize(
    ("instead", "called"),
    [
        (Resolve(BO, TP, FalseCause.rule, "so"), "true positive (rule): so"),
        (Resolve(BO, FP, FalseCause.known_exception, "so"), "false positive (known exception): so"),
        (Resolve(BO, FP, FalseCause.rule, "or so"), "false positive (rule): or so"),
        (Resolve(BO, FP), "false positive"),
    ],
)
def test_whatever_is_said_otherwise_is_kept_instead(instead: Resolve, called: str) -> None:
    said = Resolve(ANA, FP, FalseCause.rule, "so")
    before = after(opened(), said)
    change = done(before, instead, NOON + HOUR)
    kept = change.alert
    assert (kept.disposition, kept.false_cause, kept.note) == (
        instead.disposition,
        instead.false_cause,
        instead.note,
    )
    assert (kept.resolved_by, kept.resolved_at, kept.work) == (ANA, NOON, Work.resolved)
    assert change.event.story == f"changed by ⟦UBO⟧ to {called}"
    assert "was resolved by ⟦UANA⟧" in why_not(step(before, replace(said, by=BO), NOON))


def test_its_disposition_may_be_changed_by_whom_access_lets() -> None:
    change = done(resolved(TP), Resolve(BO, FP), NOON + 9 * DAY)
    assert (change.alert.disposition, change.alert.resolved_by) == (FP, ANA)
    assert change.event.story == "changed by ⟦UBO⟧ to false positive"


def test_resolving_the_same_way_again_says_who_did_it() -> None:
    assert (
        why_not(step(resolved(TP), Resolve(BO, TP), NOON)) == "ALR-3 was resolved by ⟦UANA⟧ as true positive."
    )


def test_reopening_begins_anew_and_is_refused_where_a_newer_alert_holds_the_key() -> None:
    change = done(resolved(), Reopen(BO), NOON + HOUR)
    assert (change.alert.work, change.alert.owner, change.alert.disposition) == (Work.open, None, None)
    assert "REOPENED" in change.alert.badges
    assert why_not(step(resolved(), Reopen(BO, held_by=9), NOON)) == "ALR-9 is about the same and open."
    assert why_not(step(opened(), Reopen(BO), NOON)) == "ALR-3 is open."


def test_what_is_resolved_takes_no_work_and_says_who_resolved_it() -> None:
    for action in (Acknowledge(BO), Assign(BO, BO), SnoozeFor(BO, NOON + HOUR), Wake(BO), Escalate(BO)):
        assert "was resolved by ⟦UANA⟧" in why_not(step(resolved(), action, NOON))


# ------------------------------------------------------------------- escalating


def test_escalating_pages_the_next_step_with_the_reason_and_the_ladder_goes_on() -> None:
    change = done(opened(), Escalate(BO, "he is on a plane"), NOON + MINUTE)
    (page,) = effects(change, EffectKind.page)
    assert (page.to, page.broadcast) == ("team", True)
    assert page.text == "escalated by ⟦UBO⟧: he is on a plane"
    next_due = due(change.alert)
    assert next_due is not None
    assert (next_due.at, next_due.to) == (NOON + 6 * MINUTE, "lead")


def test_escalating_without_a_reason_gives_none() -> None:
    assert done(opened(), Escalate(BO)).event.story == "escalated by ⟦UBO⟧"


def test_escalating_what_somebody_has_still_pages() -> None:
    change = done(acknowledged(ANA), Escalate(ANA, "I need help"))
    (page,) = effects(change, EffectKind.page)
    assert still_due(page, change.alert) is None
    commented = after(change.alert, Comment(BO, "coming"))
    assert still_due(page, commented) is None


def test_escalating_what_is_snoozed_still_pages() -> None:
    change = done(after(opened(), SnoozeFor(ANA, NOON + HOUR)), Escalate(BO))
    (page,) = effects(change, EffectKind.page)
    assert still_due(page, change.alert) is None


def test_a_page_that_waits_is_dropped_where_somebody_has_taken_it_meanwhile() -> None:
    change = done(opened(), Timer(), NOON + 10 * MINUTE)
    (page,) = effects(change, EffectKind.page)
    assert still_due(page, change.alert) is None
    for action, why in (
        (Acknowledge(ANA), "acknowledged in between"),
        (SnoozeFor(ANA, NOON + HOUR), "snoozed in between"),
        (Resolve(ANA, TP), "resolved in between"),
    ):
        assert still_due(page, after(change.alert, action, at=NOON + 11 * MINUTE)) == why


def test_an_alert_that_pages_nobody_cannot_be_escalated() -> None:
    assert "pages nobody" in why_not(step(opened(fire(lane=Lane.shadow)), Escalate(BO), NOON))


def test_unanswered_it_climbs_its_ladder_and_then_stays_with_the_lead() -> None:
    alert = opened(
        fire(terms=events(ladder=ladder((0, "oncall"), (10, "team"), (15, "bo")), repeat_interval=HOUR))
    )
    heard = []
    for _ in range(4):
        next_due = due(alert)
        assert next_due is not None
        change = done(alert, Timer(), next_due.at)
        heard.append(((next_due.at - NOON) // MINUTE, *told(change)))
        alert = change.alert
    assert heard == [(10, "team"), (15, "bo"), (75, "lead"), (135, "lead")]
